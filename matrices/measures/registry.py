"""Every measure by name: what the command line, the service and the pictures ask for."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa

from matrices.measures.catalogue import DEFAULTS, MEASURES, Settings
from matrices.measures.mantel import languages_of
from matrices.nearest import there_is
from matrices.reading import Reader
from matrices.view import COLUMNS, view

ABOUT = ("matrix", "version", "kind", "task", "metric", "encoder", "composition", "selection", "measure")
"""What is said of a table of a measure in its schema's metadata."""


class UnknownMeasureError(LookupError):
    """No measure of that name; the message names those there are."""

    def __init__(self, given: str) -> None:
        self.given, self.known = given, tuple(MEASURES)
        super().__init__(f"there is no measure {given!r}; {there_is(given, self.known)}")


def measure(
    reader: Reader, matrix: str, what: str, settings: Settings = DEFAULTS, *, version: int | None = None
) -> pa.Table:
    """One measure of one matrix as a tidy table, at a version or the newest.

    The metadata of its schema (``ABOUT``) say what it is of, also in a Parquet or Arrow file of it. Raises
    ``UnknownMeasureError``, ``UnknownMatrixError``, ``UnknownVersionError``, and ``MeasureError`` where the cells
    cannot give it.
    """
    if what not in MEASURES:
        raise UnknownMeasureError(what)
    at = reader.version if version is None else version
    found = view(
        reader.cells(matrix, version=at, columns=COLUMNS),
        composition=settings.composition,
        selection=settings.selection,
        items=reader.items(matrix),
    )
    if settings.unseen is None and (pretrained := reader.pretrained(found.encoder)) is not None:
        settings = replace(settings, unseen=tuple(code for code in languages_of(found) if code not in pretrained))
    table = MEASURES[what].compute(found, settings)
    about = {name: getattr(found, name) for name in ABOUT if name not in ("version", "measure")}
    return table.replace_schema_metadata({**about, "version": str(at), "measure": what})
