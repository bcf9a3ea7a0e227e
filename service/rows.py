"""Rows of cells as JSON, put together column by column: a page of a thousand is text before Python looks at it."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.compute as pc


def json_rows(table: pa.Table) -> bytes:
    """The rows as a JSON array of objects; null and NaN are null, moments ISO 8601 in UTC."""
    if not table.num_rows:
        return b"[]"
    parts: list[pa.Array | pa.ChunkedArray | str] = []
    for at, name in enumerate(table.column_names):
        parts += [f"{'{' if at == 0 else ','}{json.dumps(name)}:", json_values(table[name])]
    objects = pc.binary_join_element_wise(*parts, "}", "")
    if isinstance(objects, pa.ChunkedArray):
        objects = pa.concat_arrays(objects.chunks)
    joined = pc.binary_join(pa.LargeListArray.from_arrays([0, len(objects)], objects), ",")
    return b"[" + bytes(joined[0].as_buffer()) + b"]"


def json_values(column: pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """Each value of a column as JSON text."""
    kind = column.type
    if pa.types.is_string(kind):
        return _each_once(column)
    if pa.types.is_timestamp(kind):
        text = pc.strftime(column, format="%Y-%m-%dT%H:%M:%SZ")
        return _or_null(pc.binary_join_element_wise('"', text, '"', ""))
    if pa.types.is_floating(kind):
        return _or_null(pc.if_else(pc.is_finite(column), column, None).cast(pa.string()))
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        return _or_null(column.cast(pa.string()))
    return pa.array([json.dumps(value) for value in column.to_pylist()], pa.string())


def _each_once(column: pa.ChunkedArray) -> pa.Array:
    """Text as JSON: few values of a column are different, and each is escaped once."""
    encoded = pc.dictionary_encode(column.combine_chunks())
    words = [json.dumps(word, ensure_ascii=False) for word in encoded.dictionary.to_pylist()]
    return _or_null(pa.array(words, pa.string()).take(encoded.indices))


def _or_null(texts: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    return pc.fill_null(texts, "null")


def json_object(**members: object) -> bytes:
    """An object of plain members, and of ones that are JSON already (bytes)."""
    parts = [
        json.dumps(name).encode() + b":" + (value if isinstance(value, bytes) else json.dumps(value).encode())
        for name, value in members.items()
    ]
    return b"{" + b",".join(parts) + b"}"
