"""The store: every cell ever measured, in one Delta Lake table that jobs append to at the same time.

Each append is one commit and one version; a reader sees whole commits only, and every earlier version stays readable.
"""

from __future__ import annotations

import contextlib
import hashlib
import uuid
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import CommitProperties, DeltaTable, WriterProperties, write_deltalake
from deltalake.exceptions import CommitFailedError

from matrices.cells import SCHEMA, SCHEMA_VERSION, Cell, to_table
from matrices.delta import (
    CONFIGURATION,
    VERSION_KEY,
    arrow_schema,
    cell_rows,
    create_table,
    equal,
    files_of,
    open_table,
    refuse_escapes,
    scan,
    storage_options,
)
from matrices.encoders import pretrained_on, read_pretrained, write_pretrained
from matrices.items import Items, ItemsByMatrix, read_items, write_items
from matrices.reading import (
    KEY_COLUMNS,
    SUMMARY_COLUMNS,
    MatrixInfo,
    Spreads,
    UnknownMatrixError,
    current,
    in_order,
    summaries,
)
from matrices.side_tables import StatedSpread, read_spreads, write_spreads
from matrices.store_errors import (
    FAULTS,
    StoreMissingError,
    StoreTooNewError,
    StoreUnreadableError,
    StoreUnwritableError,
)
from matrices.upgrade import is_current, upgraded

__all__ = ["Store", "StoreMissingError", "StoreTooNewError", "StoreUnreadableError", "StoreUnwritableError"]

_ZSTD = WriterProperties(
    compression="ZSTD",
    compression_level=6,
    max_row_group_size=4096,  # A target's cells lie together, so a reader of one target skips the rest.
)
_JOINED_BYTES = 16 * 2**20
"""Size up to which files are joined. A file is written anew until it has it, and the old ones are kept."""
_MOST_SMALL = 64
"""Small files from which on a matrix is crowded: each takes a reader milliseconds, however little is in it."""
_RETRIES = 1000
"""Appends contradict nothing: whoever loses the race for a version takes the next. 15 tries, the default, are few."""
_ATTEMPTS = 4
"""Appends that lose to an upgrade begin again; more than one upgrade in a row is a rare race among upgrades."""
_APPEND_KEY = "sprachbund.append"
"""In a commit's metadata: which append it is, so that one told as failed can be found to have arrived."""


