"""Every measure by name, as a table and as one object: what the command line, the service and the pictures ask for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, ClassVar

import pyarrow as pa
from pydantic import ConfigDict, TypeAdapter

from matrices.measures.catalogue import DEFAULTS, MEASURES, MeasureSettings
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
    reader: Reader, matrix: str, what: str, settings: MeasureSettings = DEFAULTS, *, version: int | None = None
) -> pa.Table:
    """One measure of one matrix as a tidy table, at a version or the newest.

    The metadata of its schema (``ABOUT``) say what it is of, also in a Parquet or Arrow file of it. Raises
    ``UnknownMeasureError``, ``UnknownMatrixError``, ``UnknownVersionError``, and ``MeasureError`` where the cells
    cannot give it.
    """
    if what not in MEASURES:
        raise UnknownMeasureError(what)
    at = reader.version if version is None else version
    matrix_view = view(
        reader.cells(matrix, version=at, columns=COLUMNS),
        composition=settings.composition,
        selection=settings.selection,
        items=reader.items(matrix),
    )
    if settings.unseen is None and (pretrained := reader.pretrained(matrix_view.encoder)) is not None:
        settings = replace(settings, unseen=tuple(code for code in languages_of(matrix_view) if code not in pretrained))
    table = MEASURES[what].compute(matrix_view, settings)
    about = {name: getattr(matrix_view, name) for name in ABOUT if name not in ("version", "measure")}
    return table.replace_schema_metadata({**about, "version": str(at), "measure": what})


@dataclass(frozen=True, kw_only=True)
class MeasureAnswer:
    """One measure of one matrix, under one composition and selection."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(use_attribute_docstrings=True)

    matrix: str
    version: int
    kind: str
    task: str
    metric: str
    encoder: str
    composition: str
    selection: str
    measure: str
    title: str
    """What it says, in a line."""
    columns: Mapping[str, str]
    """What the columns mean."""
    rows: list[dict[str, Any]]
    """A row a pair of languages, a language, or whatever the measure is of; what is not known is null."""


def answer(table: pa.Table) -> MeasureAnswer:
    """The object of a table that ``matrices.measures.registry.measure`` gave."""
    about = {name.decode(): value.decode() for name, value in table.schema.metadata.items()}
    of, version = MEASURES[about["measure"]], int(about.pop("version"))
    # What is the same in every row is said once.
    rows = table.select([name for name in table.column_names if name not in about]).to_pylist()
    return MeasureAnswer(**about, version=version, title=of.title, columns=of.columns, rows=rows)


def to_json(answer: MeasureAnswer) -> bytes:
    """As JSON; a number that is not known (NaN) is null."""
    return _adapter().dump_json(answer)


@cache
def _adapter() -> TypeAdapter[MeasureAnswer]:
    return TypeAdapter(MeasureAnswer)
