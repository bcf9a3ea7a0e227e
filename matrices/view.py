"""One view of a matrix: its cells under one composition and selection, as arrays.

Measures, answers, predictions and pictures all start here, so that which cells count, and on which items they may be
compared, is decided once.

Notation: S sources, T targets, K seeds, N items of a target in G clusters (passages, where items come in passages).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from matrices.arrays import Bools, Floats, Indices, Singles, mean_over_seeds, places
from matrices.cells import BASELINE
from matrices.items import Items
from matrices.reading import compositions, selections, there_is
from matrices.selections import LAST, deployable

NARROW = (
    *("matrix", "encoder", "kind", "composition", "task", "metric", "source", "target", "selection", "seed"),
    *("score", "n_items", "status", "created_at", "data", "shots", "language_seed"),
)
"""The columns of cells that a view reads but for outcomes of items."""
COLUMNS = (*NARROW, "correct", "total")
"""The columns of cells that a view reads."""
_BY_ITEM = ("correct", "total")


class MeasureError(ValueError):
    """What these cells cannot give. Says why, and what would."""


class NoScoresError(MeasureError, LookupError):
    """A matrix in which no source has a score on a target, under what was asked for."""


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


ReadOutcomes = Callable[[str], ItemOutcomes | None]
"""The outcomes on a target; None where cells were kept without them."""


@dataclass(frozen=True, slots=True)
class AdapterVariance:
    """How far a change from the baseline moves when the source's language adapter is trained anew: a variance, pooled.

    It rests on so many degrees of ``freedom``, and was measured on ``pairs`` of ``sources`` sources.
    """

    variance: float
    freedom: float
    sources: int
    pairs: int


@dataclass(frozen=True, eq=False)
class MatrixView:
    """S sources on T targets with K seeds; languages in order of code.

    ``scores`` [S, T, K] and ``baseline`` [T, K] are in [0, 1], NaN where there is no score. A baseline that was
    measured once for all seeds (the constant answer of a ``zero_shot`` matrix) stands under each. All scores on a
    target are over the same ``n_items`` [T] items; ``other_items`` counts the runs, by target, that were over others
    and are left out. ``failed`` counts the (source, seed) pairs, by target, that have a failure and no score.
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
    n_items: Indices
    read_outcomes: ReadOutcomes
    items: Mapping[str, Items] = field(default_factory=dict)
    other_items: Mapping[str, int] = field(default_factory=dict)
    failed: Mapping[str, int] = field(default_factory=dict)
    language_runs: int = 0
    """How many training runs of a language adapter or a shift the seeds stand on; 0 where that is not known."""
    adapters: AdapterVariance | None = None
    """What other training runs of the language adapters would change; None where it was not measured."""

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
    def changes(self) -> Floats:
        """Mean differences from the baseline of the same seed [S, T], NaN where no seed has both."""
        return mean_over_seeds(self.scores - self.baseline)

    @property
    def values(self) -> Floats:
        """What the matrix is about [S, T]: changes where its kind is ``interference``, else mean scores."""
        return self.changes if self.kind == "interference" else self.means

    @property
    def of_one_run(self) -> bool:
        """Whether nothing tells of other training runs of the language adapters, or of other seeds at all."""
        of_one = self.composition != "alone" and self.language_runs < 2 and self.adapters is None
        return len(self.seeds) == 1 or of_one

    @cached_property
    def own(self) -> tuple[Indices, Indices]:
        """Places (sources' indices, targets' indices) of the languages that are both: the in-language cells."""
        at = places(self.targets)
        both = [(row, at[code]) for row, code in enumerate(self.sources) if code in at]
        rows, columns = np.array(both, dtype=np.int64).reshape(-1, 2).T
        return rows, columns

    @cached_property
    def _read(self) -> dict[str, ItemOutcomes | None]:
        return {}

    def outcomes(self, target: str) -> ItemOutcomes | None:
        """The outcomes of every item on a target, read once; None where cells were kept without them."""
        if target not in self._read:
            self._read[target] = self.read_outcomes(target)
        return self._read[target]

    @cached_property
    def has_outcomes(self) -> bool:
        """Whether every run on every target has the outcomes of its items."""
        return all(self.outcomes(target) is not None for target in self.targets)

    def by_item(self) -> tuple[ItemOutcomes, ...]:
        """The outcomes on all targets, in their order. Raises ``MeasureError`` where some were not kept."""
        found = tuple(one for target in self.targets if (one := self.outcomes(target)) is not None)
        if len(found) < len(self.targets):
            raise MeasureError(
                f"{self.matrix} keeps scores but not the outcomes of items, which this measure compares; "
                "measure it into a store of your own with `sprachbund fill`"
            )
        return found

    def clusters(self, target: str) -> Indices:
        """The cluster of each item of a target [N], numbered from 0: its passage, or the item itself.

        Of a single passage no other is there to differ from: what is said then is of its sentences, not of other
        passages. Raises ``MeasureError`` where the items named are not those scored.
        """
        size, items = int(self.n_items[self.targets.index(target)]), self.items.get(target)
        if items is None:
            return np.arange(size)
        if len(items.ids) != size:
            raise MeasureError(f"{target}: {size} items were scored, and {len(items.ids)} are named")
        if items.passages is None or len(set(items.passages)) == 1:
            return np.arange(size)
        return np.unique(items.passages, return_inverse=True)[1].astype(np.int64)

    def in_order(self, sources: Sequence[str], targets: Sequence[str]) -> MatrixView:
        """The same view with its languages, or some of them, in this order; without outcomes, which have an order."""
        rows, columns = ([axis.index(code) for code in codes] for axis, codes in self._axes(sources, targets))
        return replace(
            self,
            sources=tuple(sources),
            targets=tuple(targets),
            scores=self.scores[np.ix_(rows, columns)],
            baseline=self.baseline[columns],
            n_items=self.n_items[columns],
            read_outcomes=lambda target: None,
        )

    def _axes(self, sources: Sequence[str], targets: Sequence[str]) -> list[tuple[tuple[str, ...], Sequence[str]]]:
        return [(self.sources, sources), (self.targets, targets)]


