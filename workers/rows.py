"""One item as its file has it, before a task makes sense of it; what is said of the file; and the error of both."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from matrices.nearest import nearest_hint


class CorpusError(ValueError):
    """Data that cannot be used as it is. Says file, line and value, and what is allowed there."""

    def __init__(self, path: Path | str, line: int | None, problem: str) -> None:
        super().__init__(str(path), line, problem)
        self.path, self.line, self.problem = str(path), line, problem

    def __str__(self) -> str:
        return f"{self.path}{'' if self.line is None else f':{self.line}'}: {self.problem}"


def refusal(what: str, value: str, allowed: Collection[str]) -> str:
    """What to say of a value that is not allowed: the value, all that is, and the nearest of them."""
    return f"{what} {value!r} is not one of {', '.join(sorted(allowed))}{nearest_hint(value, allowed)}"


@dataclass(frozen=True, slots=True)
class Row:
    """The values of one item by column. ``line`` is the line (or row) it begins on, ``lines`` those of its tokens.

    ``position`` counts the items of the file from 1. ``passage`` is the document that the format says it is in.
    """

    path: Path | str
    line: int | None
    position: int
    values: Mapping[str, Any]
    lines: tuple[int, ...] = ()
    passage: str | None = None

    def error(self, problem: str, token: int | None = None) -> CorpusError:
        """An error at this row, or at one of its tokens."""
        line = self.line if token is None or not self.lines else self.lines[token]
        return CorpusError(self.path, line, problem)

    def value(self, column: str) -> Any:
        """What stands in a column. Raises ``CorpusError`` where there is no such column."""
        if column not in self.values:
            positions = "; columns by position are for files without a header (`header: false`)"
            hint = positions if column.isdecimal() else ""
            raise CorpusError(self.path, self.line, refusal("column", column, [*map(str, self.values)]) + hint)
        return self.values[column]

    def text(self, column: str, role: str | None = None) -> str:
        """A value that is text, and not blank; ``role`` is what an error calls it."""
        value = self.value(column)
        text = value if isinstance(value, str) else "" if value is None else str(value)
        if not text.strip():
            raise self.error(f"an empty {role or column}; fill it in or remove the row")
        return text


@dataclass(frozen=True, slots=True)
class Said:
    """What a declaration says of the items of a corpus.

    ``columns`` are the columns of a task's roles; ``labels`` the names there may be, or what each value of the file
    means; ``allowed`` the names there may be where ``labels`` says nothing; ``repair`` mends known slips;
    ``unanswerable`` lets questions be without an answer.
    """

    columns: Mapping[str, Any] = field(default_factory=dict)
    labels: Sequence[str] | Mapping[str, str] | None = None
    allowed: Collection[str] | None = None
    repair: bool = False
    unanswerable: bool = False

    @property
    def names(self) -> Collection[str] | None:
        """The labels there may be; None where nothing is said of them."""
        return self.allowed if self.labels is None else _names(self.labels)

    def label(self, row: Row, value: Any, what: str = "label", token: int | None = None) -> str:
        """The name of a label as a file has it: a number is the place (from 0) among ``labels``, unless it is a name.

        Raises ``CorpusError`` for a value that is missing, a number without ``labels``, and one that they lack.
        """
        text = "" if value is None else str(value).strip()
        if not text:
            raise row.error(f"an empty {what}; fill it in or remove the row", token)
        if isinstance(self.labels, Mapping):
            if text not in self.labels:
                raise row.error(f"{refusal(what, text, self.labels)}; `labels` does not say what it means", token)
            return self.labels[text]
        numbered = not isinstance(value, str) or text.isdecimal()
        if self.labels is not None and numbered and text not in self.labels and text.isdecimal():
            if int(text) >= len(self.labels):
                raise row.error(f"{what} {text} is beyond the {len(self.labels)} of `labels` (counted from 0)", token)
            return self.labels[int(text)]
        if self.labels is None and not isinstance(value, str):
            raise row.error(f"{what} {text} is a number; say what it means: `labels: [first, second, ...]`", token)
        return text


def _names(labels: Sequence[str] | Mapping[str, str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(labels.values() if isinstance(labels, Mapping) else labels))
