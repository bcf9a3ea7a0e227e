"""Cells as arrays: scores by source, target and seed, and the outcomes of all runs on a target by item.

Notation: S sources, T targets, K seeds, N items of a target.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from matrices.arrays import Floats, Indices, Singles
from matrices.reading import Spreads

BY_ITEM = ("correct", "total")
"""The columns of cells that have a number an item."""


@dataclass(frozen=True, eq=False)
class ItemOutcomes:
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


class Axes:
    """The axes of a matrix's arrays: which language and seed stands where.

    ``constant``: a baseline was measured once for all seeds, and stands under each.
    """

    def __init__(self, sources: Sequence[str], targets: Sequence[str], seeds: Sequence[int], *, constant: bool) -> None:
        self._sources, self._targets = pa.array(sources, pa.string()), pa.array(targets, pa.string())
        self._seed_axis = pa.array(seeds, pa.int32())
        self._seeds = {seed: at for at, seed in enumerate(seeds)}
        self._constant = constant

    def scores(self, runs: pa.Table) -> Floats:
        """The scores of runs [S, T, K], NaN where there is none."""
        scores = np.full((len(self._sources), len(self._targets), len(self._seeds)), np.nan)
        scores[self._rows(runs), self._columns(runs), self._seed_places(runs)] = runs["score"].to_numpy()
        return scores

    def stated(self, scores: Floats, spreads: Spreads) -> Floats:
        """Standard errors of mean scores [S, T] from those of single runs, NaN where a run has none."""
        rows, columns = (
            {code: at for at, code in enumerate(axis.to_pylist())} for axis in (self._sources, self._targets)
        )
        errors = np.full(scores.shape, np.nan)
        for (source, target, seed), spread in spreads.items():
            if source in rows and target in columns and seed in self._seeds:
                errors[rows[source], columns[target], self._seeds[seed]] = spread
        known = np.isfinite(scores)
        squares = np.where(known, errors**2, 0.0).sum(axis=2)
        stated: Floats = np.sqrt(squares) / np.where(known.any(axis=2), known.sum(axis=2), np.nan)
        return stated

    def baseline(self, rows: pa.Table) -> Floats:
        """The scores of baselines [T, K], NaN where there is none."""
        scores = np.full((len(self._targets), len(self._seeds)), np.nan)
        columns = {target: at for at, target in enumerate(self._targets.to_pylist())}
        found = list(zip(*(rows[name].to_pylist() for name in ("target", "seed", "score")), strict=True))
        measured: defaultdict[str, list[int]] = defaultdict(list)
        for target, seed, _ in found:
            measured[target].append(seed)
        for target, seed, score in found:
            scores[columns[target], self._seeds_of(seed, measured[target])] = score
        return scores

    def items(self, runs: pa.Table) -> Indices:
        """How many items each target was scored on [T]."""
        items = np.zeros(len(self._targets), dtype=np.int64)
        items[self._columns(runs)] = runs["n_items"].to_numpy()
        return items

    def outcomes(self, target: str, runs: pa.Table, baselines: pa.Table) -> ItemOutcomes | None:
        """The outcomes of runs on one target; None where they were not kept."""
        if not runs.num_rows or any(runs[name].null_count for name in BY_ITEM):
            return None
        items = runs["n_items"][0].as_py()
        shape = (len(self._sources), len(self._seeds), items)
        correct, total = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        at = self._rows(runs), self._seed_places(runs)
        correct[at], total[at] = (_lists(runs[name], items) for name in BY_ITEM)
        base_correct, base_total = (np.zeros((1, len(self._seeds), items), np.float32) for _ in range(2))
        if baselines.num_rows and not baselines["correct"].null_count:
            lists = [_lists(baselines[name], items) for name in BY_ITEM]
            measured = baselines["seed"].to_pylist()
            for seed, *values in zip(measured, *lists, strict=True):
                at_seeds = self._seeds_of(seed, measured)
                base_correct[0, at_seeds], base_total[0, at_seeds] = values
        return ItemOutcomes(target, correct, _once(total, at), base_correct, base_total)

    def _seeds_of(self, seed: int, measured: Sequence[int]) -> list[int]:
        """Where a baseline of this seed stands; a constant also under seeds that are not ``measured`` on its target."""
        lacking = [at for other, at in self._seeds.items() if other not in measured] if self._constant else []
        return [*lacking, self._seeds[seed]] if seed in self._seeds else lacking

    def _rows(self, runs: pa.Table) -> Indices:
        return _places(runs["source"], self._sources)

    def _columns(self, runs: pa.Table) -> Indices:
        return _places(runs["target"], self._targets)

    def _seed_places(self, runs: pa.Table) -> Indices:
        return _places(runs["seed"], self._seed_axis)


def _places(values: pa.ChunkedArray, axis: pa.Array) -> Indices:
    """Where each value stands on an axis that has it."""
    found: Indices = pc.index_in(values, axis).to_numpy().astype(np.int64)
    return found


def _lists(column: pa.ChunkedArray, items: int) -> Singles:
    values: Singles = pc.list_flatten(column).to_numpy().astype(np.float32)
    return values.reshape(-1, items)


def _once(total: Singles, at: tuple[Indices, Indices]) -> Singles:
    """The totals of every run as one [1, 1, N] where all measured runs have the same: most tasks' do."""
    measured = total[at]
    alike: Singles = measured[:1, None]
    # A view would keep the totals of all runs.
    return total if (measured != alike[0]).any() else alike.copy()
