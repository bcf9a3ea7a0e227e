"""Tables as people keep them, as a header and rows of text: CSV of any kind, Markdown, JSON, spreadsheets.

Nothing is guessed of what a table says: only how its file is to be taken apart.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook

_SPREADSHEETS = (".xlsx", ".xls", ".xlsb", ".ods")
_DELIMITERS = "\t;,|"
_LOOKED_AT, _LONGEST = 30, 10_000
"""So many lines, of so many characters at the most, say which sign parts the columns."""
_SEPARATOR_LINE = re.compile(r"sep=(.)\s*", re.IGNORECASE)
_RULE = re.compile(r"\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?")
_COMMENT = "#"
_TRAINED, _RESULTS = "train_config", "eval_results"
"""What LITMUS calls the amounts a model was trained on, and its scores, each by language."""

Row = tuple[int, tuple[str, ...]]
"""Number of the line (of the record, in JSON; of the row, in a spreadsheet), and its fields."""


class PublishedTableError(ValueError):
    """A table that cannot be read as it stands: file, line, value, and what would do."""

    def __init__(self, path: Path, line: int, problem: str) -> None:
        self.path, self.line = path, line
        super().__init__(f"{path}, line {line}: {problem}")


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table's column names and its rows, each of as many fields; ``line`` is that of the header."""

    line: int
    header: tuple[str, ...]
    rows: tuple[Row, ...]


def read_sheet(path: Path, data: bytes, sheet: str | None = None) -> Sheet:
    """Takes the bytes of a file apart, by its ending and by what stands in it.

    Text is UTF-8 (or UTF-16 with its mark); columns are parted by tab, semicolon, comma or bar, whatever the file is
    called; ``sep=;`` on the first line is obeyed, and lines that begin with ``#`` are comments. Of a spreadsheet with
    several sheets ``sheet`` names one. Raises ``PublishedTableError``.
    """
    if path.suffix.casefold() in _SPREADSHEETS:
        return _checked(path, _spreadsheet(path, data, sheet))
    if sheet is not None:
        raise PublishedTableError(path, 1, f"--sheet {sheet}: only a spreadsheet has sheets; leave it out")
    text = _decoded(path, data)
    start = text.lstrip()[:1]
    if path.suffix.casefold() in (".json", ".jsonl") or start in ("{", "["):
        return _checked(path, _json(path, text))
    if start == "|":
        return _checked(path, _markdown(text))
    return _checked(path, _delimited(path, text))


def _checked(path: Path, rows: Iterable[Row]) -> Sheet:
    """The first row as the header, the others held against it."""
    several = iter(rows)
    line, header = next(several, (1, ()))
    header = tuple(name.strip() for name in header)
    if len(set(header)) < len(header):
        twice = next(name for name in header if header.count(name) > 1)
        raise PublishedTableError(path, line, f"two columns have one name, {twice!r}; rename one")
    found: list[Row] = []
    for number, fields in several:
        if not any(field.strip() for field in fields):
            continue
        if len(fields) != len(header):
            raise PublishedTableError(path, number, f"{len(fields)} fields; the first line names {len(header)}")
        found.append((number, fields))
    return Sheet(line, header, tuple(found))


def _decoded(path: Path, data: bytes) -> str:
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        problem = f"not UTF-8 ({data[error.start : error.start + 1]!r}); save it so"
        raise PublishedTableError(path, line, problem) from error


def _delimited(path: Path, text: str) -> Iterator[Row]:
    skipped = 0
    delimiter = None
    if stated := _SEPARATOR_LINE.match(text):
        delimiter, skipped = stated[1], 1
        text = text[stated.end() :]
    while text.startswith(_COMMENT) or (text[:1] in "\r\n" and text):
        _, _, text = text.partition("\n")
        skipped += 1
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter or _delimiter(text))
    try:
        for fields in reader:
            if fields and not fields[0].startswith(_COMMENT):
                yield reader.line_num + skipped, tuple(fields)
    except csv.Error as error:
        number = reader.line_num + skipped
        raise PublishedTableError(path, number, f"{error}; save it as plain CSV, a line a row") from error