def choose(
    cells: pa.Table, *, composition: str | None = None, selection: str | None = None, target: str | None = None
) -> tuple[str, str]:
    """The composition and selection to look at, where none is named.

    The first that there is of ``stack``, ``alone`` and the others by name, and of ``last`` and the others by name; of
    those that a ``target`` has scores of, where it has any. Never one that saw labels of its targets: that is looked
    at where it is named.
    """
    kept = pc.and_(pc.equal(cells["status"], "ok"), pc.is_valid(cells["source"]))
    if target is not None and pc.any(of_target := pc.and_(kept, pc.equal(cells["target"], target))).as_py():
        kept = of_target
    scored = cells.select(["composition", "selection"]).filter(kept)
    composition = composition or next(iter(compositions(scored)), "stack")
    of_it = scored.filter(pc.equal(scored["composition"], composition))
    return composition, selection or next(iter(deployable(selections(of_it))), LAST)


def view(
    cells: pa.Table,
    *,
    composition: str | None = None,
    selection: str | None = None,
    items: Mapping[str, Items] | None = None,
    read: Callable[[str], pa.Table] | None = None,
) -> MatrixView:
    """The view of one matrix's cells, one row a place.

    ``cells`` have ``COLUMNS``, or ``NARROW`` where ``read`` gives the cells of a target with all ``COLUMNS`` when its
    outcomes are asked for. ``composition`` and ``selection`` default as ``choose`` says. ``items`` are what is known of
    the targets' items. Runs on a target over other items than most runs on it had are left out: they cannot be paired.
    Raises ``NoScoresError`` where no source has a score.
    """
    chosen = choose(cells, composition=composition, selection=selection)
    has_lists = set(_BY_ITEM) <= set(cells.column_names)
    rows = cells.drop_columns(list(_BY_ITEM)) if has_lists else cells
    runs, baselines, left_out = _select(rows, *chosen)
    if not runs.num_rows:
        raise _nothing(rows, composition, selection)
    if read is None and has_lists:
        read = _Rows(cells)
    sources, targets, seeds = (
        tuple(sorted(pc.unique(runs[name]).to_pylist())) for name in ("source", "target", "seed")
    )
    axes = _Axes(sources, targets, seeds, constant=runs["kind"][0].as_py() == "zero_shot")
    return MatrixView(
        **{name: runs[name][0].as_py() for name in ("matrix", "encoder", "kind", "task", "metric")},
        composition=chosen[0],
        selection=chosen[1],
        sources=sources,
        targets=targets,
        seeds=seeds,
        scores=axes.scores(runs),
        baseline=axes.baseline(baselines),
        n_items=axes.items(runs),
        read_outcomes=_reading(axes, chosen, read),
        items=items or {},
        other_items=left_out,
        language_runs=len(pc.unique(runs["language_seed"].drop_null())),
        failed=_failures(rows, *chosen),
    )


