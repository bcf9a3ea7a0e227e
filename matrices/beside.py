"""Small Delta tables in a store's folder, for what cells do not say themselves.

A folder whose name begins with an underscore is no part of the cells' table, nor vacuumed with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, write_deltalake
from deltalake.exceptions import DeltaError, TableNotFoundError

_PERSISTENT = CommitProperties(max_commit_retries=1000)


@dataclass(frozen=True, slots=True)
class Beside:
    """One such table: its ``folder`` in that of the store, and its columns, ``created_at`` among them.

    ``options`` are the store's, as Delta takes them. Two jobs may write at once: rows twice do no harm.
    """

    folder: str
    schema: pa.Schema

    def rows(self, store: str, options: Mapping[str, str]) -> pa.Table:
        """All that was written, in order of time; no rows where nothing was."""
        try:
            table = DeltaTable(f"{store}/{self.folder}", storage_options=dict(options))
        except TableNotFoundError:
            return self.schema.empty_table()
        return pa.table(table.scan(self.schema.names)).cast(self.schema).sort_by("created_at")

    def append(self, store: str, options: Mapping[str, str], rows: Sequence[Mapping[str, object]]) -> None:
        """Adds rows in one commit; no rows make none."""
        if not rows:
            return
        table = pa.Table.from_pylist(list(rows), schema=self.schema)
        try:
            self._write(store, options, table)
        except DeltaError:
            # Of two jobs that make the table at the same moment one fails, and finds it made.
            DeltaTable(f"{store}/{self.folder}", storage_options=dict(options))
            self._write(store, options, table)

    def _write(self, store: str, options: Mapping[str, str], rows: pa.Table) -> None:
        write_deltalake(
            f"{store}/{self.folder}", rows, mode="append", storage_options=dict(options), commit_properties=_PERSISTENT
        )
