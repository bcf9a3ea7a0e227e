"""Matrices in a file: one that was exported or downloaded, read back as it was written, baselines and all."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.feather
import pyarrow.parquet as pq

from matrices.cells import SCHEMA, SCHEMA_VERSION
from matrices.reading import current, in_order
from matrices.snapshot import Snapshot
from matrices.validation import MisshapenError, as_cells

_TELLING = frozenset({"matrix", "composition", "selection", "cell_id"})
"""Columns by which a CSV file is an export and no published table."""
_NEEDED = (
    "matrix",
    "kind",
    "task",
    "metric",
    "composition",
    "source",
    "target",
    "selection",
    "seed",
    "score",
    "status",
)
_BINARY: dict[str, Callable[[Path], pa.Table]] = {
    ".parquet": pq.read_table,
    ".arrow": pyarrow.feather.read_table,
    ".feather": pyarrow.feather.read_table,
}


class FileUnreadableError(ValueError):
    """A file that holds no cells that this release can read; the message says why, and what would do."""

    def __init__(self, path: Path, problem: str) -> None:
        self.path = path
        super().__init__(f"{path}: {problem}")


def holds_matrices(path: str | Path) -> bool:
    """Whether a path is that of a file of cells: Parquet or Arrow by its ending, CSV by the names of its columns."""
    path = Path(path)
    if not path.is_file():
        return False
    if path.suffix.casefold() in _BINARY:
        return True
    if path.suffix.casefold() != ".csv":
        return False
    with path.open(encoding="utf-8", errors="replace", newline="") as lines:
        try:
            header = next(csv.reader(lines), [])
        except csv.Error:
            return False
    return _TELLING.issubset(header)


def read_file(path: str | Path) -> Snapshot:
    """The matrices in an exported or downloaded file, to be asked like a store; their version is 0.

    Raises ``FileUnreadableError``.
    """
    cells = read_cells(path)
    names = pc.unique(cells["matrix"]).to_pylist()
    return Snapshot({name: cells.filter(pc.equal(cells["matrix"], name)) for name in names}, version=0)


def read_cells(path: str | Path) -> pa.Table:
    """The cells in a file, as a table of ``matrices.cells.SCHEMA``, one row a place. Raises ``FileUnreadableError``."""
    path = Path(path)
    try:
        table = _BINARY.get(path.suffix.casefold(), _read_csv)(path)
    except (pa.ArrowException, OSError) as error:
        problem = f"cannot be read as {path.suffix or 'a table'} ({error}); export or download it again"
        raise FileUnreadableError(path, problem) from error
    if missing := [name for name in _NEEDED if name not in table.column_names]:
        problem = f"it lacks {', '.join(missing)}, and is no exported matrix; for other tables see `sprachbund import`"
        raise FileUnreadableError(path, problem)
    newest = pc.max(table["schema_version"]).as_py() if "schema_version" in table.column_names else None
    if newest is not None and int(newest) > SCHEMA_VERSION:
        problem = f"written with schema version {newest}, this release reads up to {SCHEMA_VERSION}; upgrade sprachbund"
        raise FileUnreadableError(path, problem)
    try:
        rows = pa.table({field.name: _column(table, field) for field in SCHEMA})
        cells, wrong = as_cells(rows, SCHEMA.names)
    except (pa.ArrowException, MisshapenError, ValueError) as error:
        raise FileUnreadableError(path, f"a column has other values than an export ({error})") from error
    if wrong:
        said = "; ".join(f"{count} rows: {what}" for what, count in sorted(wrong.items()))
        raise FileUnreadableError(path, f"not every row can be a cell: {said}. Leave them out, or export it again")
    if not cells.num_rows:
        raise FileUnreadableError(path, "it holds no cell")
    return in_order(current(cells))


def _column(table: pa.Table, field: pa.Field) -> Any:
    if field.name not in table.column_names:
        if field.nullable:
            return pa.nulls(table.num_rows, field.type)
        return pa.array([_nothing(field)] * table.num_rows, field.type)
    values = table[field.name]
    if pa.types.is_string(values.type) and pa.types.is_list(field.type):
        return pa.array([json.loads(text) if text else None for text in values.to_pylist()], field.type)
    return values.cast(field.type)


def _nothing(field: pa.Field) -> Any:
    """What stands in a column that a file lacks and no row may."""
    if pa.types.is_timestamp(field.type):
        return datetime.fromtimestamp(0, UTC)
    return "not stated" if pa.types.is_string(field.type) else 0


def _read_csv(path: Path) -> pa.Table:
    options = pyarrow.csv.ConvertOptions(
        column_types={
            field.name: pa.string() if pa.types.is_list(field.type) else field.type
            for field in SCHEMA
            if not pa.types.is_timestamp(field.type)
        },
        strings_can_be_null=True,
    )
    return pyarrow.csv.read_csv(path, convert_options=options)