def _nothing(cells: pa.Table, composition: str | None, selection: str | None) -> NoScoresError:
    matrix = cells["matrix"][0].as_py() if cells.num_rows else "the matrix"
    ok = cells.filter(pc.and_(pc.equal(cells["status"], "ok"), pc.is_valid(cells["source"])))
    if composition is not None and composition not in (known := compositions(ok)):
        return NoScoresError(f"{matrix} has no score of composition {composition!r}; {there_is(composition, known)}")
    if composition is not None:
        ok = ok.filter(pc.equal(ok["composition"], composition))
    if selection is not None and selection not in (known := selections(ok)):
        return NoScoresError(f"{matrix} has no score of selection {selection!r}; {there_is(selection, known)}")
    return NoScoresError(f"{matrix} has no cell with a score of a source")


def _select(rows: pa.Table, composition: str, selection: str) -> tuple[pa.Table, pa.Table, Mapping[str, int]]:
    """The runs that count, the baselines on their items, and how many runs a target were on other items.

    In order of time: of a pair measured twice with one seed (under two recipes, say) the later counts.
    """
    ok = rows.filter(pc.equal(rows["status"], "ok"))
    if "shots" in ok.column_names and ok.num_rows:
        # What was learned from labelled target items is another quantity.
        ok = ok.filter(pc.equal(ok["shots"], pc.min(ok["shots"])))
    ok = ok.take(pc.sort_indices(ok, sort_keys=[("created_at", "ascending")]))
    is_run = pc.and_(pc.equal(ok["composition"], composition), pc.equal(ok["selection"], selection))
    runs = ok.filter(pc.and_(is_run, pc.is_valid(ok["source"])))
    usual = _usual_items(runs)
    kept = _are_over(runs, usual)
    left_out = Counter(runs["target"].filter(pc.invert(kept)).to_pylist())
    baselines = ok.filter(pc.and_(pc.equal(ok["composition"], BASELINE), pc.is_null(ok["source"])))
    selected = baselines.filter(pc.equal(baselines["selection"], selection))
    # A constant answer has no weights to select: any serves where the selection has none of its own.
    baselines = selected if selected.num_rows else baselines
    return runs.filter(kept), baselines.filter(_are_over(baselines, usual)), left_out


ItemKey = tuple[int, str]
"""How many items a run was over, and their digest where the cell has one."""


def _item_keys(rows: pa.Table) -> list[ItemKey]:
    sizes = rows["n_items"].to_pylist()
    data = rows["data"].to_pylist() if "data" in rows.column_names else [None] * len(sizes)
    return [(size, digest or "") for size, digest in zip(sizes, data, strict=True)]


def _are_over(rows: pa.Table, items: Mapping[str, ItemKey]) -> pa.Array:
    """Whether each row is over these items of its target."""
    pairs = zip(rows["target"].to_pylist(), _item_keys(rows), strict=True)
    return pa.array([items.get(target) == key for target, key in pairs], pa.bool_())


def _usual_items(runs: pa.Table) -> dict[str, ItemKey]:
    """The items that most runs on each target are over; of equally many runs the more items."""
    counts = Counter(zip(runs["target"].to_pylist(), _item_keys(runs), strict=True))
    usual: dict[str, tuple[int, ItemKey]] = {}
    for (target, key), count in counts.items():
        usual[target] = max(usual.get(target, (0, (0, ""))), (count, key))
    return {target: key for target, (_, key) in usual.items()}


def _failures(rows: pa.Table, composition: str, selection: str) -> Mapping[str, int]:
    ours = pc.or_(
        pc.and_(pc.equal(rows["composition"], composition), pc.equal(rows["selection"], selection)),
        pc.and_(pc.equal(rows["composition"], BASELINE), pc.is_null(rows["source"])),
    )
    failed = _runs_in(rows, pc.and_(ours, pc.not_equal(rows["status"], "ok")))
    if not failed:
        return {}
    return Counter(target for target, *_ in failed - _runs_in(rows, pc.and_(ours, pc.equal(rows["status"], "ok"))))


def _runs_in(rows: pa.Table, kept: pa.ChunkedArray) -> set[tuple[str, str | None, int]]:
    found = rows.filter(kept)
    return set(zip(*(found[name].to_pylist() for name in ("target", "source", "seed")), strict=True))


