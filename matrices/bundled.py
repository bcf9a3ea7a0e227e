"""The matrices in the box: measured once on real languages, and shipped with the package as small Parquet files.

They keep the outcome of every item and what the items are, so that what is said of them is as sure as of a store. In
one sorted file, runs on a target next to each other, outcomes take about a byte for three: the totals of a target are
written once, and what is right differs little between runs.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from functools import cache, partial
from importlib import resources
from importlib.resources.abc import Traversable
from io import BytesIO
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from matrices.export import write_parquet
from matrices.files import read_file
from matrices.items import SCHEMA as ITEMS_SCHEMA
from matrices.items import items_of, items_table
from matrices.reading import CorpusCredit, Provenance, Reader, current, in_order
from matrices.snapshot import BRIEF, MatrixSnapshot, Snapshot
from matrices.spilled_outcomes import OutcomesLater, SpilledOutcomes, in_memory
from matrices.store import Store
from matrices.upgrade import upgraded
from matrices.validation import LISTS
from matrices.whole_file import whole_file

CELLS, ITEMS, PROVENANCE = "measured.parquet", "measured-items.parquet", "measured.json"
MOST_BYTES = 12_000_000


class BoxError(ValueError):
    """A box that cannot be written or trusted: too large, or its cells not those its provenance was written for."""


class NoBoxError(LookupError):
    """No store named, and no matrices shipped with this installation."""

    def __init__(self) -> None:
        super().__init__("this installation has no matrices in the box; name a store with --store URI")


def write_box(readers: Sequence[Reader], provenance: Provenance, folder: str | Path) -> Path:
    """Writes the newest version of every matrix of ``readers`` as a box into ``folder``, and returns the Parquet file.

    The items of their targets are written beside it. Raises ``BoxError`` when the cells would pass 12 MB.
    """
    folder = Path(folder)
    tables = [reader.cells(info.matrix) for reader in readers for info in reader.matrices()]
    cells = in_order(current(pa.concat_tables(tables)))
    with whole_file(folder / CELLS) as temporary:
        write_parquet(cells, temporary)
        data = temporary.read_bytes()
        if len(data) > MOST_BYTES:
            raise BoxError(f"{len(data)} bytes of cells; a box holds {MOST_BYTES}: leave out a matrix")
    items = {info.matrix: reader.items(info.matrix) for reader in readers for info in reader.matrices()}
    with whole_file(folder / ITEMS) as temporary:
        write_parquet(items_table(items), temporary)
        of_items = hashlib.sha256(temporary.read_bytes()).hexdigest()
    version = max(reader.version for reader in readers)
    about = {
        **asdict(provenance),
        "version": version,
        "sha256": hashlib.sha256(data).hexdigest(),
        "items_sha256": of_items,
    }
    with whole_file(folder / PROVENANCE) as temporary:
        temporary.write_text(json.dumps(about, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return folder / CELLS


def read_box(folder: Traversable) -> Snapshot | None:
    """The box in a folder, None where there is none. Raises ``BoxError`` when cells and provenance do not match."""
    if not (folder / CELLS).is_file() or not (folder / PROVENANCE).is_file():
        return None
    about = json.loads((folder / PROVENANCE).read_text(encoding="utf-8"))
    data = _checked(folder / CELLS, about["sha256"])
    # A box of before its items were kept has none.
    items = _checked(folder / ITEMS, about["items_sha256"]) if "items_sha256" in about else None
    provenance = Provenance(
        encoder=about["encoder"],
        corpora=tuple(CorpusCredit(**credit) for credit in about["corpora"]),
        seeds=tuple(about["seeds"]),
        versions=about["versions"],
        date=about["date"],
        command=about["command"],
    )
    there = [name for name in pq.read_schema(BytesIO(data)).names if name not in LISTS]
    cells = upgraded(pq.read_table(BytesIO(data), columns=there), BRIEF)
    rows, outcomes = np.arange(cells.num_rows), OutcomesLater(partial(_outcomes, data))
    tables = {
        name: MatrixSnapshot(cells.filter(ours), rows[ours.to_numpy()], outcomes)
        for name in pc.unique(cells["matrix"]).to_pylist()
        for ours in [pc.equal(cells["matrix"], name)]
    }
    named = {} if items is None else items_of(pq.read_table(BytesIO(items), schema=ITEMS_SCHEMA))
    return Snapshot(tables, about["version"], provenance, named)


def _outcomes(data: bytes) -> SpilledOutcomes:
    """The outcomes of all cells of a box."""
    return in_memory([upgraded(pq.read_table(BytesIO(data), columns=list(LISTS)), list(LISTS))])


def _checked(file: Traversable, sha256: str) -> bytes:
    data = file.read_bytes() if file.is_file() else b""
    if hashlib.sha256(data).hexdigest() != sha256:
        raise BoxError(f"{file} is not the file {PROVENANCE} speaks of; install sprachbund anew, or use --store")
    return data


@cache
def boxed() -> Snapshot | None:
    """The box of this installation, read once; None where none was shipped."""
    return read_box(resources.files("matrices") / "data")


def store_or_box(uri: str | Path | None) -> Reader:
    """The store at ``uri``, or the matrices in a file where it is one, or those in the box where none is named.

    Raises ``StoreMissingError``, ``StoreTooNewError``, ``StoreUnreadableError``, ``FileUnreadableError`` and
    ``NoBoxError``.
    """
    if uri is not None:
        return read_file(uri) if Path(uri).is_file() else Store(uri)
    box = boxed()
    if box is None:
        raise NoBoxError
    return box
