"""Cells of earlier schemas as cells of this one: what a store, a file or the box of before is read as.

Schema 1 had no ``method``, ``shots``, ``provenance``, ``data`` and ``language_seed``. It kept outcomes as whole
numbers, and where imported cells came from in ``device``.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from matrices.cells import IMPORTED, METHOD, SCHEMA, SCHEMA_VERSION

_IMPORTED_FROM = "imported from "
"""How ``device`` of an imported cell began in schema 1."""

NEEDS = {"method": "device", "shots": "cell_id", "provenance": "device", "data": "cell_id", "language_seed": "seed"}
"""By column that an earlier schema has not: one that it has, of which it is made, or as long as which it is."""


def is_current(schema: pa.Schema) -> bool:
    """Whether a table has the columns of this schema, in its types."""
    return all(name in schema.names and schema.field(name).type == SCHEMA.field(name).type for name in SCHEMA.names)


def upgraded(table: pa.Table, columns: list[str] | None = None) -> pa.Table:
    """The ``columns`` (default all of the schema) of a table in any schema so far, as this schema has them.

    Nothing is lost: a column that was not kept is null where it is not known.
    """
    wanted = columns if columns is not None else SCHEMA.names
    made = [_column(table, SCHEMA.field(name)) for name in wanted]
    return pa.table(made, schema=pa.schema([SCHEMA.field(name) for name in wanted]))


def _column(table: pa.Table, field: pa.Field) -> pa.ChunkedArray:
    if field.name == "schema_version":
        return _all(SCHEMA_VERSION, field, table)
    if field.name == "device":
        return pc.if_else(_imported(table), IMPORTED, table["device"].cast(field.type))
    if field.name in table.column_names:
        return table[field.name].cast(field.type)
    if field.name == "shots":
        return _all(0, field, table)
    if field.name == "provenance":
        return pc.if_else(_imported(table), table["device"].cast(field.type), pa.scalar(None, field.type))
    if field.name == "method":
        return pc.if_else(_imported(table), pa.scalar(None, field.type), METHOD)
    return pa.chunked_array([pa.nulls(table.num_rows, field.type)])


def _all(value: int, field: pa.Field, table: pa.Table) -> pa.ChunkedArray:
    return pa.chunked_array([pa.repeat(pa.scalar(value, field.type), table.num_rows)])


def _imported(table: pa.Table) -> pa.ChunkedArray:
    return pc.starts_with(table["device"].cast(pa.string()), _IMPORTED_FROM)
