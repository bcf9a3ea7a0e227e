"""Which cells of a matrix, in which order: conditions and sorting by any column; and opaque cursors of their pages.

A page says where the next begins, at the same version, for the same question.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from matrices.cells import SCHEMA
from matrices.nearest import there_is
from matrices.validation import LISTS

COLUMNS = tuple(name for name in SCHEMA.names if name not in LISTS)
_CONDITION = re.compile(r"([a-z_]+)(<=|>=|!=|=|<|>)(.*)", re.DOTALL)
_COMPARE: dict[str, Callable[[pa.ChunkedArray, pa.Scalar], pa.ChunkedArray]] = {
    "=": pc.equal,
    "!=": pc.not_equal,
    "<": pc.less,
    "<=": pc.less_equal,
    ">": pc.greater,
    ">=": pc.greater_equal,
}


class ChoiceError(ValueError):
    """A condition or an order that is none."""


def chosen(cells: pa.Table, conditions: Sequence[str], order: str | None) -> pa.Array:
    """Where the cells stand that meet all conditions (``score>=0.5``, ``seed=0``, ``source=`` for none), in an order.

    An order is columns with commas, ``-`` before one that goes down; without one they stay as they are. Raises
    ``ChoiceError``.
    """
    kept = pa.array(np.arange(cells.num_rows))
    if conditions:
        holds = [pc.fill_null(_holds(cells, condition), False) for condition in conditions]
        kept = kept.filter(reduce(pc.and_, holds).combine_chunks())
    if order is None:
        return kept
    keys = [_sort_key(part.strip()) for part in order.split(",")]
    # What is equal stays in order, so that pages never have a cell twice or not at all.
    names = list(dict.fromkeys(name for name, _ in keys))
    sorted_by = cells.select(names).take(kept).append_column("", pa.array(np.arange(len(kept))))
    return kept.take(pc.sort_indices(sorted_by, sort_keys=[*keys, ("", "ascending")]))


def _holds(cells: pa.Table, condition: str) -> pa.ChunkedArray:
    parts = _CONDITION.fullmatch(condition)
    if parts is None:
        raise ChoiceError(f"where={condition}: write COLUMN=VALUE, or with !=, <, <=, > or >= between")
    name, sign, text = parts.groups()
    column = cells[_column(name, "where")]
    if text == "" and sign in ("=", "!="):
        return pc.is_null(column) if sign == "=" else pc.is_valid(column)
    try:
        value = pa.scalar(text).cast(column.type)
    except pa.ArrowInvalid as error:
        raise ChoiceError(f"where={condition}: {text!r} is no value of {name}, which is {column.type}") from error
    return _COMPARE[sign](column, value)


def _sort_key(part: str) -> tuple[str, str]:
    return _column(part.removeprefix("-"), "sort"), "descending" if part.startswith("-") else "ascending"


def _column(name: str, parameter: str) -> str:
    if name not in COLUMNS:
        raise ChoiceError(f"{parameter}: there is no column {name!r}; {there_is(name, COLUMNS, most=20)}")
    return name


class UnreadableCursorError(ValueError):
    """A cursor this service did not give for this question."""

    def __init__(self) -> None:
        super().__init__("this cursor names no page of this question; begin again without one")


@dataclass(frozen=True, slots=True)
class Cursor:
    """The page that begins at cell ``offset`` of ``version``."""

    version: int
    offset: int


def write_cursor(cursor: Cursor, question: tuple[str | None, ...]) -> str:
    """The cursor as text, of use for this question alone."""
    text = json.dumps([cursor.version, cursor.offset, _digest(question)])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(text: str, question: tuple[str | None, ...]) -> Cursor:
    """The cursor that ``write_cursor`` wrote. Raises ``UnreadableCursorError`` for any other text or question."""
    try:
        version, offset, digest = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (binascii.Error, ValueError, TypeError) as error:
        raise UnreadableCursorError from error
    if digest != _digest(question) or not _is_count(version) or not _is_count(offset):
        raise UnreadableCursorError
    return Cursor(version, offset)


def _is_count(value: object) -> bool:
    return type(value) is int and value >= 0


def _digest(question: tuple[str | None, ...]) -> str:
    return hashlib.sha256(json.dumps(question).encode()).hexdigest()[:8]
