"""What changed in a matrix between two versions of a store."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

_PLACE = ("composition", "source", "target", "selection", "seed")
_KEY = (*_PLACE, "shots")
_SAID = ("cell_id", "score", "status", "created_at")


@dataclass(frozen=True, slots=True)
class Changes:
    """Places of a matrix that have a cell in one version and not in the other, or another one.

    ``rows``: composition, source, target, selection, seed, ``change`` (``added``, ``changed``, ``removed``), and of
    before and after each the score and status; null where there was none. Sorted by place.
    """

    added: int
    changed: int
    removed: int
    rows: pa.Table


def changes(before: pa.Table, after: pa.Table) -> Changes:
    """Of the cells of one matrix, one row a place, at two versions."""
    left, right = (_keyed(cells) for cells in (before, after))
    both = left.join(right, "place", join_type="full outer", left_suffix="_before", right_suffix="_after")
    there, now = pc.is_valid(both["cell_id_before"]), pc.is_valid(both["cell_id_after"])
    other = pc.or_(
        pc.not_equal(both["cell_id_before"], both["cell_id_after"]),
        pc.not_equal(both["created_at_before"], both["created_at_after"]),
    )
    change = pc.if_else(
        pc.invert(there), "added", pc.if_else(pc.invert(now), "removed", pc.if_else(other, "changed", ""))
    )
    rows = pa.table(
        {
            **{name: pc.coalesce(both[f"{name}_after"], both[f"{name}_before"]) for name in _PLACE},
            "change": change,
            **{
                f"{name}_{when}": both[f"{name}_{when}"] for name in ("score", "status") for when in ("before", "after")
            },
        }
    )
    rows = rows.filter(pc.not_equal(rows["change"], "")).sort_by([(name, "ascending") for name in _PLACE])
    count = {what: pc.sum(pc.equal(rows["change"], what)).as_py() or 0 for what in ("added", "changed", "removed")}
    return Changes(count["added"], count["changed"], count["removed"], rows)


def _keyed(cells: pa.Table) -> pa.Table:
    """The cells with one column that says where each stands: a join takes a null source for no source at all."""
    parts = [pc.fill_null(cells[name].cast(pa.string()), "") for name in _KEY]
    return cells.select([*_PLACE, *_SAID]).append_column("place", pc.binary_join_element_wise(*parts, "\n"))
