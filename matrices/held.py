"""Matrices held at one version: what a service answers from, and what a box is read into."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from matrices.cells import SCHEMA
from matrices.encoders import pretrained_on
from matrices.items import Items, ItemsByMatrix
from matrices.reading import (
    SUMMARY_COLUMNS,
    MatrixInfo,
    Provenance,
    Reader,
    Spreads,
    UnknownMatrixError,
    UnknownVersionError,
    current,
    in_order,
    summaries,
)
from matrices.spilled_outcomes import OutcomesLater, SpilledOutcomes, in_memory
from matrices.store import Store
from matrices.store_errors import FAULTS, SideTableError, plainly
from matrices.validation import LISTS, MisshapenError, addressable, as_cells, name_is_usable

BRIEF = [name for name in SCHEMA.names if name not in LISTS]
"""The columns of cells but for outcomes of items."""
_ROW = "row"


@dataclass(frozen=True, eq=False)
class HeldMatrix:
    """The cells of one matrix, one row a cell, sorted as a download is; their outcomes apart.

    ``rows`` are the numbers of their outcomes in ``outcomes``, in the order of ``cells``; ``mark`` is the store's.
    """

    cells: pa.Table
    rows: NDArray[np.int64]
    outcomes: SpilledOutcomes | OutcomesLater
    mark: str = ""
    notes: tuple[str, ...] = ()
    """What was left out of it, and why."""

    @cached_property
    def content(self) -> str:
        """A digest of which cells these are: equal where the cells are, whatever store they come from."""
        names = ["cell_id", "created_at", "status"]
        digest = hashlib.sha256()
        for batch in self.cells.select(names).combine_chunks().to_batches():
            # Of a slice alone, and without the layout in memory.
            digest.update(batch.serialize())
        return digest.hexdigest()[:24]

    @cached_property
    def sources(self) -> frozenset[str]:
        """The languages with a score as a source."""
        measured = self.cells["source"].filter(pc.equal(self.cells["status"], "ok"))
        return frozenset(pc.unique(measured.drop_null()).to_pylist())

    @cached_property
    def targets(self) -> frozenset[str]:
        """The languages with a score of another language on them."""
        other = pc.not_equal(self.cells["source"], self.cells["target"])
        kept = pc.fill_null(pc.and_(pc.equal(self.cells["status"], "ok"), other), False)
        return frozenset(pc.unique(self.cells["target"].filter(kept)).to_pylist())

    @cached_property
    def languages(self) -> frozenset[str]:
        """Every code there is, measured or failed."""
        return frozenset(
            code for name in ("source", "target") for code in pc.unique(self.cells[name].drop_null()).to_pylist()
        )

    @cached_property
    def _places(self) -> Mapping[str, tuple[int, int]]:
        """Where the rows of each target begin and end; empty where they do not stand together, as sorted cells do."""
        runs = pc.run_end_encode(self.cells["target"].combine_chunks())
        targets, ends = runs.values.to_pylist(), runs.run_ends.to_pylist()
        found = dict(zip(targets, zip([0, *ends[:-1]], ends, strict=True), strict=True)) if targets else {}
        return found if len(found) == len(targets) else {}

    def numbered(self, source: str | None = None, target: str | None = None) -> pa.Table:
        """The rows of a source and a target, all where they are None; without outcomes, of which ``row`` says where."""
        begin, end = self._places.get(target, (0, 0)) if target is not None and self._places else (0, len(self.rows))
        cells = self.cells.slice(begin, end - begin).append_column(_ROW, pa.array(self.rows[begin:end]))
        for name, code in (("source", source), ("target", None if self._places else target)):
            if code is not None:
                cells = cells.filter(pc.fill_null(pc.equal(cells[name], code), False))
        return cells

    def lists(self, numbered: pa.Table) -> pa.Table:
        """The outcomes of rows that ``numbered`` gave."""
        return self.outcomes.take(numbered[_ROW].to_numpy())

    def whole(self, numbered: pa.Table, columns: Sequence[str] = SCHEMA.names) -> pa.Table:
        """Rows that ``numbered`` gave, with their outcomes."""
        lists = self.lists(numbered)
        there = {name: lists[name] if name in LISTS else numbered[name] for name in columns}
        return pa.table(there, _schema(columns))

    def select(
        self, columns: Sequence[str] | None = None, source: str | None = None, target: str | None = None
    ) -> pa.Table:
        """Some columns of the rows of a source and a target; all where they are None."""
        wanted = list(SCHEMA.names if columns is None else columns)
        cells = self.numbered(source, target)
        if not set(LISTS) & set(wanted):
            return cells.select(wanted)
        return self.whole(cells, wanted)


class Held:
    """Immutable, and reads like a store. Outcomes of items are read when they are asked for."""

    def __init__(
        self,
        tables: Mapping[str, pa.Table | HeldMatrix],
        version: int,
        provenance: Provenance | None = None,
        items: ItemsByMatrix | None = None,
        pretrained: Mapping[str, frozenset[str] | None] | None = None,
        notes: Sequence[str] = (),
        spreads: Mapping[str, Spreads] | None = None,
    ) -> None:
        """``tables`` are the cells of each matrix, one row a cell, sorted as a download is; held, not copied."""
        self.kept = {name: _kept(table) for name, table in sorted(tables.items())}
        narrow = (kept.cells.select(SUMMARY_COLUMNS) for kept in self.kept.values())
        self._infos = [info for table in narrow for info in summaries(table, version)]
        self._version, self._provenance, self._items = version, provenance, items or {}
        self._pretrained = pretrained or {}
        self._notes = tuple(notes)
        self._contents: dict[str, str] = {}
        self._spreads = spreads or {}

    @property
    def version(self) -> int:
        """The version it was read at."""
        return self._version

    @property
    def provenance(self) -> Provenance | None:
        """What a box was measured on."""
        return self._provenance

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out of what was read, and why: a line each."""
        return (*self._notes, *(note for kept in self.kept.values() for note in kept.notes))

    @cached_property
    def identity(self) -> str:
        """A digest of all there is to answer from: version, cells, and what is known of items and encoders."""
        digest = hashlib.sha256(f"{self._version}".encode())
        for info in self._infos:
            digest.update(self.content(info.matrix).encode())
        return digest.hexdigest()[:24]

    def content(self, matrix: str) -> str:
        """A digest of a matrix's cells, and of what is known of its items and encoder.

        Raises ``UnknownMatrixError``.
        """
        if matrix not in self._contents:
            self._contents[matrix] = self._content(matrix)
        return self._contents[matrix]

    def _content(self, matrix: str) -> str:
        kept = self._of(matrix)
        encoders = pc.unique(kept.cells["encoder"]).to_pylist()
        known = [(name, sorted(self.pretrained(name) or ())) for name in sorted(encoders)]
        beside = repr((known, sorted(self.items(matrix).items()), sorted(self.spreads(matrix).items())))
        return hashlib.sha256(f"{matrix}\n{kept.content}\n{beside}".encode()).hexdigest()[:24]

    def marks(self, version: int | None = None) -> Mapping[str, str]:
        """As ``Store.marks``."""
        self._must_be_ours(version)
        return {name: kept.mark or kept.content for name, kept in self.kept.items()}

    def only(self, names: Collection[str]) -> Held:
        """These matrices alone, nothing copied."""
        tables = {name: kept for name, kept in self.kept.items() if name in names}
        return Held(tables, self._version, self._provenance, self._items, self._pretrained, spreads=self._spreads)

    def part(self, matrix: str, targets: Collection[str]) -> Held:
        """The same, but of one matrix the cells of these targets alone. Raises ``UnknownMatrixError``."""
        kept = self._of(matrix)
        wanted = pc.is_in(kept.cells["target"], pa.array(sorted(targets), pa.string()))
        rows = np.flatnonzero(wanted.to_numpy())
        fewer = replace(kept, cells=kept.cells.take(rows), rows=kept.rows[rows], mark="")
        tables = {**self.kept, matrix: fewer}
        return Held(tables, self._version, self._provenance, self._items, self._pretrained, spreads=self._spreads)

    def matrices(self, version: int | None = None) -> list[MatrixInfo]:
        """Every matrix, sorted by name. Raises ``UnknownVersionError`` for any version but its own."""
        self._must_be_ours(version)
        return list(self._infos)

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
        return self._of(matrix).select(columns, source, target)

    def parts(self, matrix: str, rows: int) -> Iterator[pa.Table]:
        """The same a few rows at a time, with their outcomes. Raises ``UnknownMatrixError``."""
        kept = self._of(matrix)
        for begin in range(0, len(kept.rows), rows):
            yield kept.whole(kept.numbered().slice(begin, rows))

    def items(self, matrix: str) -> Mapping[str, Items]:
        """What was known of the items of a matrix's targets when it was read, by target."""
        return self._items.get(matrix, {})

    def spreads(self, matrix: str) -> Spreads:
        """What imported scores were said to vary by when they were read."""
        return self._spreads.get(matrix, {})

    def pretrained(self, encoder: str) -> frozenset[str] | None:
        """What an encoder was pretrained on, as was known when it was read; of a box by the encoder's name."""
        return self._pretrained[encoder] if encoder in self._pretrained else pretrained_on(encoder)

    def _of(self, matrix: str) -> HeldMatrix:
        kept = self.kept.get(matrix)
        if kept is None:
            raise UnknownMatrixError(matrix, list(self.kept))
        return kept

    def _must_be_ours(self, version: int | None) -> None:
        if version is not None and version != self._version:
            raise UnknownVersionError(version, self._version, oldest=self._version)


