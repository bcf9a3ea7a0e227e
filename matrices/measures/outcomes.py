"""One matrix under one composition and selection, as arrays: what every measure is computed from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from matrices.cells import BASELINE
from matrices.reading import compositions, selections, there_is

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Bools = NDArray[np.bool_]

COLUMNS = (
    *("matrix", "encoder", "kind", "composition", "task", "metric", "source", "target", "selection", "seed"),
    *("score", "n_items", "correct", "total", "status", "created_at"),
)
"""The columns of cells that ``read_outcomes`` reads."""
_BY_ITEM = ("correct", "total")


class MeasureError(ValueError):
    """A measure that these cells cannot give. Says why, and what would."""


@dataclass(frozen=True, eq=False)
class Column:
    """The outcomes of all runs on one target: S sources, K seeds, N items.

    ``correct`` [S, K, N] and ``total`` ([S, K, N], or [1, 1, N] where it is the same in every run) are as in a cell; 0
    where nothing was measured. ``baseline_correct`` and ``baseline_total`` [1, K, N] are the baseline's.
    """

    target: str
    correct: Singles
    total: Singles
    baseline_correct: Singles
    baseline_total: Singles

    @property
    def items(self) -> int:
        """N."""
        return int(self.correct.shape[2])


@dataclass(frozen=True, eq=False)
class Outcomes:
    """S sources on T targets with K seeds; languages in order of code.

    ``scores`` [S, T, K] and ``baseline`` [T, K] are in [0, 1], NaN where there is no score. A baseline that was
    measured once for all seeds (the constant answer of a ``zero_shot`` matrix) stands under each. ``n_items`` [T].
    """

    matrix: str
    encoder: str
    kind: str
    task: str
    metric: str
    composition: str
    selection: str
    sources: tuple[str, ...]
    targets: tuple[str, ...]
    seeds: tuple[int, ...]
    scores: Floats
    baseline: Floats
    n_items: NDArray[np.int64]
    columns: tuple[Column, ...] | None
    """Outcomes of every item by target, in the order of ``targets``; None where cells were kept without them."""

    @cached_property
    def known(self) -> Bools:
        """Which runs have a score [S, T, K]."""
        return np.isfinite(self.scores)

    @cached_property
    def means(self) -> Floats:
        """Mean scores over the seeds measured [S, T], NaN where none was."""
        return mean_over_seeds(self.scores)

    @cached_property
    def baseline_means(self) -> Floats:
        """Mean baseline over the seeds measured [T], NaN where none was."""
        return mean_over_seeds(self.baseline)

    @cached_property
    def own(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Places (sources' indices, targets' indices) of the languages that are both: the in-language cells."""
        at = {code: index for index, code in enumerate(self.targets)}
        both = [(row, at[code]) for row, code in enumerate(self.sources) if code in at]
        rows, columns = np.array(both, dtype=np.int64).reshape(-1, 2).T
        return rows, columns

    def by_item(self) -> tuple[Column, ...]:
        """The columns. Raises ``MeasureError`` where cells were kept without outcomes."""
        if self.columns is None:
            raise MeasureError(
                f"{self.matrix} keeps scores but not the outcomes of items, which this measure compares; "
                "measure it into a store of your own with `sprachbund fill`"
            )
        return self.columns


def mean_over_seeds(scores: Floats) -> Floats:
    """Means over the last axis of what is not NaN; NaN where nothing is."""
    known = np.isfinite(scores)
    count = known.sum(axis=-1)
    total = np.where(known, scores, 0).sum(axis=-1)
    means: Floats = np.divide(total, count, out=np.full(count.shape, np.nan), where=count > 0)
    return means


def read_outcomes(cells: pa.Table, *, composition: str | None = None, selection: str | None = None) -> Outcomes:
    """The outcomes of one matrix's cells (``COLUMNS``, one row a place).

    ``composition`` and ``selection`` default to the first of those there are (``matrices.reading``: ``stack``,
    ``last``). Runs on a target over other items than most runs on it had are left out: they cannot be paired. Raises
    ``MeasureError`` where no run has a score.
    """
    # Outcomes of items are nearly all there is of a large matrix: rows are chosen without them, to copy them once.
    rows = cells.drop_columns(list(_BY_ITEM)).append_column("row", pa.array(np.arange(cells.num_rows)))
    ok = rows.filter(pc.equal(rows["status"], "ok"))
    composition = _chosen("composition", composition, compositions(ok), cells)
    of_it = pc.equal(ok["composition"], composition)
    selection = _chosen("selection", selection, selections(ok.filter(of_it)), cells)
    runs = _same_items(ok.filter(pc.and_(of_it, pc.equal(ok["selection"], selection))))
    baselines = _baselines(ok, selection)
    sources, targets = (tuple(sorted(pc.unique(runs[name]).to_pylist())) for name in ("source", "target"))
    seeds = tuple(sorted(pc.unique(runs["seed"]).to_pylist()))
    grid = _Grid(sources, targets, seeds, constant=cells["kind"][0].as_py() == "zero_shot")
    return Outcomes(
        **{name: runs[name][0].as_py() for name in ("matrix", "encoder", "kind", "task", "metric")},
        composition=composition,
        selection=selection,
        sources=sources,
        targets=targets,
        seeds=seeds,
        scores=grid.scores(runs),
        baseline=grid.baseline(baselines),
        n_items=grid.items(runs),
        columns=grid.columns(runs, baselines, cells.select(_BY_ITEM)),
    )


