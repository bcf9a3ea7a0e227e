"""What can be read of measured matrices, wherever they are kept: what a store and the matrix in the box both answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc

from matrices.cells import BASELINE, SEPARATOR
from matrices.items import Items
from matrices.nearest import there_is

ORDER = ("task", "target", "source", "selection", "seed", "composition", "cell_id")
"""The columns cells are sorted by, wherever cells leave this room; a null source (the baseline) comes last."""

PLACE = ("matrix", "composition", "source", "target", "selection", "seed", "shots")
"""The columns that say where in a matrix a row belongs; there is one row a place wherever cells leave this room."""

_WHICH = ("cell_id", "status", "created_at")
"""What decides between several rows of a place."""


@dataclass(frozen=True, slots=True)
class MatrixInfo:
    """One matrix at one version. ``cells`` counts those with a score, ``sources`` and ``targets`` their languages."""

    matrix: str
    kind: str
    task: str
    encoder: str
    version: int
    cells: int
    sources: int
    targets: int


@dataclass(frozen=True, slots=True)
class CorpusCredit:
    """A corpus that was measured on, and its licence as its authors state it."""

    corpus: str
    licence: str


@dataclass(frozen=True, slots=True)
class Provenance:
    """What the matrices in the box were measured on, and how they can be measured again."""

    encoder: str
    corpora: tuple[CorpusCredit, ...]
    seeds: tuple[int, ...]
    versions: Mapping[str, str]
    date: str
    command: str


Spreads = Mapping[tuple[str, str, int], float]
"""By source, target and seed: the standard deviation or error that stood beside a published score, in its unit."""


class Reader(Protocol):
    """Anything that holds measured matrices and answers by name and version."""

    @property
    def version(self) -> int:
        """The newest version there is."""
        ...

    @property
    def provenance(self) -> Provenance | None:
        """What the matrices in the box were measured on; None for a store, which does not know."""
        ...

    def matrices(self, version: int | None = None) -> list[MatrixInfo]:
        """Every matrix, sorted by name."""
        ...

    def cells(
        self,
        matrix: str,
        *,
        version: int | None = None,
        columns: Sequence[str] | None = None,
        source: str | None = None,
        target: str | None = None,
    ) -> pa.Table:
        """One row a place, sorted by ``ORDER``. Raises ``UnknownMatrixError``, and ``UnknownVersionError``."""
        ...

    def items(self, matrix: str) -> Mapping[str, Items]:
        """What is known of the items of a matrix's targets, by target; empty where nothing is."""
        ...

    def spreads(self, matrix: str) -> Spreads:
        """What imported scores are said to vary by; empty where nothing is said."""
        ...

    def pretrained(self, encoder: str) -> frozenset[str] | None:
        """The languages that an encoder of its cells was pretrained on, ISO 639-3; None where that is not known."""
        ...


class UnknownMatrixError(LookupError):
    """No matrix of that name; the message names the nearest, or all where they are few."""

    def __init__(self, given: str, known: Sequence[str]) -> None:
        self.given, self.known = given, tuple(known)
        super().__init__(f"there is no matrix {given!r}; {there_is(given, known)}")


class UnknownVersionError(LookupError):
    """No such version; the message names those there are."""

    def __init__(self, given: int, newest: int, oldest: int = 0) -> None:
        self.given, self.newest = given, newest
        super().__init__(f"there is no version {given}; versions are {oldest} to {newest}")


def current(table: pa.Table) -> pa.Table:
    """One row a place (``PLACE``): the row measured last there, or the last failure where nothing was measured.

    A cell's id covers its data and adapters, so after a corpus changed a place has rows of several cells: what was
    measured on the data of before gives way to what was measured on the data of now.
    """
    keys = table.select(["created_at", "cell_id"]).append_column("failed", pc.equal(table["status"], "failed"))
    order = pc.sort_indices(
        keys, sort_keys=[("failed", "ascending"), ("created_at", "descending"), ("cell_id", "ascending")]
    )
    places = table.select(list(PLACE)).take(order).append_column("row", order)
    # Several threads would find the first row of a place in any order.
    return table.take(places.group_by(list(PLACE), use_threads=False).aggregate([("row", "first")])["row_first"])


def in_order(table: pa.Table) -> pa.Table:
    """The same rows sorted by ``ORDER``: the same bytes for the same cells, in whatever order they were measured."""
    return table.take(pc.sort_indices(table, sort_keys=[(name, "ascending") for name in ORDER]))


def compositions(cells: pa.Table) -> list[str]:
    """The ways sources were added in these cells, ``stack`` and ``alone`` first; the baseline is not one."""
    found = set(pc.unique(cells["composition"]).to_pylist()) - {BASELINE}
    return sorted(found, key=lambda name: (name != "stack", name != "alone", name))


def selections(cells: pa.Table) -> list[str]:
    """Which weights were evaluated in these cells, the plain ones (``last``) first."""
    return sorted(pc.unique(cells["selection"]).to_pylist(), key=lambda name: (name != "last", name))


def summaries(table: pa.Table, version: int) -> list[MatrixInfo]:
    """A line for each matrix in a table that has one row a place, sorted by name."""
    return [
        _summary(table.filter(pc.equal(table["matrix"], name)), version)
        for name in sorted(pc.unique(table["matrix"]).to_pylist())
    ]


SUMMARY_COLUMNS = ("kind", "task", "encoder", *PLACE, *_WHICH)
"""What ``summaries`` reads."""

KEY_COLUMNS = tuple(dict.fromkeys([*ORDER, *PLACE, *_WHICH]))
"""What ``current`` and ``in_order`` read."""


def _is_single(sources: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.invert(pc.match_substring(sources, SEPARATOR))


def _summary(rows: pa.Table, version: int) -> MatrixInfo:
    measured = rows.filter(pc.equal(rows["status"], "ok"))
    return MatrixInfo(
        matrix=rows["matrix"][0].as_py(),
        kind=rows["kind"][0].as_py(),
        task=rows["task"][0].as_py(),
        encoder=rows["encoder"][0].as_py(),
        version=version,
        cells=measured.num_rows,
        sources=pc.count_distinct(measured["source"].filter(_is_single(measured["source"]))).as_py(),
        targets=pc.count_distinct(measured["target"]).as_py(),
    )
