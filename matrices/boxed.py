"""The matrices in the box: measured once on real languages, and shipped with the package as one small Parquet file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from io import BytesIO
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from matrices.cells import SCHEMA
from matrices.export import whole_file, write_parquet
from matrices.reading import (
    CorpusCredit,
    MatrixInfo,
    Provenance,
    Reader,
    UnknownMatrixError,
    UnknownVersionError,
    current,
    in_order,
    summaries,
)

CELLS, PROVENANCE = "measured.parquet", "measured.json"
MOST_BYTES = 5_000_000


class BoxError(ValueError):
    """A box that cannot be written or trusted: too large, or its cells not those its provenance was written for."""


class Box:
    """Matrices held in memory at one version. Reads like a store; per-item lists are null."""

    def __init__(self, cells: pa.Table, provenance: Provenance, version: int) -> None:
        self._cells, self._provenance, self._version = cells, provenance, version

    @property
    def provenance(self) -> Provenance:
        """What it was measured on."""
        return self._provenance

    @property
    def version(self) -> int:
        """The version of the store it was filled from."""
        return self._version

    def matrices(self, version: int | None = None) -> list[MatrixInfo]:
        """Every matrix, sorted by name. Raises ``UnknownVersionError`` for any version but its own."""
        self._must_be_ours(version)
        return summaries(self._cells, self._version)

    def cells(
        self,
        matrix: str,
        *,
        version: int | None = None,
        columns: Sequence[str] | None = None,
        source: str | None = None,
        target: str | None = None,
    ) -> pa.Table:
        """One row a cell, as ``Store.cells`` answers. Raises ``UnknownMatrixError`` and ``UnknownVersionError``."""
        self._must_be_ours(version)
        rows = self._cells.filter(pc.equal(self._cells["matrix"], matrix))
        if not rows.num_rows:
            raise UnknownMatrixError(matrix, sorted(pc.unique(self._cells["matrix"]).to_pylist()))
        for name, code in (("source", source), ("target", target)):
            if code is not None:
                rows = rows.filter(pc.equal(rows[name], code))
        return rows.select(list(columns)) if columns is not None else rows

    def _must_be_ours(self, version: int | None) -> None:
        if version is not None and version != self._version:
            raise UnknownVersionError(version, self._version, oldest=self._version)


def write_box(readers: Sequence[Reader], provenance: Provenance, folder: str | Path) -> Path:
    """Writes the newest version of every matrix of ``readers`` as a box into ``folder``, and returns the Parquet file.

    Per-item lists are dropped, ``n_items`` stays. Raises ``BoxError`` when the file would pass 5 MB.
    """
    folder = Path(folder)
    tables = [reader.cells(info.matrix) for reader in readers for info in reader.matrices()]
    cells = in_order(current(pa.concat_tables([_without_lists(table) for table in tables])))
    with whole_file(folder / CELLS) as temporary:
        write_parquet(cells, temporary)
        data = temporary.read_bytes()
        if len(data) > MOST_BYTES:
            raise BoxError(f"{len(data)} bytes of cells; a box holds {MOST_BYTES}: leave out a matrix")
    version = max(reader.version for reader in readers)
    about = {**asdict(provenance), "version": version, "sha256": hashlib.sha256(data).hexdigest()}
    with whole_file(folder / PROVENANCE) as temporary:
        temporary.write_text(json.dumps(about, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return folder / CELLS


def read_box(folder: Traversable) -> Box | None:
    """The box in a folder, None where there is none. Raises ``BoxError`` when cells and provenance do not match."""
    if not (folder / CELLS).is_file() or not (folder / PROVENANCE).is_file():
        return None
    data = (folder / CELLS).read_bytes()
    about = json.loads((folder / PROVENANCE).read_text(encoding="utf-8"))
    if hashlib.sha256(data).hexdigest() != about["sha256"]:
        raise BoxError(
            f"{folder / CELLS} is not the file {PROVENANCE} speaks of; install sprachbund anew, or use --store"
        )
    provenance = Provenance(
        encoder=about["encoder"],
        corpora=tuple(CorpusCredit(**credit) for credit in about["corpora"]),
        seeds=tuple(about["seeds"]),
        versions=about["versions"],
        date=about["date"],
        command=about["command"],
    )
    return Box(pq.read_table(BytesIO(data), schema=SCHEMA), provenance, about["version"])


@cache
def boxed() -> Box | None:
    """The box of this installation, read once; None where none was shipped."""
    return read_box(resources.files("matrices") / "data")


def _without_lists(table: pa.Table) -> pa.Table:
    for name in ("correct", "total"):
        index = table.schema.get_field_index(name)
        table = table.set_column(index, SCHEMA.field(name), pa.nulls(table.num_rows, SCHEMA.field(name).type))
    return table