class Store:
    """A Delta table of cells at a folder, ``s3://`` or ``gs://`` (credentials from ``AWS_*``, ``GOOGLE_*`` variables).

    Partitioned by matrix, so that one matrix is read, and compacted, without the others. Safe to use from any number of
    threads and processes at once, but for ``compact``: it keeps no state but its address.
    """

    def __init__(self, uri: str | Path) -> None:
        """Raises ``StoreMissingError`` where there is none, ``StoreTooNewError`` and ``StoreUnreadableError``."""
        self.uri = str(uri)
        refuse_escapes(self.uri)
        self._options = storage_options()
        self._open()

    @classmethod
    def open(cls, uri: str | Path, *, create: bool = False) -> Store:
        """The store at ``uri``; with ``create`` to write to: made first where there is none, else upgraded."""
        try:
            store = cls(uri)
        except StoreMissingError:
            if not create:
                raise
        else:
            if create:
                store.upgrade()
            return store
        try:
            create_table(str(uri))
        except FAULTS as error:
            # Of two jobs that start at the same moment one makes the table, and the other finds it made.
            with contextlib.suppress(StoreMissingError):
                return cls(uri)
            raise StoreUnwritableError(str(uri), error) from error
        return cls(uri)

    @property
    def version(self) -> int:
        """The newest version: it grows by one with every commit."""
        return self._open().version()

    @property
    def provenance(self) -> None:
        """Unknown: a store keeps cells of any corpora."""
        return None

    def append(self, cells: Sequence[Cell]) -> int:
        """Adds cells in one commit, all or none, and returns its version; no cells make no commit.

        Raises ``StoreUnwritableError`` where none were added.
        """
        if not cells:
            return self.version
        rows = to_table(cells)
        for attempt in range(_ATTEMPTS):
            self.upgrade()
            table, this = self._open(), uuid.uuid4().hex
            commit = CommitProperties(max_commit_retries=_RETRIES, custom_metadata={_APPEND_KEY: this})
            try:
                write_deltalake(table, rows, mode="append", writer_properties=_ZSTD, commit_properties=commit)
            except FAULTS as error:
                if (arrived := self._arrived(this)) is not None:
                    return arrived
                # An upgrade by another process writes all rows anew, and nothing that began before it can be added.
                if attempt + 1 == _ATTEMPTS or not isinstance(error, CommitFailedError):
                    raise StoreUnwritableError(self.uri, error) from error
            else:
                return table.version()
        raise AssertionError("the last attempt returns or raises")

    def upgrade(self) -> int | None:
        """Writes a store of an earlier schema anew in this one; the version of that, None for one that is in it.

        It has the same cells, and every earlier version stays readable. A job that still writes the earlier schema is
        refused from then on. Safe to be run by several at once, and to be stopped at any moment.
        """
        while not is_current(arrow_schema(table := self._open())):
            try:
                # The number first: whoever knows the earlier schema only must not find columns that it does not know.
                table.alter.set_table_properties({VERSION_KEY: str(SCHEMA_VERSION)}, raise_if_not_exists=False)
                table = self._open()
                write_deltalake(
                    table,
                    upgraded(scan(table, arrow_schema(table).names)),
                    mode="overwrite",
                    schema_mode="overwrite",
                    configuration=CONFIGURATION,
                    writer_properties=_ZSTD,
                    commit_properties=CommitProperties(max_commit_retries=0),
                )
            except CommitFailedError:
                continue  # Another one wrote meanwhile: perhaps cells, which are to be kept, perhaps the upgrade.
            except FAULTS as error:
                raise StoreUnwritableError(self.uri, error) from error
            return self.version
        return None

    def measured_ids(self, *, matrix: str | None = None, target: str | None = None) -> set[str]:
        """The ``cell_id`` of every cell that was measured: the work that is done. Failed cells are not among them.

        Of one matrix, or one target (ISO 639-3), where they are given; none of a matrix that is not there.
        """
        rows = cell_rows(self._open(), ["cell_id"], "status <> 'failed'", *equal(matrix=matrix, target=target))
        return set(rows["cell_id"].to_pylist())

    def marks(self, version: int | None = None) -> Mapping[str, str]:
        """A mark of every matrix at a version (default the newest): of equal marks, all cells are equal."""
        found: dict[str, list[str]] = {}
        for row in files_of(self._open(version)).select(["path", "partition.matrix"]).to_pylist():
            found.setdefault(row["partition.matrix"] or "", []).append(row["path"])
        return {
            matrix: hashlib.sha256("\n".join(sorted(paths)).encode()).hexdigest() for matrix, paths in found.items()
        }

    def batches(self, matrix: str, version: int) -> Iterator[pa.RecordBatch]:
        """A matrix's rows as they were appended, in no particular order, with whatever columns they have.

        What wrote them may have been something else: ``matrices.validation`` says which are cells. Raises as ``cells``.
        """
        table = self._open(version)
        condition = equal(matrix=matrix)[0] if matrix else "matrix is null or matrix = ''"
        try:
            yield from pa.RecordBatchReader.from_stream(table.scan(None, condition))
        except FAULTS as error:
            raise StoreUnreadableError(self.uri, error) from error

    def commits(self) -> list[Mapping[str, Any]]:
        """Every commit there is a record of, the newest first: ``version``, ``timestamp`` (ms), ``operation``."""
        try:
            return list(self._open().history())
        except FAULTS as error:
            raise StoreUnreadableError(self.uri, error) from error

    def matrices(self, version: int | None = None) -> list[MatrixInfo]:
        """Every matrix at a version (default the newest), sorted by name."""
        table = self._open(version)
        return summaries(current(cell_rows(table, SUMMARY_COLUMNS)), table.version())

    def cells(
        self,
        matrix: str,
        *,
        version: int | None = None,
        columns: Sequence[str] | None = None,
        source: str | None = None,
        target: str | None = None,
    ) -> pa.Table:
        """One row a place, sorted as a download is; ``source`` and ``target`` are ISO 639-3 codes.

        What was measured last wins, also over later failures; a later failure over an earlier. Raises
        ``UnknownMatrixError`` and ``UnknownVersionError``.
        """
        table = self._open(version)
        wanted = list(columns if columns is not None else SCHEMA.names)
        conditions = equal(matrix=matrix, source=source, target=target)
        rows = cell_rows(table, list(dict.fromkeys([*wanted, *KEY_COLUMNS])), *conditions)
        if not rows.num_rows:
            self._must_exist(table, matrix)
        return in_order(current(rows)).select(wanted)

    def items(self, matrix: str) -> Mapping[str, Items]:
        """What is known of the items of a matrix's targets, by target. Not versioned: that of now."""
        return read_items(self.uri, self._options, matrix).get(matrix, {})

    def keep_items(self, items: ItemsByMatrix) -> None:
        """Keep what the items of targets are; nothing is written that is there already."""
        write_items(self.uri, self._options, items)

    def pretrained(self, encoder: str) -> frozenset[str] | None:
        """What an encoder was pretrained on: as was said when the store was filled, else as known by its name."""
        return read_pretrained(self.uri, self._options).get(encoder) or pretrained_on(encoder)

    def keep_pretrained(self, encoder: str, languages: Collection[str]) -> None:
        """Keep the languages that an encoder of its cells was pretrained on."""
        write_pretrained(self.uri, self._options, encoder, languages)

    def spreads(self, matrix: str) -> Spreads:
        """What imported scores of a matrix were said to vary by, by source, target and seed. Not versioned."""
        return read_spreads(self.uri, self._options, matrix)

    def keep_spreads(self, matrix: str, spreads: Sequence[StatedSpread]) -> None:
        """Keep what imported scores are said to vary by; nothing is written that is there already."""
        write_spreads(self.uri, self._options, matrix, spreads)

    def crowded(self) -> list[str]:
        """The matrices that lie in so many small files that reading them takes long: ``compact`` them."""
        files = files_of(self._open())
        small = files.filter(pc.less(files["size_bytes"], _JOINED_BYTES // 2))  # Any two of them can be joined.
        counts = Counter(small["partition.matrix"].to_pylist())
        return sorted(matrix for matrix, count in counts.items() if count >= _MOST_SMALL)

    def compact(self, matrix: str | None = None) -> int | None:
        """Joins the small files of many appends, of one matrix or all; returns the version, None for nothing to join.

        That version has the same cells, and every earlier one stays readable. Nobody who reads or appends meanwhile
        notices. Not to be run by two processes at once: `deltalake` sees no conflict between two compactions, so the
        table would have the cells that both joined twice.
        """
        table = self._open()
        partitions = None if matrix is None else [("matrix", "=", matrix)]
        commit = CommitProperties(max_commit_retries=_RETRIES)
        try:
            done = table.optimize.compact(
                partitions, target_size=_JOINED_BYTES, writer_properties=_ZSTD, commit_properties=commit
            )
        except FAULTS as error:
            raise StoreUnwritableError(self.uri, error) from error
        return table.version() if done["numFilesRemoved"] else None

    def _arrived(self, this: str) -> int | None:
        """The version of an append that was told as failed, where its commit is there all the same."""
        with contextlib.suppress(StoreUnreadableError, *FAULTS):
            for commit in self._open().history(_RETRIES):
                if commit.get(_APPEND_KEY) == this:
                    return int(commit["version"])
        return None

    def _must_exist(self, table: DeltaTable, matrix: str) -> None:
        known = {partition["matrix"] for partition in table.partitions()}
        if matrix not in known:
            raise UnknownMatrixError(matrix, sorted(known))

    def _open(self, version: int | None = None) -> DeltaTable:
        return open_table(self.uri, self._options, version)
