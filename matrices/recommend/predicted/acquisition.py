"""What to measure next: the cells whose scores are expected to improve the choice of a source most, and why.

The knowledge gradient (Frazier, Powell & Dayanik 2008): what knowing one score adds to the best choice of its target.

Notation: S sources, T targets.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtr

from matrices.arrays import Bools, Indices
from matrices.grid import Place
from matrices.likeness.similarity import kernel
from matrices.recommend.predicted.model import Predicted
from matrices.recommend.predicted.saved_model import model_for
from matrices.recommend.prediction import NothingToPredictError
from matrices.scores import Floats, ScoreTable

_AT_LEAST = 2
"""Scores that every target, and every source, has before any cell is chosen for what it is expected to add."""


@dataclass(frozen=True, eq=False)
class Survey:
    """What the scores of a table tell of every target, and what further ones are expected to add.

    ``expected`` are predictions by target. ``gains`` [S, T] are what knowing a score is expected to add to the choice
    for its target, as a share of the best; minus infinity where nothing is to be known.
    """

    table: ScoreTable
    expected: Mapping[str, Predicted]
    gains: Floats

    @property
    def regrets(self) -> dict[str, float]:
        """What the choice for each target is expected to cost, as a share of the best score there is."""
        return {target: prediction.regret for target, prediction in self.expected.items()}

    def choices(self) -> dict[str, str]:
        """The source that is expected to do best on each target."""
        return {
            target: prediction.sources[int(prediction.mean.argmax())] for target, prediction in self.expected.items()
        }


def survey(table: ScoreTable, *, again: Bools | None = None) -> Survey:
    """Fits a model to a table and asks it about every target.

    ``again`` [S, T] are measured cells of which further seeds can be measured. The noise of every other measured cell
    is taken as 0, since no measurement can reduce it. Raises ``NothingToPredictError``.
    """
    noise = np.zeros(table.scores.shape)
    if again is not None:
        noise = np.where(again, np.nan if table.errors is None else table.errors, noise)
    model = model_for(replace(table, errors=noise))
    gains = np.full(table.scores.shape, -np.inf)
    expected = {}
    for column, target in enumerate(table.targets):
        prediction = expected[target] = model.predict(target)
        rows = [table.sources.index(source) for source in prediction.sources]
        more = np.zeros(len(rows), dtype=bool) if again is None else again[rows, column]
        gains[rows, column] = np.where(prediction.measured & ~more, -np.inf, gain(prediction))
    return Survey(table, expected, gains)


def next_cells(table: ScoreTable, budget: int) -> list[Place]:
    """Up to ``budget`` cells of ``table`` that have no score, the most useful first; none of a language on itself.

    First come cells that are spread out (``spread_out``), until every target and every source has two. Then a cell is
    worth what knowing its score is expected to add to the score of the source chosen for its target, as a share of that
    ("knowledge gradient", Frazier et al. 2008, of scores taken one at a time). What a score says about other cells is
    not counted: measure a part of a budget, then ask again. Deterministic.
    """
    first = spread_out(table)[:budget]
    try:
        worth = survey(table).gains if len(first) < budget else np.full(table.scores.shape, -np.inf)
    except NothingToPredictError:
        worth = np.where(open_cells(table), kernel(table.sources, table.targets), -np.inf)
    for source, target in first:
        worth[table.sources.index(source), table.targets.index(target)] = -np.inf
    return [*first, *taken(table, worth, budget - len(first))]


def open_cells(table: ScoreTable) -> Bools:
    """Which cells have no score [S, T], but for those of a language on itself."""
    selves = np.array(table.sources, dtype=object)[:, None] == np.array(table.targets, dtype=object)
    open_there: Bools = ~np.isfinite(table.scores) & ~selves
    return open_there


def spread_out(table: ScoreTable, among: Bools | None = None, least: int = _AT_LEAST) -> list[Place]:
    """The cells to measure until every target, and every source, has ``least`` scores, in order. Deterministic.

    A target's turn takes the sources used least so far, and of these the one most like it. ``among`` [S, T] are the
    cells there may be.
    """
    free = open_cells(table) & (True if among is None else among)
    selves = np.array(table.sources, dtype=object)[:, None] == np.array(table.targets, dtype=object)
    scored = np.isfinite(table.scores) & ~selves
    like = kernel(table.sources, table.targets)
    chosen: list[Place] = []

    def take(rows: Indices, columns: Indices) -> None:
        used = scored.sum(axis=1)[rows]
        best = np.lexsort((rows, -like[rows, columns], used))[0]
        row, column = int(rows[best]), int(columns[best])
        free[row, column], scored[row, column] = False, True
        chosen.append((table.sources[row], table.targets[column]))

    for place in range(least):
        for column in range(len(table.targets)):
            rows = np.flatnonzero(free[:, column])
            if len(rows) and scored[:, column].sum() <= place:
                take(rows, np.full(len(rows), column))
        for row in range(len(table.sources)):
            columns = np.flatnonzero(free[row])
            if len(columns) and scored[row].sum() <= place:
                take(np.full(len(columns), row), columns)
    return chosen


def gain(prediction: Predicted) -> Floats:
    """What knowing each score [n] is expected to add to the score of the best choice, as a share of that.

    Of a normal score with mean m and deviation s against the best other mean b: ``E[max(x, b)] - max(m, b)``.
    """
    if len(prediction.mean) < 2:
        return np.zeros(len(prediction.mean))
    best, second = np.sort(prediction.mean)[::-1][:2]
    other = np.where(prediction.mean == best, second, best)
    spread = prediction.own_sd
    behind = -np.abs(prediction.mean - other)
    ratio = np.divide(behind, spread, out=np.full(len(spread), -np.inf), where=spread > 0)
    density = np.exp(-0.5 * ratio**2) / np.sqrt(2 * np.pi)
    value: Floats = np.where(spread > 0, spread * density + np.where(spread > 0, behind, 0.0) * ndtr(ratio), 0.0)
    return value / max(abs(float(best)), 1e-12)


def taken(table: ScoreTable, worth: Floats, budget: int) -> list[Place]:
    """Cells in order of worth [S, T], a target's second counting half of its worth, its third a third, and so on."""
    order = np.argsort(-worth, axis=0, kind="stable")
    place = np.empty_like(order)
    np.put_along_axis(place, order, np.arange(len(worth))[:, None], axis=0)
    shared = np.where(np.isfinite(worth), np.maximum(worth, 0) / (1 + place), -np.inf)
    # Where nothing is worth anything any more, targets with the fewest cells asked for come first.
    ranked = np.lexsort((np.arange(worth.size), place.ravel(), -shared.ravel()))
    rows, columns = np.unravel_index(ranked[:budget], worth.shape)
    cells = zip(rows.tolist(), columns.tolist(), strict=True)
    return [(table.sources[row], table.targets[column]) for row, column in cells if np.isfinite(worth[row, column])]


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


def advise(table: ScoreTable, budget: int, among: Collection[Place] | None = None) -> list[Advice]:
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


def _advice(source: str, target: str, prediction: Predicted | None, bounds: tuple[float, float]) -> Advice:
    if prediction is None:
        return Advice(source=source, target=target, score=None, interval=None, probability_best=None)
    at = prediction.sources.index(source)
    low, high = np.clip(prediction.intervals[at], *bounds).tolist()
    return Advice(
        source=source,
        target=target,
        score=float(np.clip(prediction.mean[at], *bounds)),
        interval=(low, high),
        probability_best=float(prediction.best[at]),
    )


def widened(table: ScoreTable, cells: Collection[Place]) -> ScoreTable:
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
