"""One view of a matrix: its cells under one composition and selection, as arrays.

Measures, answers, predictions and pictures all start here, so that which cells count, and on which items they may be
compared, is decided once.

Notation: S sources, T targets, K seeds, N items of a target in G clusters (passages, where items come in passages).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from matrices.arrays import Bools, Floats, Indices, mean_over_seeds, places
from matrices.comparable_runs import MeasureError, NoScoresError, choose, comparable_runs, failures, no_scores
from matrices.items import Items
from matrices.matrix_arrays import BY_ITEM, Axes, ItemOutcomes
from matrices.reading import Spreads

__all__ = [
    "COLUMNS",
    "NARROW",
    "AdapterVariance",
    "ItemOutcomes",
    "MatrixView",
    "MeasureError",
    "NoScoresError",
    "about",
    "choose",
    "view",
]

NARROW = (
    *("matrix", "encoder", "kind", "composition", "task", "metric", "source", "target", "selection", "seed"),
    *("score", "n_items", "status", "created_at", "data", "shots", "language_seed"),
)
"""The columns of cells that a view reads but for outcomes of items."""
COLUMNS = (*NARROW, *BY_ITEM)
"""The columns of cells that a view reads."""
_ROW = "row"
"""The number of a row among all cells."""

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
    stated: Floats | None = None
    """What a published mean score is said to vary by [S, T], a standard error; NaN where nothing is said."""
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

    def is_complete(self, target: str) -> bool:
        """Whether every source but the target itself has a score on it."""
        if target not in self.targets:
            return False
        measured = np.asarray(self.known[:, self.targets.index(target)].any(axis=1))
        return {self.sources[at] for at in np.flatnonzero(~measured)} <= {target}

    def without_outcomes_read(self) -> MatrixView:
        """The same view, to be let go of with the outcomes it will have read; what it has computed is shared."""
        again = copy(self)
        again.__dict__.pop("_read", None)
        return again

    def reading(self, read: Callable[[str], pa.Table]) -> MatrixView:
        """The same view, its outcomes from the cells of a target that ``read`` gives; nothing else is kept alive."""
        assert isinstance(self.read_outcomes, _Reading)
        again = self.without_outcomes_read()
        again.__dict__["read_outcomes"] = replace(self.read_outcomes, read=read)
        return again

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


def view(
    cells: pa.Table,
    *,
    composition: str | None = None,
    selection: str | None = None,
    items: Mapping[str, Items] | None = None,
    read: Callable[[str], pa.Table] | None = None,
    spreads: Spreads | None = None,
) -> MatrixView:
    """The view of one matrix's cells, one row a place.

    ``cells`` have ``COLUMNS``, or ``NARROW`` where ``read`` gives the cells of a target with all ``COLUMNS`` when its
    outcomes are asked for. ``composition`` and ``selection`` default as ``choose`` says. ``items`` are what is known of
    the targets' items, ``spreads`` what published scores are said to vary by. Runs on a target over other items
    than most runs on it had are left out: they cannot be paired.
    Raises ``NoScoresError`` where no source has a score.
    """
    chosen = choose(cells, composition=composition, selection=selection)
    has_lists = set(BY_ITEM) <= set(cells.column_names)
    rows = cells.drop_columns(list(BY_ITEM)) if has_lists else cells
    rows = rows.append_column(_ROW, pa.array(np.arange(rows.num_rows)))
    runs, baselines, left_out = comparable_runs(rows, *chosen)
    if not runs.num_rows:
        raise no_scores(rows, composition, selection)
    sources, targets, seeds = (
        tuple(sorted(pc.unique(runs[name]).to_pylist())) for name in ("source", "target", "seed")
    )
    axes = Axes(sources, targets, seeds, constant=runs["kind"][0].as_py() == "zero_shot")
    scores = axes.scores(runs)
    return MatrixView(
        **{name: runs[name][0].as_py() for name in ("matrix", "encoder", "kind", "task", "metric")},
        composition=chosen[0],
        selection=chosen[1],
        sources=sources,
        targets=targets,
        seeds=seeds,
        scores=scores,
        baseline=axes.baseline(baselines),
        n_items=axes.items(runs),
        read_outcomes=_Rows(axes, runs, baselines, cells.select(BY_ITEM))
        if read is None and has_lists
        else _Reading(axes, chosen, read),
        items=items or {},
        other_items=left_out,
        stated=axes.stated(scores, spreads) if spreads else None,
        language_runs=len(pc.unique(runs["language_seed"].drop_null())),
        failed=failures(rows, *chosen),
    )


@dataclass(frozen=True)
class _Rows:
    """Outcomes on a target, from the lists of all cells: of the runs and baselines that were selected of these."""

    axes: Axes
    runs: pa.Table
    baselines: pa.Table
    lists: pa.Table

    def __call__(self, target: str) -> ItemOutcomes | None:
        return self.axes.outcomes(target, *(self._of(rows, target) for rows in (self.runs, self.baselines)))

    def _of(self, rows: pa.Table, target: str) -> pa.Table:
        rows = rows.filter(pc.equal(rows["target"], target))
        lists = self.lists.take(rows[_ROW])
        for name in BY_ITEM:
            rows = rows.append_column(name, lists[name])
        return rows


@dataclass(frozen=True, eq=False)
class _Reading:
    """The outcomes on a target, from the cells that ``read`` gives."""

    axes: Axes
    chosen: tuple[str, str]
    read: Callable[[str], pa.Table] | None

    def __call__(self, target: str) -> ItemOutcomes | None:
        if self.read is None:
            return None
        runs, baselines, _ = comparable_runs(self.read(target), *self.chosen)
        return self.axes.outcomes(target, runs, baselines)


def about(found: MatrixView) -> dict[str, Any]:
    """What is said of every number of a view: its matrix, and what was chosen of it."""
    names = ("matrix", "encoder", "kind", "task", "metric", "composition", "selection")
    return {name: getattr(found, name) for name in names}
