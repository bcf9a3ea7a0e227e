"""Which cells to measure next, and why: what `plan --budget` says."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np

from matrices.recommend.outlook import NothingToPredictError
from matrices.recommend.predicted import Predicted, model_for
from matrices.recommend.predicted.budget import Cell, next_cells
from matrices.scores import Floats, ScoreTable


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """One cell to measure: the score to expect of it, and how probable it is that no other source is better.

    ``interval`` is of 90%. All three are None while nothing can be predicted.
    """

    source: str
    target: str
    score: float | None
    interval: tuple[float, float] | None
    probability_best: float | None


def advise(table: ScoreTable, budget: int, among: Collection[Cell] | None = None) -> list[Advice]:
    """The ``budget`` cells without a score that are expected to improve choices most, the most useful first.

    Of the pairs ``among`` alone, where they are given: they may be of languages the table lacks. Deterministic.
    """
    if among is not None:
        table = widened(table, among)
    chosen = [cell for cell in next_cells(table, table.scores.size) if among is None or cell in among][:budget]
    expected: dict[str, Predicted] = {}
    try:
        model = model_for(table)
        expected = {target: model.predict(target) for target in {target for _, target in chosen}}
    except NothingToPredictError:
        expected = {}
    return [_advice(source, target, expected.get(target), table.bounds) for source, target in chosen]


def _advice(source: str, target: str, found: Predicted | None, bounds: tuple[float, float]) -> Advice:
    if found is None:
        return Advice(source=source, target=target, score=None, interval=None, probability_best=None)
    at = found.sources.index(source)
    low, high = np.clip(found.intervals[at], *bounds).tolist()
    return Advice(
        source=source,
        target=target,
        score=float(np.clip(found.mean[at], *bounds)),
        interval=(low, high),
        probability_best=float(found.best[at]),
    )


def widened(table: ScoreTable, cells: Collection[Cell]) -> ScoreTable:
    """The table with the languages of some pairs on its axes, and nothing measured of those it lacks."""
    sources = tuple(sorted({*table.sources, *(source for source, _ in cells)}))
    targets = tuple(sorted({*table.targets, *(target for _, target in cells)}))
    at = np.ix_([sources.index(code) for code in table.sources], [targets.index(code) for code in table.targets])

    def placed(values: Floats) -> Floats:
        wide = np.full((len(sources), len(targets)), np.nan)
        wide[at] = values
        return wide

    return replace(
        table,
        sources=sources,
        targets=targets,
        scores=placed(table.scores),
        errors=None if table.errors is None else placed(table.errors),
        pair_features={name: placed(values) for name, values in table.pair_features.items()},
    )