def hold(
    reader: Reader,
    version: int | None = None,
    *,
    before: Held | None = None,
    folder: Path | None = None,
    only: Collection[str] | None = None,
) -> Held:
    """Everything a reader has at one version (default the newest), read once; what is bad in it is left out and noted.

    A matrix that is as it was in ``before`` is taken from there. Many outcomes are mapped from a file in ``folder``.
    ``only`` these matrices are read, where it is given. Raises ``UnknownVersionError``, and as ``Store`` does where
    nothing can be read.
    """
    at = reader.version if version is None else version
    if isinstance(reader, Held):
        reader.matrices(at)
        return reader if only is None else reader.only(only)
    assert isinstance(reader, Store)
    notes: list[str] = []
    tables: dict[str, HeldMatrix] = {}
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
    return Held(tables, at, reader.provenance, items, pretrained, notes, _spreads(reader, named, notes))


def _renamed(kept: HeldMatrix, name: str) -> HeldMatrix:
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


def _read(store: Store, matrix: str, version: int, mark: str, folder: Path | None) -> HeldMatrix:
    """One matrix of a store. Its outcomes pass through memory in parts."""
    parts: list[pa.Table] = []
    outcomes, rows, wrong = SpilledOutcomes(folder), 0, Counter[str]()
    for batch in store.batches(matrix, version):
        cells, unfit = as_cells(pa.Table.from_batches([batch]), SCHEMA.names)
        wrong += unfit
        outcomes.add(cells.select(LISTS))
        numbers = pa.array(np.arange(rows, rows + cells.num_rows))
        parts.append(cells.select(BRIEF).append_column(_ROW, numbers))
        rows += cells.num_rows
    outcomes.finish()
    schema = _schema(BRIEF).append(pa.field(_ROW, pa.int64()))
    cells = _of_one_kind(pa.concat_tables(parts) if parts else schema.empty_table(), wrong)
    cells = in_order(current(cells))
    notes = tuple(f"{count} rows of {matrix} are left out: {what}" for what, count in sorted(wrong.items()))
    return HeldMatrix(cells.select(BRIEF), cells[_ROW].to_numpy(), outcomes, mark, notes)


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


def _kept(table: pa.Table | HeldMatrix) -> HeldMatrix:
    if isinstance(table, HeldMatrix):
        return table
    brief = [name for name in table.column_names if name not in LISTS]
    return HeldMatrix(table.select(brief), np.arange(table.num_rows), in_memory([table.select(LISTS)]))


def _schema(names: Sequence[str]) -> pa.Schema:
    return pa.schema([SCHEMA.field(name) for name in names])
