"""Small Delta tables in a store's folder, for what cells do not say themselves.

A folder whose name begins with an underscore is no part of the cells' table, nor vacuumed with it. One of them,
``SPREADS``, has what stood after ± in published tables.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import CommitProperties, DeltaTable, write_deltalake
from deltalake.exceptions import TableNotFoundError

from matrices.cells import now
from matrices.store_errors import FAULTS, SideTableError

_PERSISTENT = CommitProperties(max_commit_retries=1000)


@dataclass(frozen=True, slots=True)
class SideTable:
    """One such table: its ``folder`` in that of the store, and its columns, ``created_at`` among them.

    ``options`` are the store's, as Delta takes them. Two jobs may write at once: rows twice do no harm.
    """

    folder: str
    schema: pa.Schema

    def rows(self, store: str, options: Mapping[str, str]) -> pa.Table:
        """All that was written, in order of time; no rows where nothing was. Raises ``SideTableError``."""
        place = f"{store}/{self.folder}"
        try:
            table = DeltaTable(place, storage_options=dict(options))
            return pa.table(table.scan(self.schema.names)).cast(self.schema).sort_by("created_at")
        except TableNotFoundError:
            return self.schema.empty_table()
        except FAULTS as error:
            raise SideTableError(place, "read", error) from error

    def append(self, store: str, options: Mapping[str, str], rows: Sequence[Mapping[str, object]]) -> None:
        """Adds rows in one commit; no rows make none. Raises ``SideTableError``."""
        if not rows:
            return
        place, table = f"{store}/{self.folder}", pa.Table.from_pylist(list(rows), schema=self.schema)
        try:
            self._write(place, options, table)
        except FAULTS:
            # Of two jobs that make the table at the same moment one fails, and finds it made.
            try:
                DeltaTable(place, storage_options=dict(options))
                self._write(place, options, table)
            except FAULTS as error:
                raise SideTableError(place, "written", error) from error

    def _write(self, place: str, options: Mapping[str, str], rows: pa.Table) -> None:
        write_deltalake(place, rows, mode="append", storage_options=dict(options), commit_properties=_PERSISTENT)


SPREADS = SideTable(
    "_spreads",
    pa.schema(
        [
            pa.field("matrix", pa.string(), nullable=False),
            pa.field("source", pa.string(), nullable=False),
            pa.field("target", pa.string(), nullable=False),
            pa.field("seed", pa.int32(), nullable=False),
            pa.field("spread", pa.float64(), nullable=False),
            pa.field("created_at", pa.timestamp("us", tz="UTC"), nullable=False),
        ]
    ),
)


@dataclass(frozen=True, slots=True)
class StatedSpread:
    """What a score of one pair and seed is said to vary by, in the unit of the score: a standard deviation or error."""

    source: str
    target: str
    seed: int
    spread: float


def read_spreads(store: str, options: Mapping[str, str], matrix: str) -> dict[tuple[str, str, int], float]:
    """The spreads of a matrix by source, target and seed; what was written last counts. None where none was stated."""
    rows = SPREADS.rows(store, options)
    rows = rows.filter(pc.equal(rows["matrix"], matrix))
    return {(row["source"], row["target"], row["seed"]): row["spread"] for row in rows.to_pylist()}


def write_spreads(store: str, options: Mapping[str, str], matrix: str, spreads: Sequence[StatedSpread]) -> None:
    """Keeps spreads of a matrix's scores in one commit, those that are not there already."""
    if not spreads:
        return
    there = read_spreads(store, options, matrix)
    new = [one for one in spreads if there.get((one.source, one.target, one.seed)) != one.spread]
    moment = now()
    SPREADS.append(
        store,
        options,
        [
            {
                "matrix": matrix,
                "source": one.source,
                "target": one.target,
                "seed": one.seed,
                "spread": one.spread,
                "created_at": moment,
            }
            for one in new
        ],
    )
