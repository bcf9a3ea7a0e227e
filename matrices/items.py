"""Which items a matrix's targets were scored on: their ids, how they hang together, and the table they are kept in.

Cells keep outcomes by item and say nothing of the items. What those are is kept once a target, beside the cells.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from matrices.cells import now
from matrices.side_tables import SideTable

SCHEMA = pa.schema(
    [
        pa.field("matrix", pa.string(), nullable=False),
        pa.field("target", pa.string(), nullable=False),
        pa.field("parallel", pa.string()),
        pa.field("item_ids", pa.list_(pa.string()), nullable=False),
        pa.field("passages", pa.list_(pa.string())),
        pa.field("created_at", pa.timestamp("us", tz="UTC"), nullable=False),
    ]
)
ITEMS = SideTable("_items", SCHEMA)


@dataclass(frozen=True, slots=True)
class Items:
    """The items of one target, in the order of its cells' outcomes.

    ``parallel`` names the parallel corpus whose ids these are: equal ids on two targets of one such corpus are
    translations. ``passages`` has an entry an item where items come in passages, so that they are not independent.
    """

    ids: tuple[str, ...]
    parallel: str | None = None
    passages: tuple[str, ...] | None = None

    def first(self, most: int | None) -> Items:
        """The first ``most`` items, all where it is None."""
        return Items(self.ids[:most], self.parallel, None if self.passages is None else self.passages[:most])


Named = Mapping[str, Mapping[str, Items]]
"""The items of every target, by matrix and target."""


def read_items(store: str, options: Mapping[str, str], matrix: str | None = None) -> Named:
    """What is known of the items of a store's targets, of one matrix or all; the row written last counts.

    ``options`` are the store's, as Delta takes them. Empty where nothing is kept.
    """
    rows = ITEMS.rows(store, options)
    if matrix is not None:
        rows = rows.filter(pc.equal(rows["matrix"], matrix))
    return items_of(rows)


def items_of(rows: pa.Table) -> Named:
    """The items that rows of ``SCHEMA`` name; of a target named twice the last."""
    found: dict[str, dict[str, Items]] = {}
    for row in rows.to_pylist():
        found.setdefault(row["matrix"], {})[row["target"]] = _items(row)
    return found


def items_table(items: Named) -> pa.Table:
    """The items of targets as rows of ``SCHEMA``, in order of matrix and target."""
    moment = now()
    rows = [
        _row(matrix, target, named, moment)
        for matrix, targets in sorted(items.items())
        for target, named in sorted(targets.items())
    ]
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def write_items(store: str, options: Mapping[str, str], items: Named) -> None:
    """Keep items in one commit, those that are not there already."""
    there = read_items(store, options)
    moment = now()
    rows = [
        _row(matrix, target, named, moment)
        for matrix, targets in items.items()
        for target, named in targets.items()
        if there.get(matrix, {}).get(target) != named
    ]
    ITEMS.append(store, options, rows)


def _items(row: Mapping[str, list[str] | str | None]) -> Items:
    ids, parallel, passages = row["item_ids"], row["parallel"], row["passages"]
    assert isinstance(ids, list)
    assert parallel is None or isinstance(parallel, str)
    return Items(tuple(ids), parallel, tuple(passages) if isinstance(passages, list) else None)


def _row(matrix: str, target: str, items: Items, moment: datetime) -> dict[str, object]:
    return {
        "matrix": matrix,
        "target": target,
        "parallel": items.parallel,
        "item_ids": items.ids,
        "passages": items.passages,
        "created_at": moment,
    }
