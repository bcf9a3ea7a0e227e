"""The Delta table that cells are kept in: made, opened at a version, and read, with what `deltalake` leaves open shut.

Faults are told as ``matrices.store_errors`` has them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable
from deltalake.exceptions import TableNotFoundError

from matrices.cells import SCHEMA, SCHEMA_VERSION
from matrices.reading import UnknownVersionError
from matrices.store_errors import FAULTS, StoreMissingError, StoreTooNewError, StoreUnreadableError, plainly
from matrices.upgrade import NEEDS, is_current, upgraded
from matrices.validation import MisshapenError, as_cells

VERSION_KEY = "sprachbund.schema_version"
CONFIGURATION = {
    VERSION_KEY: str(SCHEMA_VERSION),
    # A version is what a download cites: Delta would drop old log entries after 30 days.
    "delta.enableExpiredLogCleanup": "false",
    "delta.logRetentionDuration": "interval 36500 days",
    "delta.deletedFileRetentionDuration": "interval 36500 days",
}
_LAST = "_last_checkpoint"
_ESCAPED = re.compile(r"%[0-9A-Fa-f]{2}")


def storage_options() -> dict[str, str]:
    """Credentials and endpoints of buckets, from the ``AWS_*`` and ``GOOGLE_*`` variables."""
    return {name: value for name, value in os.environ.items() if name.startswith(("AWS_", "GOOGLE_"))}


def refuse_escapes(uri: str) -> None:
    """Raises ``StoreUnreadableError`` where a folder's path would be taken for another."""
    if "://" not in uri and _ESCAPED.search(uri):
        why = "its path has a % before two digits, which Delta Lake takes for another character; rename the folder"
        raise StoreUnreadableError(uri, why)


def create_table(uri: str) -> None:
    """An empty table of cells, partitioned by matrix; nothing where there is one. Raises one of ``FAULTS``."""
    DeltaTable.create(
        uri,
        schema=SCHEMA,
        mode="ignore",
        partition_by=["matrix"],
        configuration=CONFIGURATION,
        storage_options=storage_options(),
        # A retry after losing the race would create the table again, as version 1; losing is an error instead.
        commit_properties=CommitProperties(max_commit_retries=0),
        raise_if_key_not_exists=False,
    )


def open_table(uri: str, options: Mapping[str, str], version: int | None = None) -> DeltaTable:
    """The table at ``uri``, at a version (default the newest).

    Raises ``StoreMissingError``, ``StoreTooNewError``, ``StoreUnreadableError`` and ``UnknownVersionError``.
    """
    try:
        table = _newest(uri, options)
        _must_be_newest(uri, table)
        _refuse_newer(uri, table.metadata().configuration)
        if version is not None:
            _travel(table, version)
    except (StoreMissingError, StoreTooNewError, StoreUnreadableError, UnknownVersionError):
        raise
    except FAULTS as error:
        hint = "; remove _delta_log/_last_checkpoint, which is a hint alone" if _LAST in str(error) else ""
        raise StoreUnreadableError(uri, f"{plainly(error)}{hint}") from error
    return table


def files_of(table: DeltaTable) -> pa.Table:
    """The files of a table's rows, with their partitions and sizes."""
    try:
        return pa.table(table.get_add_actions(flatten=True))
    except FAULTS as error:
        raise StoreUnreadableError(table.table_uri, error) from error


def cell_rows(table: DeltaTable, columns: Sequence[str], *conditions: str) -> pa.Table:
    """Rows as they were appended that are cells and meet every condition (SQL), in no particular order."""
    schema = arrow_schema(table)
    if is_current(schema):
        rows = scan(table, columns, *conditions)
    else:
        there = dict.fromkeys(name if name in schema.names else NEEDS[name] for name in columns)
        rows = upgraded(scan(table, list(there), *conditions), list(columns))
    try:
        return as_cells(rows, columns)[0]
    except MisshapenError as error:
        raise StoreUnreadableError(table.table_uri, error) from error


def scan(table: DeltaTable, columns: Sequence[str], *conditions: str) -> pa.Table:
    """Rows as they stand in the table, of whatever schema it is."""
    # Delta's own engine: Arrow's reads through Python's threads, many times slower, and now and then aborts at exit.
    try:
        return pa.table(table.scan(list(columns), " AND ".join(conditions) or None))
    except FAULTS as error:
        raise StoreUnreadableError(table.table_uri, error) from error


def arrow_schema(table: DeltaTable) -> pa.Schema:
    """The columns of a table."""
    return pa.schema(table.schema())


def equal(**values: str | None) -> list[str]:
    """A condition (SQL) for each column that has a value."""
    return [f"{name} = '{value.replace(chr(39), 2 * chr(39))}'" for name, value in values.items() if value is not None]


def _newest(uri: str, options: Mapping[str, str]) -> DeltaTable:
    try:
        return DeltaTable(uri, storage_options=dict(options))
    except TableNotFoundError as error:
        if not _has_log(uri):
            raise StoreMissingError(uri) from error
    except FAULTS as error:
        if _LAST not in str(error):
            raise
        # The hint names a checkpoint that is none, and is no more than a hint: entry by entry from the first.
        table = DeltaTable(uri, version=0, storage_options=dict(options))
        table.update_incremental()
        return table
    # Its log is damaged, or another process made it between the look at the table and at the log: looking again tells.
    return DeltaTable(uri, storage_options=dict(options))


def _must_be_newest(uri: str, table: DeltaTable) -> None:
    """Delta takes an entry of its log that cannot be looked at for none: what came after it would seem lost."""
    if "://" in uri:
        return
    while _is_there(f"{_log(uri)}/{table.version() + 1:020}.json"):
        before = table.version()
        table.update_incremental()
        if table.version() == before:
            raise StoreUnreadableError(uri, f"entry {before + 1} of its log is there, and was not read")


def _log(uri: str) -> str:
    return f"{uri}/_delta_log"


def _has_log(uri: str) -> bool:
    """Whether there are entries of a log at a folder. Raises ``StoreUnreadableError`` where that cannot be seen."""
    try:
        return "://" not in uri and any(Path(_log(uri)).glob("*.json"))
    except OSError as error:
        raise StoreUnreadableError(uri, error) from error


def _is_there(path: str) -> bool:
    try:
        os.stat(path)
    except FileNotFoundError:
        return False
    return True


def _travel(table: DeltaTable, version: int) -> None:
    newest = table.version()
    if not 0 <= version <= newest:
        raise UnknownVersionError(version, newest)
    table.load_as_version(version)
    if table.version() != version:
        raise StoreUnreadableError(table.table_uri, f"of version {version} not every entry of its log was read")


def _refuse_newer(uri: str, configuration: Mapping[str, str]) -> None:
    written = configuration.get(VERSION_KEY)
    if written is None:
        raise StoreMissingError(uri)
    if int(written) > SCHEMA_VERSION:
        raise StoreTooNewError(uri, int(written))
