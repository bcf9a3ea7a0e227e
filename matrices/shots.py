"""How many labelled items of a target it takes to beat the best source without any."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import ConfigDict

from matrices.arrays import Floats, Interval
from matrices.cells import BASELINE

RESAMPLES = 2000


@dataclass(frozen=True, kw_only=True)
class ShotPoint:
    """A score with so many labelled items of the target, a share in [0, 1], and what they change (95% intervals)."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(use_attribute_docstrings=True)

    shots: int
    draws: int
    """How many draws of the items were measured, each by a training run of its own seed."""
    score: float
    difference: float
    """Mean score less that of the best source without any shots, on the same items and seeds."""
    interval: Interval
    """Of the difference: draws and test items are resampled."""


@dataclass(frozen=True, kw_only=True)
class ShotCurve:
    """Scores by the number of shots, and how many it takes to beat the best source without any.

    Shots between those that were measured are not told of.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(use_attribute_docstrings=True)

    points: tuple[ShotPoint, ...]
    enough: int | None
    """The fewest shots from which on every mean is above that source's; null where the most are not enough."""
    between: tuple[int | None, int | None]
    """95% interval of `enough`, over draws and test items; null for an end beyond the most shots."""


@dataclass(frozen=True, kw_only=True)
class Shots:
    """What labelled items of a target add to its best zero-shot source, and what they do without any source."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(use_attribute_docstrings=True)

    source: str
    """ISO 639-3: the best source without shots."""
    score: float
    """Its mean score."""
    with_source: ShotCurve | None
    """Learning on from the source's weights, on its items too."""
    alone: ShotCurve | None
    """Learning from the target's items alone."""


def shots_of(cells: pa.Table, target: str, *, composition: str, selection: str = "last") -> Shots | None:
    """The curves of a target, from the cells of one matrix with their outcomes; None where none were measured.

    Only draws (seeds) that the zero-shot source was measured with count, and outcomes over the same items.
    """
    ok = cells.filter(pc.and_(pc.equal(cells["status"], "ok"), pc.equal(cells["target"], target)))
    zero = _runs(ok, composition, selection, 0)
    learned = ok.filter(pc.and_(pc.greater(ok["shots"], 0), pc.is_valid(ok["correct"])))
    if not zero or not learned.num_rows:
        return None
    source = max(zero, key=lambda code: (np.mean([_score(*run) for run in zero[code].values()]), code))
    best = zero[source]
    numbers = sorted(pc.unique(learned["shots"]).to_pylist())
    onward = {number: _runs(learned, composition, "last", number).get(source, {}) for number in numbers}
    alone = {number: _runs(learned, BASELINE, "last", number).get(None, {}) for number in numbers}
    return Shots(
        source=source or "",
        score=float(np.mean([_score(*run) for run in best.values()])),
        with_source=_curve(best, onward),
        alone=_curve(best, alone),
    )


_Run = tuple[Floats, Floats]
"""Correct and total of each item."""


def _runs(cells: pa.Table, composition: str, selection: str, shots: int) -> dict[str | None, dict[int, _Run]]:
    """The outcomes of each source's runs, by seed."""
    same = pc.and_(pc.equal(cells["composition"], composition), pc.equal(cells["selection"], selection))
    rows = cells.filter(pc.and_(same, pc.equal(cells["shots"], shots)))
    found: dict[str | None, dict[int, _Run]] = {}
    for row in rows.select(["source", "seed", "correct", "total"]).to_pylist():
        if row["correct"] is not None:
            run = np.asarray(row["correct"], float), np.asarray(row["total"], float)
            found.setdefault(row["source"], {})[row["seed"]] = run
    return found


def _curve(best: dict[int, _Run], by_shots: dict[int, dict[int, _Run]]) -> ShotCurve | None:
    """Differences paired by seed and item; a resample draws seeds and items once for all numbers of shots."""
    measured = {
        number: {seed: run for seed, run in runs.items() if seed in best and len(run[0]) == len(best[seed][0])}
        for number, runs in by_shots.items()
    }
    measured = {number: runs for number, runs in measured.items() if runs}
    if not measured:
        return None
    seeds = sorted(set.intersection(*(set(runs) for runs in measured.values())))
    if not seeds:
        return None
    numbers = sorted(measured)
    items = len(best[seeds[0]][0])
    runs = [[best[seed] for seed in seeds], *([measured[number][seed] for seed in seeds] for number in numbers)]
    correct, total = (np.array([[run[part] for run in row] for row in runs]) for part in (0, 1))  # [1 + S, K, N]
    rng = np.random.default_rng(0)
    scores = np.empty((RESAMPLES, len(runs)))
    for at in range(RESAMPLES):
        drawn = np.bincount(rng.integers(items, size=items), minlength=items)
        chosen = rng.integers(len(seeds), size=len(seeds))
        scores[at] = _means(correct[:, chosen] @ drawn, total[:, chosen] @ drawn)
    mean = _means(correct.sum(2), total.sum(2))
    differences = scores[:, 1:] - scores[:, :1]
    bounds = np.quantile(differences, (0.025, 0.975), axis=0)
    points = tuple(
        ShotPoint(
            shots=number,
            draws=len(seeds),
            score=float(mean[at + 1]),
            difference=float(mean[at + 1] - mean[0]),
            interval=(float(bounds[0, at]), float(bounds[1, at])),
        )
        for at, number in enumerate(numbers)
    )
    places = np.sort([_first(row) for row in differences])
    ends = [int(places[round(share * (RESAMPLES - 1))]) for share in (0.025, 0.975)]
    low, high = ((numbers[end] if end < len(numbers) else None) for end in ends)
    enough = _first(mean[1:] - mean[0])
    return ShotCurve(points=points, enough=numbers[enough] if enough < len(numbers) else None, between=(low, high))


def _means(correct: Floats, total: Floats) -> Floats:
    """Mean scores over the runs of each row [rows, K] -> [rows]."""
    means: Floats = (correct / np.maximum(total, 1e-12)).mean(1)
    return means


def _first(differences: Sequence[float] | Floats) -> int:
    """The first place from which on all differences are above 0; their number where there is none."""
    below = np.flatnonzero(np.asarray(differences) <= 0)
    return int(below[-1]) + 1 if len(below) else 0


def _score(correct: Floats, total: Floats) -> float:
    return float(correct.sum() / total.sum()) if total.sum() else 0.0