def _chosen(name: str, wanted: str | None, found: Sequence[str], cells: pa.Table) -> str:
    matrix = cells["matrix"][0].as_py() if cells.num_rows else "the matrix"
    if not found:
        raise MeasureError(f"{matrix} has no cell with a score to measure by")
    if wanted is not None and wanted not in found:
        raise MeasureError(f"{matrix} has no score of {name} {wanted!r}; {there_is(wanted, found)}")
    return wanted or found[0]


def _same_items(runs: pa.Table) -> pa.Table:
    """The runs over as many items as most runs on their target had, the more items where two sizes are as frequent."""
    pairs = list(zip(runs["target"].to_pylist(), runs["n_items"].to_pylist(), strict=True))
    usual: dict[str, tuple[int, int]] = {}
    for (target, size), count in Counter(pairs).items():
        usual[target] = max(usual.get(target, (0, 0)), (count, size))
    return runs.filter(pa.array([usual[target][1] == size for target, size in pairs]))


def _baselines(ok: pa.Table, selection: str) -> pa.Table:
    rows = ok.filter(pc.and_(pc.equal(ok["composition"], BASELINE), pc.is_null(ok["source"])))
    selected = rows.filter(pc.equal(rows["selection"], selection))
    # A constant answer has no weights to select: any serves where the selection has none of its own.
    return selected if selected.num_rows else rows


class _Grid:
    """Places of rows in the arrays."""

    def __init__(self, sources: Sequence[str], targets: Sequence[str], seeds: Sequence[int], *, constant: bool) -> None:
        self._sources = {code: index for index, code in enumerate(sources)}
        self._targets = {code: index for index, code in enumerate(targets)}
        self._seeds = {seed: index for index, seed in enumerate(seeds)}
        self._constant = constant

    def scores(self, runs: pa.Table) -> Floats:
        scores = np.full((len(self._sources), len(self._targets), len(self._seeds)), np.nan)
        scores[self._rows(runs), self._columns(runs), self._seed_places(runs)] = runs["score"].to_numpy()
        return scores

    def baseline(self, rows: pa.Table) -> Floats:
        scores = np.full((len(self._targets), len(self._seeds)), np.nan)
        for target, seed, score in zip(*(rows[name].to_pylist() for name in ("target", "seed", "score")), strict=True):
            if target in self._targets:
                scores[self._targets[target], self._seeds_of(seed)] = score
        return scores

    def items(self, runs: pa.Table) -> NDArray[np.int64]:
        items = np.zeros(len(self._targets), dtype=np.int64)
        items[self._columns(runs)] = runs["n_items"].to_numpy()
        return items

    def columns(self, runs: pa.Table, baselines: pa.Table, by_item: pa.Table) -> tuple[Column, ...] | None:
        if any(pc.any(pc.is_null(by_item[name]).take(runs["row"])).as_py() for name in _BY_ITEM):
            return None
        return tuple(self._column(target, runs, baselines, by_item) for target in self._targets)

    def _column(self, target: str, runs: pa.Table, baselines: pa.Table, by_item: pa.Table) -> Column:
        ours = runs.filter(pc.equal(runs["target"], target))
        items = ours["n_items"][0].as_py()
        shape = (len(self._sources), len(self._seeds), items)
        correct, total = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        places = self._rows(ours), self._seed_places(ours)
        found = _those(by_item, ours)
        correct[places], total[places] = (_lists(found[name], items) for name in _BY_ITEM)
        below = baselines.filter(pc.and_(pc.equal(baselines["target"], target), pc.equal(baselines["n_items"], items)))
        base_correct, base_total = (np.zeros((1, len(self._seeds), items), np.float32) for _ in range(2))
        found = _those(by_item, below)
        if below.num_rows and not found["correct"].null_count:
            for at, seed in enumerate(below["seed"].to_pylist()):
                base_correct[0, self._seeds_of(seed)] = _lists(found["correct"].slice(at, 1), items)
                base_total[0, self._seeds_of(seed)] = _lists(found["total"].slice(at, 1), items)
        return Column(target, correct, _once(total, places), base_correct, base_total)

    def _seeds_of(self, seed: int) -> list[int]:
        if self._constant:
            return list(self._seeds.values())
        return [self._seeds[seed]] if seed in self._seeds else []

    def _rows(self, runs: pa.Table) -> list[int]:
        return [self._sources[code] for code in runs["source"].to_pylist()]

    def _columns(self, runs: pa.Table) -> list[int]:
        return [self._targets[code] for code in runs["target"].to_pylist()]

    def _seed_places(self, runs: pa.Table) -> list[int]:
        return [self._seeds[seed] for seed in runs["seed"].to_pylist()]


def _those(by_item: pa.Table, rows: pa.Table) -> pa.Table:
    """The outcomes of some rows, in their order, which is that of the cells."""
    kept = np.zeros(by_item.num_rows, np.bool_)
    kept[rows["row"].to_numpy()] = True
    return by_item.filter(pa.array(kept))


def _lists(column: pa.ChunkedArray, items: int) -> Singles:
    values: Singles = pc.list_flatten(column).to_numpy().astype(np.float32)
    return values.reshape(-1, items)


def _once(total: Singles, places: tuple[list[int], list[int]]) -> Singles:
    """The totals of every run as one [1, 1, N] where all measured runs have the same: most tasks' do."""
    measured = total[places]
    alike: Singles = measured[:1, None]
    # A view would keep the totals of all runs.
    return total if (measured != alike[0]).any() else alike.copy()
