"""Rows of cells as JSON, put together column by column: what all rows have alike stands in a template once."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

_TO_ESCAPE = r'[\x00-\x1f"\\]'


def json_rows(table: pa.Table) -> bytes:
    """The rows as a JSON array of objects; null and NaN are null, moments ISO 8601 in UTC."""
    return f"[{','.join(row_texts(table))}]".encode()


def row_texts(table: pa.Table) -> list[str]:
    """Each row as a JSON object."""
    if not table.num_rows:
        return []
    template: list[str] = []
    columns: list[list[str]] = []
    for name in table.column_names:
        column = table[name].combine_chunks()
        same = _same(column)
        if same is None:
            columns.append(json_values(column))
        template.append(f"{json.dumps(name)}:{'%s' if same is None else same.replace('%', '%%')}")
    row = f"{{{','.join(template)}}}"
    if not columns:
        return [row % ()] * table.num_rows
    return [row % values for values in zip(*columns, strict=True)]


def _same(column: pa.Array) -> str | None:
    """The JSON of a column that has one value throughout; None where it has several."""
    if pa.types.is_list(column.type) or len(pc.unique(column)) > 1:
        return None
    return json_values(column[:1])[0]


def json_values(column: pa.Array) -> list[str]:
    """Each value of a column as JSON text."""
    kind = column.type
    if pa.types.is_string(kind):
        return _texts(column)
    if pa.types.is_timestamp(kind):
        moments = np.datetime_as_string(column.cast(pa.timestamp("us")).to_numpy(zero_copy_only=False)).tolist()
        return ["null" if moment == "NaT" else f'"{moment}Z"' for moment in moments]
    if pa.types.is_floating(kind):
        finite = pc.if_else(pc.is_finite(column), column, None)
        return ["null" if value is None else repr(value) for value in finite.to_pylist()]
    if pa.types.is_integer(kind):
        return ["null" if value is None else str(value) for value in column.to_pylist()]
    return [json.dumps(value) for value in column.to_pylist()]


def _texts(column: pa.Array) -> list[str]:
    if pc.any(pc.match_substring_regex(column, _TO_ESCAPE)).as_py():
        return ["null" if text is None else json.dumps(text, ensure_ascii=False) for text in column.to_pylist()]
    return ["null" if text is None else f'"{text}"' for text in column.to_pylist()]


class RowTexts:
    """The rows of a table as JSON, one behind another in memory, so that rows that follow one another are one piece.

    Each has a number, by which it is asked for.
    """

    def __init__(self, table: pa.Table, numbers: NDArray[np.int64]) -> None:
        texts = [text.encode() for text in row_texts(table)]
        self._all = memoryview(b"".join(text + b"," for text in texts))
        self._ends = np.cumsum([len(text) + 1 for text in texts], dtype=np.int64)
        self._places = np.zeros(max(numbers, default=-1) + 1, np.int64)
        self._places[numbers] = np.arange(len(texts))

    def array(self, numbers: NDArray[np.int64]) -> tuple[bytes | memoryview, ...]:
        """These rows in this order as a JSON array, in pieces to be joined."""
        if not len(numbers):
            return (b"[]",)
        at = self._places[numbers]
        breaks = np.flatnonzero(np.diff(at) != 1) + 1
        first, last = at[np.concatenate([[0], breaks])], at[np.concatenate([breaks - 1, [len(at) - 1]])]
        begins = np.where(first > 0, self._ends[first - 1], 0)
        pieces = [self._all[begin:end] for begin, end in zip(begins.tolist(), self._ends[last].tolist(), strict=True)]
        pieces[-1] = pieces[-1][:-1]  # Less the comma behind it.
        return (b"[", *pieces, b"]")


def json_object(**members: object) -> bytes:
    """An object of plain members, and of ones that are JSON already: bytes, or a tuple of pieces of them."""
    parts: list[bytes | memoryview] = []
    for name, value in members.items():
        parts.append(b"," if parts else b"{")
        parts.append(json.dumps(name).encode() + b":")
        # Joined once: a page is half a megabyte.
        parts.extend(value if isinstance(value, tuple) else (_as_json(value),))
    return b"".join([*parts, b"}" if parts else b"{}"])


def _as_json(value: object) -> bytes:
    return value if isinstance(value, bytes) else json.dumps(value).encode()
