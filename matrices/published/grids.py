"""Tables that are grids: languages down one side and across the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from matrices.published.headers import corner_side
from matrices.published.numbers import NotANumberError, written
from matrices.published.sheets import Sheet

_FEWEST = 2
_MOSTLY = 0.5
"""So many names on a side are languages at the least, and more than this share of them."""
_RANKED = 3


@dataclass(frozen=True, slots=True)
class GridLayout:
    """How a grid is to be taken: ``rows_are`` ``sources`` or ``targets``; whether its numbers are ranks.

    ``blank_diagonal``: what stands where a language meets itself is no measurement. ``notes`` say what was assumed.
    """

    rows_are: str
    ranks: bool
    blank_diagonal: bool
    notes: tuple[str, ...]


def as_grid(sheet: Sheet, rows_are: str | None, ranks: bool, is_language: Callable[[str], bool]) -> GridLayout | None:
    """How a sheet is a grid of languages; None where it is none.

    Unless ``rows_are`` says which, its corner does; else rows are sources. Where every column, or every row, holds 1 to
    n, these are ranks of sources, and that says which side they are. Zeros along the diagonal alone are no scores.
    """
    across = sheet.header[1:]
    down = [fields[0] for _, fields in sheet.rows]
    if not (_mostly(across, is_language) and _mostly(down, is_language)):
        return None
    values = [[_number(text) for text in fields[1:]] for _, fields in sheet.rows]
    side = rows_are or corner_side(sheet.header[0])
    notes = []
    if not ranks and (ranked := _ranked(values)) is not None and side in (None, ranked):
        side, ranks = ranked, True
        notes.append("its numbers are ranks: 1 to n of every target's sources")
    if side is None:
        side = "sources"
        notes.append("rows are taken for sources and columns for targets; --rows-are targets if it is the other way")
    same = [[one.strip().casefold() == other.strip().casefold() for other in across] for one in down]
    diagonal = [
        value for row, mark in zip(values, same, strict=True) for value, at in zip(row, mark, strict=True) if at
    ]
    elsewhere = [
        value for row, mark in zip(values, same, strict=True) for value, at in zip(row, mark, strict=True) if not at
    ]
    blank = bool(diagonal) and not any(diagonal) and 0 not in elsewhere
    if blank and 0 in diagonal:
        notes.append("the zeros where a language meets itself are left out: no scores")
    return GridLayout(side, ranks, blank, tuple(notes))


def _mostly(names: Sequence[str], is_language: Callable[[str], bool]) -> bool:
    known = sum(map(is_language, names))
    return known >= _FEWEST and known > _MOSTLY * len(names)


def _ranked(values: Sequence[Sequence[float | None]]) -> str | None:
    """The side whose members are ranked for each of the other side: ``sources`` where these are the rows."""
    columns = [list(column) for column in zip(*values, strict=True)]
    if _all_ranks(columns):
        return "sources"
    return "targets" if _all_ranks(values) else None


def _all_ranks(groups: Sequence[Sequence[float | None]]) -> bool:
    """Whether each group is 1 to n, in any order, zeros and blanks aside."""
    ranks = [sorted(value for value in group if value) for group in groups]
    return all(group == [*range(1, len(group) + 1)] for group in ranks) and max(map(len, ranks), default=0) >= _RANKED


def _number(text: str) -> float | None:
    try:
        found = written(text)
    except NotANumberError:
        return None
    return None if found is None else found.number
