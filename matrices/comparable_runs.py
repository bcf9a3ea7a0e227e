"""Which runs of a matrix count: under one composition and selection, and on the items that they can be compared on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from matrices.cells import BASELINE
from matrices.nearest import there_is
from matrices.reading import compositions, selections
from matrices.selections import LAST, deployable


class MeasureError(ValueError):
    """What these cells cannot give. Says why, and what would."""


class NoScoresError(MeasureError, LookupError):
    """A matrix in which no source has a score on a target, under what was asked for."""


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


def no_scores(cells: pa.Table, composition: str | None, selection: str | None) -> NoScoresError:
    """Why nothing is left of these cells under what was asked for, and what there is instead."""
    matrix = cells["matrix"][0].as_py() if cells.num_rows else "the matrix"
    ok = cells.filter(pc.and_(pc.equal(cells["status"], "ok"), pc.is_valid(cells["source"])))
    if composition is not None and composition not in (known := compositions(ok)):
        return NoScoresError(f"{matrix} has no score of composition {composition!r}; {there_is(composition, known)}")
    if composition is not None:
        ok = ok.filter(pc.equal(ok["composition"], composition))
    if selection is not None and selection not in (known := selections(ok)):
        return NoScoresError(f"{matrix} has no score of selection {selection!r}; {there_is(selection, known)}")
    return NoScoresError(f"{matrix} has no cell with a score of a source")


def comparable_runs(rows: pa.Table, composition: str, selection: str) -> tuple[pa.Table, pa.Table, Mapping[str, int]]:
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


_ITEMS = ["target", "n_items", "data"]
"""What says which items a run was over: of which target, how many, and their digest where the cell has one."""


def _item_keys(rows: pa.Table) -> pa.Table:
    data = rows["data"] if "data" in rows.column_names else pa.nulls(rows.num_rows, pa.string())
    return pa.table({"target": rows["target"], "n_items": rows["n_items"], "data": pc.fill_null(data, "")})


def _are_over(rows: pa.Table, items: Mapping[str, tuple[int, str]]) -> pa.ChunkedArray:
    """Whether each row is over these items of its target."""
    keys = _item_keys(rows)
    at = pc.index_in(keys["target"], pa.array(items, pa.string()))
    sizes = pa.array([size for size, _ in items.values()], pa.int32())
    digests = pa.array([digest for _, digest in items.values()], pa.string())
    same = pc.and_(pc.equal(keys["n_items"], sizes.take(at)), pc.equal(keys["data"], digests.take(at)))
    return pc.fill_null(same, False)


def _usual_items(runs: pa.Table) -> dict[str, tuple[int, str]]:
    """The items that most runs on each target are over, as number and digest; of equally many runs the more items."""
    counts = _item_keys(runs).group_by(_ITEMS, use_threads=False).aggregate([([], "count_all")])
    usual: dict[str, tuple[int, tuple[int, str]]] = {}
    for target, size, digest, count in zip(*(column.to_pylist() for column in counts.columns), strict=True):
        usual[target] = max(usual.get(target, (0, (0, ""))), (count, (size, digest)))
    return {target: key for target, (_, key) in usual.items()}


def failures(rows: pa.Table, composition: str, selection: str) -> Mapping[str, int]:
    """How many (source, seed) pairs, by target, have a failure and no score."""
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
