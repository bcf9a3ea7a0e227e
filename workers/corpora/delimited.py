"""Delimited files: rows under a header, or with columns by position; quoted as RFC 4180 says, or not at all."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from workers.corpora.opening import read_lines
from workers.rows import CorpusError, Row


@dataclass(frozen=True, slots=True)
class Delimited:
    """How a file is delimited. ``delimiter`` None: by commas, or by semicolons where its first line has no comma.

    ``quoted`` None: not, and it is an error where a file looks quoted. Without a ``header`` columns are named by their
    position from 0.
    """

    delimiter: str | None = None
    quoted: bool | None = True
    header: bool = True


def read_delimited(path: Path, layout: Delimited, sha256: str | None = None) -> Iterator[Row]:
    """Rows in file order, empty lines skipped. Raises ``CorpusError`` for a row of another width than the first."""
    lines = read_lines(path, sha256)
    delimiter = layout.delimiter or (";" if ";" in lines[0] and "," not in lines[0] else ",")
    rows = _rows(path, lines, delimiter, layout.quoted)
    first, names = next(rows)
    if layout.header:
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            raise CorpusError(path, first, f"column {repeated[0]!r} stands twice in the header; rename one")
    else:
        rows = iter([(first, names), *rows])
        names = [str(at) for at in range(len(names))]
    position = 0
    for position, (line, row) in enumerate(rows, start=1):
        if len(row) != len(names):
            what = (
                f"the header has {len(names)} ({', '.join(names)})"
                if layout.header
                else f"the first row has {len(names)}"
            )
            raise CorpusError(path, line, f"{len(row)} columns where {what}")
        yield Row(path, line, position, dict(zip(names, row, strict=True)))
    if not position:
        raise CorpusError(path, 1, "a header and no rows")


def _rows(path: Path, lines: Sequence[str], delimiter: str, quoted: bool | None) -> Iterator[tuple[int, list[str]]]:
    """Rows with the number of the line they begin on."""
    text = (line + "\n" for line in lines)
    reader = csv.reader(
        text, delimiter=delimiter, quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE, strict=bool(quoted)
    )
    begin = 1
    try:
        for row in reader:
            if row:
                if quoted is None and any(map(_looks_quoted, row)):
                    problem = (
                        "a field in double quotes: are they part of it (`quoted: false`) or around it (`quoted: true`)?"
                    )
                    raise CorpusError(path, begin, problem)
                yield begin, row
            begin = reader.line_num + 1
    except csv.Error as error:
        problem = f"{error}; where quotes are plain characters, say so (quoted: false in corpora.yaml)"
        raise CorpusError(path, begin, problem) from error


def _looks_quoted(field: str) -> bool:
    """Whether a field is in quotes, with those in it doubled."""
    inner = field[1:-1]
    return len(field) > 1 and field[0] == field[-1] == '"' and '"' not in inner.replace('""', "")
