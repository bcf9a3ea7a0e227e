"""A snapshot: matrices at one version, held in memory. What a service answers from, and what the box is read into."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeVar

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
    Spreads,
    UnknownMatrixError,
    UnknownVersionError,
    summaries,
)
from matrices.spilled_outcomes import OutcomesLater, SpilledOutcomes, in_memory
from matrices.validation import LISTS

BRIEF = [name for name in SCHEMA.names if name not in LISTS]
"""The columns of cells but for outcomes of items."""
ROW = "row"
"""The column of a cell's number among the outcomes."""

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class MatrixSnapshot:
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
        cells = self.cells.slice(begin, end - begin).append_column(ROW, pa.array(self.rows[begin:end]))
        for name, code in (("source", source), ("target", None if self._places else target)):
            if code is not None:
                cells = cells.filter(pc.fill_null(pc.equal(cells[name], code), False))
        return cells

    def lists(self, numbered: pa.Table) -> pa.Table:
        """The outcomes of rows that ``numbered`` gave."""
        return self.outcomes.take(numbered[ROW].to_numpy())

    def whole(self, numbered: pa.Table, columns: Sequence[str] = SCHEMA.names) -> pa.Table:
        """Rows that ``numbered`` gave, with their outcomes."""
        lists = self.lists(numbered)
        there = {name: lists[name] if name in LISTS else numbered[name] for name in columns}
        return pa.table(there, schema_of(columns))

    def select(
        self, columns: Sequence[str] | None = None, source: str | None = None, target: str | None = None
    ) -> pa.Table:
        """Some columns of the rows of a source and a target; all where they are None."""
        wanted = list(SCHEMA.names if columns is None else columns)
        cells = self.numbered(source, target)
        if not set(LISTS) & set(wanted):
            return cells.select(wanted)
        return self.whole(cells, wanted)


class Snapshot:
    """Matrices at one version: immutable, and read like a store. Outcomes of items are read when they are asked for."""

    def __init__(
        self,
        tables: Mapping[str, pa.Table | MatrixSnapshot],
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
        self._remembered: dict[Hashable, Any] = {}

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

    def remember(self, key: Hashable, compute: Callable[[], T]) -> T:
        """What ``compute`` gives of these matrices, under a key; it is kept as long as they are."""
        if key not in self._remembered:
            self._remembered[key] = compute()
        found: T = self._remembered[key]
        return found

    def marks(self, version: int | None = None) -> Mapping[str, str]:
        """As ``Store.marks``."""
        self._must_be_ours(version)
        return {name: kept.mark or kept.content for name, kept in self.kept.items()}

    def only(self, names: Collection[str]) -> Snapshot:
        """These matrices alone, nothing copied."""
        tables = {name: kept for name, kept in self.kept.items() if name in names}
        return Snapshot(tables, self._version, self._provenance, self._items, self._pretrained, spreads=self._spreads)

    def part(self, matrix: str, targets: Collection[str]) -> Snapshot:
        """The same, but of one matrix the cells of these targets alone. Raises ``UnknownMatrixError``."""
        kept = self._of(matrix)
        wanted = pc.is_in(kept.cells["target"], pa.array(sorted(targets), pa.string()))
        rows = np.flatnonzero(wanted.to_numpy())
        fewer = replace(kept, cells=kept.cells.take(rows), rows=kept.rows[rows], mark="")
        tables = {**self.kept, matrix: fewer}
        return Snapshot(tables, self._version, self._provenance, self._items, self._pretrained, spreads=self._spreads)

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

    def _of(self, matrix: str) -> MatrixSnapshot:
        kept = self.kept.get(matrix)
        if kept is None:
            raise UnknownMatrixError(matrix, list(self.kept))
        return kept

    def _must_be_ours(self, version: int | None) -> None:
        if version is not None and version != self._version:
            raise UnknownVersionError(version, self._version, oldest=self._version)


def _kept(table: pa.Table | MatrixSnapshot) -> MatrixSnapshot:
    if isinstance(table, MatrixSnapshot):
        return table
    brief = [name for name in table.column_names if name not in LISTS]
    return MatrixSnapshot(table.select(brief), np.arange(table.num_rows), in_memory([table.select(LISTS)]))


def schema_of(names: Sequence[str]) -> pa.Schema:
    """The schema of some columns of cells."""
    return pa.schema([SCHEMA.field(name) for name in names])
