"""A matrix's pairs in the form that was asked for."""

from __future__ import annotations

import io

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from matrices.credit import credit, metadata
from matrices.export import as_text
from matrices.pairs import SCHEMA, half_widths, pairs_in
from matrices.recommend import code_of
from matrices.snapshot import Snapshot
from service.answers import ARROW, CSV, arrow_stream
from service.dependencies import Context
from service.schemas import CellsQuery


def pairs_of(ours: Context, held: Snapshot, matrix: str, query: CellsQuery) -> pa.Table:
    """The pairs of a source and a target, or all. Raises ``UnknownMatrixError`` and ``UnknownLanguageError``."""
    table = all_pairs(ours, held, matrix, query.composition, query.selection)
    for name in ("source", "target"):
        given = getattr(query, name)
        if given is not None:
            code = code_of(given, held.kept[matrix].languages)
            table = table.filter(pc.equal(table[name], code))
    return table.replace_schema_metadata(metadata(credit(held, matrix)))


def all_pairs(
    ours: Context, held: Snapshot, matrix: str, composition: str | None = None, selection: str | None = None
) -> pa.Table:
    """Every pair, from scores and errors that are computed once. Raises ``UnknownMatrixError``."""
    shown = ours.prepared.of(held).chosen(matrix, composition, selection)
    if shown is None:
        return SCHEMA.empty_table()
    name = matrix, shown.view.composition, shown.view.selection
    widths = ours.half_widths.get(name, held.content(matrix), lambda: half_widths(shown.view, shown.seeds))
    return pairs_in(shown.view, widths, held.pretrained(shown.view.encoder))


def as_bytes(table: pa.Table, form: str) -> bytes:
    """A table as Arrow stream, CSV or Parquet."""
    if form == ARROW:
        return arrow_stream(table)
    sink = io.BytesIO()
    if form == CSV:
        pyarrow.csv.write_csv(as_text(table), sink)
    else:
        pq.write_table(table, sink, compression="zstd")
    return sink.getvalue()
