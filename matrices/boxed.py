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
from matrices.credit import KEY
from matrices.export import whole_file, write_parquet
from matrices.held import Held
from matrices.reading import CorpusCredit, Provenance, Reader, current, in_order
from matrices.sound import MisshapenError, as_cells
from matrices.store import Store, StoreUnreadableError

CELLS, PROVENANCE = "measured.parquet", "measured.json"
MOST_BYTES = 5_000_000


class BoxError(ValueError):
    """A box that cannot be written or trusted: too large, or its cells not those its provenance was written for."""


class NoBoxError(LookupError):
    """No store named, and no matrices shipped with this installation."""

    def __init__(self) -> None:
        super().__init__("this installation has no matrices in the box; name a store with --store URI")


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


def read_box(folder: Traversable) -> Held | None:
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
    cells = pq.read_table(BytesIO(data), schema=SCHEMA)
    tables = {name: cells.filter(pc.equal(cells["matrix"], name)) for name in pc.unique(cells["matrix"]).to_pylist()}
    return Held(tables, about["version"], provenance)


@cache
def boxed() -> Held | None:
    """The box of this installation, read once; None where none was shipped."""
    return read_box(resources.files("matrices") / "data")


def held_file(path: Path) -> Held:
    """The matrices of an exported or downloaded Parquet file. Raises ``StoreUnreadableError``."""
    try:
        table = pq.read_table(path)
        cells, wrong = as_cells(table, SCHEMA.names)
    except (pa.ArrowException, MisshapenError, OSError) as error:
        raise StoreUnreadableError(str(path), error) from error
    credit = json.loads((table.schema.metadata or {}).get(KEY, b"{}"))
    tables = {name: cells.filter(pc.equal(cells["matrix"], name)) for name in pc.unique(cells["matrix"]).to_pylist()}
    tables = {name: in_order(current(rows)) for name, rows in tables.items()}
    notes = [f"{count} rows are left out: {what}" for what, count in sorted(wrong.items())]
    return Held(tables, int(credit.get("version", 0)), notes=notes)


def store_or_box(uri: str | Path | None) -> Reader:
    """The store at ``uri``, or a downloaded ``.parquet`` file; the matrices in the box where none is named.

    Raises ``StoreMissingError``, ``StoreTooNewError``, ``StoreUnreadableError`` and ``NoBoxError``.
    """
    if uri is not None:
        return held_file(Path(uri)) if str(uri).endswith(".parquet") and Path(uri).is_file() else Store(uri)
    box = boxed()
    if box is None:
        raise NoBoxError
    return box


def _without_lists(table: pa.Table) -> pa.Table:
    for name in ("correct", "total"):
        index = table.schema.get_field_index(name)
        table = table.set_column(index, SCHEMA.field(name), pa.nulls(table.num_rows, SCHEMA.field(name).type))
    return table