def _delimiter(text: str) -> str:
    """The sign that parts the header and most lines into the same number of fields; of several the most fields."""
    lines = [line[:_LONGEST] for line in text.splitlines()[:_LOOKED_AT] if line.strip() and line[0] != _COMMENT]
    best, found = (0.0, 0), ","
    for sign in _DELIMITERS:
        widths = [len(fields) for fields in csv.reader(lines, delimiter=sign)]
        if widths and widths[0] > 1:
            alike = sum(width == widths[0] for width in widths) / len(widths)
            if (alike, widths[0]) > best:
                best, found = (alike, widths[0]), sign
    return found


def _markdown(text: str) -> Iterator[Row]:
    for number, line in enumerate(text.splitlines(), start=1):
        bare = line.strip()
        if bare.startswith("|") and not _RULE.fullmatch(bare):
            yield number, tuple(field.strip(" *`") for field in bare.strip("|").split("|"))


def _spreadsheet(path: Path, data: bytes, wanted: str | None) -> Iterator[Row]:
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
        filled = {name: rows for name in book.sheet_names if (rows := book.get_sheet_by_name(name).to_python())}
    except CalamineError as error:
        raise PublishedTableError(path, 1, f"cannot be read as a spreadsheet ({error}); save it as CSV") from error
    if wanted is not None and wanted not in filled:
        raise PublishedTableError(path, 1, f"no sheet {wanted!r}; there is: {', '.join(filled)}")
    if wanted is None and len(filled) != 1:
        problem = f"it has several sheets ({', '.join(filled)}); name one with --sheet" if filled else "it is empty"
        raise PublishedTableError(path, 1, problem)
    rows = filled[wanted if wanted is not None else next(iter(filled))]
    for number, row in enumerate(rows, start=1):
        yield number, tuple(_text(value) for value in row)


def _json(path: Path, text: str) -> Iterator[Row]:
    try:
        if path.suffix.casefold() == ".jsonl":
            held: Any = [json.loads(line) for line in text.splitlines() if line.strip()]
        else:
            held = json.loads(text)
    except json.JSONDecodeError as error:
        raise PublishedTableError(path, error.lineno, f"not JSON: {error.msg}") from error
    if isinstance(held, list) and held and all(isinstance(one, dict) for one in held):
        if all(isinstance(one.get(_TRAINED), dict) and isinstance(one.get(_RESULTS), dict) for one in held):
            return _trained(held)
        if not any(isinstance(value, dict | list) for one in held for value in one.values()):
            return _records(held)
    if isinstance(held, dict) and held:
        if isinstance(held.get("columns"), list) and isinstance(held.get("data"), list):
            return _listed([held["columns"], *held["data"]])
        if all(isinstance(one, dict) for one in held.values()):
            return _nested(held)
        if all(isinstance(one, list) for one in held.values()) and len({len(one) for one in held.values()}) == 1:
            return _listed([list(held), *map(list, zip(*held.values(), strict=True))])
    shapes = "a list of records, scores by source and then target, or columns by name"
    raise PublishedTableError(path, 1, f"JSON of a kind that is no table here; it may be {shapes}")


def _records(held: Sequence[Mapping[str, Any]]) -> Iterator[Row]:
    names = tuple(dict.fromkeys(name for one in held for name in one))
    yield 1, names
    for number, one in enumerate(held, start=1):
        yield number, tuple(_text(one.get(name)) for name in names)


def _listed(rows: Sequence[Sequence[Any]]) -> Iterator[Row]:
    for number, row in enumerate(rows, start=1):
        yield number, tuple(_text(value) for value in row)


def _nested(held: Mapping[str, Mapping[str, Any]]) -> Iterator[Row]:
    targets = tuple(dict.fromkeys(name for one in held.values() for name in one))
    yield 1, ("", *targets)
    for number, (source, scores) in enumerate(held.items(), start=2):
        yield number, (source, *(_text(scores.get(target)) for target in targets))


def _trained(held: Sequence[Mapping[str, Any]]) -> Iterator[Row]:
    """What a model was trained on, several languages joined by a plus, with its score of every language."""
    yield 1, ("source", "target", "score")
    for number, one in enumerate(held, start=1):
        source = "+".join(name for name, amount in one[_TRAINED].items() if amount)
        for target, score in one[_RESULTS].items():
            yield number, (source, target, _text(score))


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