@dataclass(frozen=True)
class _Rows:
    """The cells of a target, from those of the whole matrix."""

    cells: pa.Table

    def __call__(self, target: str) -> pa.Table:
        return self.cells.filter(pc.equal(self.cells["target"], target))


def _reading(axes: _Axes, chosen: tuple[str, str], read: Callable[[str], pa.Table] | None) -> ReadOutcomes:
    def outcomes(target: str) -> ItemOutcomes | None:
        if read is None:
            return None
        runs, baselines, _ = _select(read(target), *chosen)
        return axes.outcomes(target, runs, baselines)

    return outcomes


class _Axes:
    """Places of rows in the arrays."""

    def __init__(self, sources: Sequence[str], targets: Sequence[str], seeds: Sequence[int], *, constant: bool) -> None:
        self._sources, self._targets, self._seeds = (
            {value: at for at, value in enumerate(axis)} for axis in (sources, targets, seeds)
        )
        self._constant = constant

    def scores(self, runs: pa.Table) -> Floats:
        scores = np.full((len(self._sources), len(self._targets), len(self._seeds)), np.nan)
        scores[self._rows(runs), self._columns(runs), self._seed_places(runs)] = runs["score"].to_numpy()
        return scores

    def baseline(self, rows: pa.Table) -> Floats:
        scores = np.full((len(self._targets), len(self._seeds)), np.nan)
        found = list(zip(*(rows[name].to_pylist() for name in ("target", "seed", "score")), strict=True))
        measured: defaultdict[str, list[int]] = defaultdict(list)
        for target, seed, _ in found:
            measured[target].append(seed)
        for target, seed, score in found:
            scores[self._targets[target], self._seeds_of(seed, measured[target])] = score
        return scores

    def items(self, runs: pa.Table) -> Indices:
        items = np.zeros(len(self._targets), dtype=np.int64)
        items[self._columns(runs)] = runs["n_items"].to_numpy()
        return items

    def outcomes(self, target: str, runs: pa.Table, baselines: pa.Table) -> ItemOutcomes | None:
        if not runs.num_rows or any(runs[name].null_count for name in _BY_ITEM):
            return None
        items = runs["n_items"][0].as_py()
        shape = (len(self._sources), len(self._seeds), items)
        correct, total = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        at = self._rows(runs), self._seed_places(runs)
        correct[at], total[at] = (_lists(runs[name], items) for name in _BY_ITEM)
        base_correct, base_total = (np.zeros((1, len(self._seeds), items), np.float32) for _ in range(2))
        if baselines.num_rows and not baselines["correct"].null_count:
            lists = [_lists(baselines[name], items) for name in _BY_ITEM]
            measured = baselines["seed"].to_pylist()
            for seed, *values in zip(measured, *lists, strict=True):
                at_seeds = self._seeds_of(seed, measured)
                base_correct[0, at_seeds], base_total[0, at_seeds] = values
        return ItemOutcomes(target, correct, _once(total, at), base_correct, base_total)

    def _seeds_of(self, seed: int, measured: Sequence[int]) -> list[int]:
        """Where a baseline of this seed stands; a constant also under seeds that are not ``measured`` on its target."""
        lacking = [at for other, at in self._seeds.items() if other not in measured] if self._constant else []
        return [*lacking, self._seeds[seed]] if seed in self._seeds else lacking

    def _rows(self, runs: pa.Table) -> list[int]:
        return [self._sources[code] for code in runs["source"].to_pylist()]

    def _columns(self, runs: pa.Table) -> list[int]:
        return [self._targets[code] for code in runs["target"].to_pylist()]

    def _seed_places(self, runs: pa.Table) -> list[int]:
        return [self._seeds[seed] for seed in runs["seed"].to_pylist()]


def _lists(column: pa.ChunkedArray, items: int) -> Singles:
    values: Singles = pc.list_flatten(column).to_numpy().astype(np.float32)
    return values.reshape(-1, items)


def _once(total: Singles, at: tuple[list[int], list[int]]) -> Singles:
    """The totals of every run as one [1, 1, N] where all measured runs have the same: most tasks' do."""
    measured = total[at]
    alike: Singles = measured[:1, None]
    # A view would keep the totals of all runs.
    return total if (measured != alike[0]).any() else alike.copy()


def about(found: MatrixView) -> dict[str, Any]:
    """What is said of every number of a view: its matrix, and what was chosen of it."""
    names = ("matrix", "encoder", "kind", "task", "metric", "composition", "selection")
    return {name: getattr(found, name) for name in names}
