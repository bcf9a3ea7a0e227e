"""Reading a snapshot of a store: all its matrices at one version, what is bad in them left out and noted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from matrices.cells import SCHEMA
from matrices.encoders import pretrained_on
from matrices.items import ItemsByMatrix
from matrices.reading import (
    Reader,
    Spreads,
    current,
    in_order,
)
from matrices.snapshot import BRIEF, ROW, MatrixSnapshot, Snapshot, schema_of
from matrices.spilled_outcomes import SpilledOutcomes
from matrices.store import Store
from matrices.store_errors import FAULTS, SideTableError, plainly
from matrices.validation import LISTS, MisshapenError, addressable, as_cells, name_is_usable


def read_snapshot(
    reader: Reader,
    version: int | None = None,
    *,
    before: Snapshot | None = None,
    folder: Path | None = None,
    only: Collection[str] | None = None,
) -> Snapshot:
    """Everything a reader has at one version (default the newest), read once; what is bad in it is left out and noted.

    A matrix that is as it was in ``before`` is taken from there. Many outcomes are mapped from a file in ``folder``.
    ``only`` these matrices are read, where it is given. Raises ``UnknownVersionError``, and as ``Store`` does where
    nothing can be read.
    """
    at = reader.version if version is None else version
    if isinstance(reader, Snapshot):
        reader.matrices(at)
        return reader if only is None else reader.only(only)
    assert isinstance(reader, Store)
    notes: list[str] = []
    tables: dict[str, MatrixSnapshot] = {}
    faults: list[OSError] = []
    stored: dict[str, str] = {}  # By the name it is held under, that in the store.
    there = {} if before is None else before.kept
    for matrix, mark in sorted(reader.marks(at).items()):
        if only is not None and matrix not in only:
            continue
        name = addressable(matrix)
        if not name_is_usable(name) or name in stored:
            notes.append(f"matrix {matrix[:80]!r} is left out: no name that can be asked for; give it another")
            continue
        stored[name] = matrix
        if name in there and there[name].mark == mark:
            tables[name] = there[name]
        else:
            try:
                kept = _read(reader, matrix, at, mark, folder)
            except (MisshapenError, *FAULTS) as error:
                notes.append(f"matrix {matrix} is left out: {plainly(error)}")
                faults += [error] if isinstance(error, OSError) else []
            else:
                if kept.cells.num_rows:
                    tables[name] = kept if name == matrix else _renamed(kept, name)
                else:
                    notes += kept.notes
    if faults and not tables:
        raise faults[0]
    encoders = {name for kept in tables.values() for name in pc.unique(kept.cells["encoder"]).to_pylist()}
    named = {name: stored[name] for name in tables}
    items, pretrained = _beside(reader, named, sorted(encoders), notes)
    return Snapshot(tables, at, reader.provenance, items, pretrained, notes, _spreads(reader, named, notes))


def _renamed(kept: MatrixSnapshot, name: str) -> MatrixSnapshot:
    """A matrix under a name that can stand in an address."""
    at = kept.cells.schema.get_field_index("matrix")
    column = pa.repeat(pa.scalar(name, SCHEMA.field("matrix").type), kept.cells.num_rows)
    return replace(kept, cells=kept.cells.set_column(at, SCHEMA.field("matrix"), column))


def _beside(
    reader: Reader, matrices: Mapping[str, str], encoders: Sequence[str], notes: list[str]
) -> tuple[ItemsByMatrix, Mapping[str, frozenset[str] | None]]:
    """What is kept beside the cells; what cannot be read is noted, and as if it had never been said."""
    items: ItemsByMatrix = {}
    try:
        items = {name: reader.items(in_store) for name, in_store in matrices.items()}
    except SideTableError as error:
        notes.append(f"what the items are is not known: {error}")
    try:
        return items, {name: reader.pretrained(name) for name in encoders}
    except SideTableError as error:
        notes.append(f"what encoders were pretrained on is known by their names alone: {error}")
        return items, {name: pretrained_on(name) for name in encoders}


def _spreads(reader: Reader, matrices: Mapping[str, str], notes: list[str]) -> Mapping[str, Spreads]:
    """What scores of each matrix are said to vary by; what cannot be read is noted."""
    try:
        return {name: reader.spreads(in_store) for name, in_store in matrices.items()}
    except SideTableError as error:
        notes.append(f"what published scores vary by is not known: {error}")
        return {}


def _read(store: Store, matrix: str, version: int, mark: str, folder: Path | None) -> MatrixSnapshot:
    """One matrix of a store. Its outcomes pass through memory in parts."""
    parts: list[pa.Table] = []
    outcomes, rows, wrong = SpilledOutcomes(folder), 0, Counter[str]()
    for batch in store.batches(matrix, version):
        cells, unfit = as_cells(pa.Table.from_batches([batch]), SCHEMA.names)
        wrong += unfit
        outcomes.add(cells.select(LISTS))
        numbers = pa.array(np.arange(rows, rows + cells.num_rows))
        parts.append(cells.select(BRIEF).append_column(ROW, numbers))
        rows += cells.num_rows
    outcomes.finish()
    schema = schema_of(BRIEF).append(pa.field(ROW, pa.int64()))
    cells = _of_one_kind(pa.concat_tables(parts) if parts else schema.empty_table(), wrong)
    cells = in_order(current(cells))
    notes = tuple(f"{count} rows of {matrix} are left out: {what}" for what, count in sorted(wrong.items()))
    return MatrixSnapshot(cells.select(BRIEF), cells[ROW].to_numpy(), outcomes, mark, notes)


def _of_one_kind(cells: pa.Table, wrong: Counter[str]) -> pa.Table:
    """The cells that share what a matrix has one of, as most do; the others are counted as wrong."""
    for name in ("encoder", "kind", "task"):
        if len(pc.unique(cells[name])) > 1:
            usual = pc.mode(pc.dictionary_encode(cells[name]).combine_chunks().indices)[0]["mode"].as_py()
            wanted = pc.dictionary_encode(cells[name]).combine_chunks().dictionary[usual]
            kept = pc.equal(cells[name], wanted)
            wrong[f"{name} is not that of the matrix, {wanted.as_py()}"] += pc.sum(pc.invert(kept)).as_py()
            cells = cells.filter(kept)
    return cells
