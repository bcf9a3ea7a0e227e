"""The measured column of one target: every source's runs over seeds, on the same items."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from matrices.cells import BASELINE
from matrices.scores import Floats, on_usual_items

Key = str | None
"""A source's code, or None for the baseline."""


@dataclass(frozen=True)
class Runs:
    """One source on one target: ``scores`` [seeds], and right and possible outcomes [seeds, items] where kept."""

    source: Key
    seeds: tuple[int, ...]
    scores: Floats
    correct: Floats | None
    total: Floats | None

    @property
    def mean(self) -> float:
        """Mean score over seeds."""
        return float(self.scores.mean())


@dataclass(frozen=True)
class Column:
    """What was measured on one target, under one composition and selection.

    Every run is over the same ``n_items`` items: ``other_items`` counts runs left out because theirs were others.
    ``failed`` counts (source, seed) pairs with a failure and no score.
    """

    target: str
    metric: str
    n_items: int
    runs: dict[Key, Runs]
    failed: int
    other_items: int
    cell_ids: tuple[str, ...]

    @property
    def has_outcomes(self) -> bool:
        """Whether every run has its per-item outcomes."""
        return all(runs.correct is not None for runs in self.runs.values())


def column(cells: pa.Table, target: str, *, composition: str, selection: str) -> Column | None:
    """The column of ``target``, with the baseline under key None; None where no source has a score.

    Where a source was measured twice with one seed (under two recipes, say) the later counts.
    """
    rows = _of_column(cells, target, composition, selection)
    measured = rows.filter(pc.equal(rows["status"], "ok"))
    sourced = measured.filter(pc.is_valid(measured["source"]))
    if not sourced.num_rows:
        return None
    n_items = on_usual_items(sourced)["n_items"][0].as_py()
    same = measured.filter(pc.equal(measured["n_items"], n_items))
    latest = _latest(same)
    tried = set(zip(rows["source"].to_pylist(), rows["seed"].to_pylist(), strict=True))
    scored = set(zip(measured["source"].to_pylist(), measured["seed"].to_pylist(), strict=True))
    return Column(
        target=target,
        metric=same["metric"][0].as_py(),
        n_items=n_items,
        runs={source: _runs(same, source, seeds) for source, seeds in latest.items()},
        failed=len(tried - scored),
        other_items=measured.num_rows - same.num_rows,
        cell_ids=tuple(sorted(same["cell_id"].to_pylist())),
    )


def _of_column(cells: pa.Table, target: str, composition: str, selection: str) -> pa.Table:
    rows = cells.filter(pc.equal(cells["target"], target))
    baseline = pc.and_(pc.equal(rows["composition"], BASELINE), pc.is_null(rows["source"]))
    ours = pc.and_(pc.equal(rows["composition"], composition), pc.equal(rows["selection"], selection))
    if pc.any(pc.and_(baseline, pc.equal(rows["selection"], selection))).as_py():
        # A constant answer has no weights to select: any baseline serves where the selection has none of its own.
        baseline = pc.and_(baseline, pc.equal(rows["selection"], selection))
    return rows.filter(pc.or_(ours, baseline))


def _latest(rows: pa.Table) -> dict[Key, dict[int, int]]:
    """Source -> seed -> row of its latest measurement, sources and seeds in order, the baseline last."""
    found: dict[Key, dict[int, int]] = {}
    for index in pc.sort_indices(rows, sort_keys=[("source", "ascending"), ("created_at", "ascending")]).to_pylist():
        found.setdefault(rows["source"][index].as_py(), {})[rows["seed"][index].as_py()] = index
    return {source: dict(sorted(seeds.items())) for source, seeds in found.items()}


def _runs(rows: pa.Table, source: Key, seeds: dict[int, int]) -> Runs:
    where = list(seeds.values())
    return Runs(
        source=source,
        seeds=tuple(seeds),
        scores=np.array([rows["score"][index].as_py() for index in where], dtype=np.float64),
        correct=_outcomes(rows["correct"], where),
        total=_outcomes(rows["total"], where),
    )


def _outcomes(lists: pa.ChunkedArray, where: list[int]) -> Floats | None:
    values = [lists[index].values for index in where]
    if any(value is None for value in values):
        return None
    return np.stack([value.to_numpy(zero_copy_only=False).astype(np.float64) for value in values])
