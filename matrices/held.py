"""Matrices held in memory at one version: what a service answers from, and what a box is read into."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from matrices.encoders import pretrained_on
from matrices.items import Items, Named
from matrices.reading import (
    SUMMARY_COLUMNS,
    MatrixInfo,
    Provenance,
    Reader,
    UnknownMatrixError,
    UnknownVersionError,
    summaries,
)


class Held:
    """Immutable, and reads like a store.

    ``tables`` are the cells of each matrix, one row a cell, sorted as a download is; they are held, not copied.
    """

    def __init__(
        self,
        tables: Mapping[str, pa.Table],
        version: int,
        provenance: Provenance | None = None,
        items: Named | None = None,
        pretrained: Mapping[str, frozenset[str] | None] | None = None,
    ) -> None:
        self._tables = dict(sorted(tables.items()))
        narrow = (table.select(SUMMARY_COLUMNS) for table in self._tables.values())
        self._infos = [info for table in narrow for info in summaries(table, version)]
        self._version, self._provenance, self._items = version, provenance, items or {}
        self._pretrained = pretrained or {}

    @property
    def version(self) -> int:
        """The version it was read at."""
        return self._version

    @property
    def provenance(self) -> Provenance | None:
        """What a box was measured on."""
        return self._provenance

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
        rows = self._tables.get(matrix)
        if rows is None:
            raise UnknownMatrixError(matrix, list(self._tables))
        for name, code in (("source", source), ("target", target)):
            if code is not None:
                rows = rows.filter(pc.equal(rows[name], code))
        return rows.select(list(columns)) if columns is not None else rows

    def items(self, matrix: str) -> Mapping[str, Items]:
        """What was known of the items of a matrix's targets when it was read, by target."""
        return self._items.get(matrix, {})

    def pretrained(self, encoder: str) -> frozenset[str] | None:
        """What an encoder was pretrained on, as was known when it was read; of a box by the encoder's name."""
        return self._pretrained[encoder] if encoder in self._pretrained else pretrained_on(encoder)

    def _must_be_ours(self, version: int | None) -> None:
        if version is not None and version != self._version:
            raise UnknownVersionError(version, self._version, oldest=self._version)


def hold(reader: Reader, version: int | None = None) -> Held:
    """Everything a reader has at one version (default the newest), read once. Raises ``UnknownVersionError``."""
    at = reader.version if version is None else version
    infos = reader.matrices(at)
    names = [info.matrix for info in infos]
    tables = {name: reader.cells(name, version=at) for name in names}
    items = {name: reader.items(name) for name in names}
    pretrained = {info.encoder: reader.pretrained(info.encoder) for info in infos}
    return Held(tables, at, reader.provenance, items, pretrained)
