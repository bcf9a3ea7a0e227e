"""Records of one dataclass as a table: a row each, a column a field."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

import pyarrow as pa


def schema_of(record: type, types: Mapping[str, pa.DataType]) -> pa.Schema:
    """A column for each field of the dataclass ``record``: of its type in ``types``, otherwise text."""
    return pa.schema([(field.name, types.get(field.name, pa.string())) for field in fields(record)])


def to_table(records: Iterable[Any], schema: pa.Schema) -> pa.Table:
    """Records with the fields of ``schema``, a row each."""
    rows = list(records)
    return pa.table({name: [getattr(row, name) for row in rows] for name in schema.names}, schema=schema)
