"""CoNLL files with columns of one's own: a token a line, an empty line after a sentence, comments before it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from workers.corpora.opening import read_lines
from workers.rows import CorpusError, Row

_COMMENT = re.compile(r"#\s+([\w-]+)\s*[=:]\s*(.*)")
_NEW_DOCUMENT = re.compile(r"#\s+newdoc(?:\s+id)?(?:\s*=\s*(.*\S))?\s*")
_BORDER = "-DOCSTART-"
_OUTSIDE = "O"
_OWN_CODE = re.compile(r"([A-Za-z]{2,3}(?:-[A-Za-z]+)*):(?=.)")


def read_sentences(
    path: Path, *, token: int | None = None, tag: int | None = None, repair: bool = False, sha256: str | None = None
) -> Iterator[Row]:
    """A row a sentence: its ``tokens``, its ``tags``, and what comments before it (``# intent = ...``) say.

    ``token`` and ``tag`` are columns from 0, or from the last with -1; where they are not said, a line has two, in that
    order. ``repair`` leaves out a line with the tag ``O`` and no token. Columns are separated by tabs where a line has
    one, else by spaces. A line ``-DOCSTART-``, or a comment ``newdoc``, begins a document, and is no sentence. Where
    every token of a file begins with one and the same code and a colon (WikiANN: ``sw:Jina``), that is taken off.
    Raises ``CorpusError`` for a line that lacks a column.
    """
    places = None if token is None or tag is None else (token, tag)
    rows = list(_rows(path, read_lines(path, sha256), places, repair))
    codes = {_own_code(word) for row in rows for word in row.values["tokens"]}
    for row in rows:
        if len(codes) == 1 and None not in codes:
            tokens = tuple(word.partition(":")[2] for word in row.values["tokens"])
            row = replace(row, values={**row.values, "tokens": tokens})
        yield row


def _own_code(token: str) -> str | None:
    match = _OWN_CODE.match(token)
    return None if match is None else match[1]


def _rows(path: Path, lines: Sequence[str], places: tuple[int, int] | None, repair: bool) -> Iterator[Row]:
    document, documents, position = None, 0, 0
    for block in _blocks(lines):
        comments: dict[str, str] = {}
        words: list[tuple[int, str, str]] = []
        for number, line in block:
            if not words and (border := _NEW_DOCUMENT.fullmatch(line)):
                documents += 1
                document = border[1] or f"doc #{documents}"
            elif not words and (said := _COMMENT.fullmatch(line)):
                comments[said[1]] = said[2].strip()
            elif line.split(maxsplit=1)[0] == _BORDER:
                documents += 1
                document = f"doc #{documents}"
            else:
                token, tag = _columns(path, number, line, places)
                if not (repair and not token.strip() and tag == _OUTSIDE):
                    words.append((number, *_checked(path, number, line, token, tag)))
        if words:
            position += 1
            numbers, tokens, tags = zip(*words, strict=True)
            yield Row(path, numbers[0], position, {**comments, "tokens": tokens, "tags": tags}, numbers, document)


def _blocks(lines: Sequence[str]) -> Iterator[list[tuple[int, str]]]:
    """Runs of lines that have anything on them, with their numbers."""
    block: list[tuple[int, str]] = []
    for number, line in enumerate([*lines, ""], start=1):
        if line.strip():
            block.append((number, line))
        elif block:
            yield block
            block = []


def _columns(path: Path, number: int, line: str, places: tuple[int, int] | None) -> tuple[str, str]:
    """Token and tag of a line, "" for one that is missing. Blanks behind the last column are no part of it."""
    columns = line.split("\t") if "\t" in line else line.split(" ")
    while len(columns) > 2 and not columns[-1].strip():
        columns.pop()
    if places is None and len(columns) > 2:
        raise CorpusError(
            path,
            number,
            f"{line!r} is no token and tag but {len(columns)} columns; say which are which, counted from 0 (or from "
            "the last, with -1): `columns: {token: 0, tag: -1}`",
        )
    try:
        token, tag = (columns[at] for at in places or (0, 1))
    except IndexError:
        return "", ""
    return token, tag.strip()


def _checked(path: Path, number: int, line: str, token: str, tag: str) -> tuple[str, str]:
    if not token.strip() or not tag:
        raise CorpusError(path, number, f"{line!r} is not a token and a tag, separated by one tab or one space")
    return token, tag
