"""A matrix as one file: Parquet, CSV or Arrow, sorted, the same bytes for the same version."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.feather
import pyarrow.parquet as pq

from matrices.cells import SCHEMA
from matrices.credit import credit, metadata
from matrices.reading import Reader
from matrices.snapshot import Snapshot
from matrices.whole_file import whole_file

ROW_GROUP = 4096
"""Rows a Parquet row group: a reader of one target's column skips the rest of a large matrix."""
_PARQUET: dict[str, Any] = {"compression": "zstd", "compression_level": 9}


class UnknownFormatError(ValueError):
    """A file name whose ending is none of those that can be written."""

    def __init__(self, out: Path) -> None:
        super().__init__(f"{out}: cannot write {out.suffix or 'a file without an ending'!r}; use {', '.join(WRITERS)}")


def export(reader: Reader, matrix: str, out: str | Path, version: int | None = None) -> Path:
    """Writes one version (default the newest) of a matrix to ``out``: ``.parquet``, ``.csv`` or ``.arrow``.

    Columns are those of ``matrices.cells.SCHEMA``, rows are sorted by task, target, source, selection, seed. CSV has
    lists as JSON text; the others have corpora, licences, encoder, citation and version in their metadata, under
    ``sprachbund`` (``matrices.credit.Credit``). The file appears whole or not at all. Raises ``UnknownFormatError``,
    ``UnknownMatrixError``, ``UnknownVersionError``.
    """
    out = Path(out)
    must_be_writable(out)
    about = metadata(credit(reader, matrix, version))
    if isinstance(reader, Snapshot) and out.suffix == ".parquet":
        # What is held may be more than fits in memory with its outcomes.
        with whole_file(out) as temporary:
            _write_parts(reader.parts(matrix, ROW_GROUP), SCHEMA.with_metadata(about), temporary)
        return out
    write_table(reader.cells(matrix, version=version).replace_schema_metadata(about), out)
    return out


def must_be_writable(out: Path) -> None:
    """Raises ``UnknownFormatError`` where a file's ending is none of ``WRITERS``: before the work, not after it."""
    if out.suffix not in WRITERS:
        raise UnknownFormatError(out)


def write_table(table: pa.Table, out: Path) -> None:
    """Writes a table as its file's ending says; it appears whole or not at all. Raises ``UnknownFormatError``."""
    must_be_writable(out)
    with whole_file(out) as temporary:
        WRITERS[out.suffix](table, temporary)


def write_parquet(table: pa.Table, path: Path) -> None:
    """One Parquet file: zstd, a dictionary for every column, fixed row groups."""
    pq.write_table(table, path, row_group_size=ROW_GROUP, **_PARQUET)


def _write_parts(parts: Iterable[pa.Table], schema: pa.Schema, path: Path) -> None:
    """As ``write_parquet``, of tables that are a row group each."""
    with pq.ParquetWriter(path, schema, **_PARQUET) as writer:
        for part in parts:
            writer.write_table(part.replace_schema_metadata(schema.metadata))


def as_text(table: pa.Table) -> pa.Table:
    """The table as CSV has it: lists as JSON text, moments as ISO 8601."""
    for at, field in enumerate(table.schema):
        if pa.types.is_list(field.type):
            texts = [None if value is None else json.dumps(value) for value in table[at].to_pylist()]
            table = table.set_column(at, field.name, pa.array(texts, pa.string()))
        elif pa.types.is_timestamp(field.type):
            table = table.set_column(at, field.name, pc.strftime(table[at], format="%Y-%m-%dT%H:%M:%SZ"))
    return table


def _write_csv(table: pa.Table, path: Path) -> None:
    pyarrow.csv.write_csv(as_text(table), path)


def _write_arrow(table: pa.Table, path: Path) -> None:
    pyarrow.feather.write_feather(table, path, compression="zstd")


WRITERS: dict[str, Callable[[pa.Table, Path], None]] = {
    ".parquet": write_parquet,
    ".csv": _write_csv,
    ".arrow": _write_arrow,
}
