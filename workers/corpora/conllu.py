"""CoNLL-U treebanks: the syntactic words of a sentence with their universal parts of speech.

The format is https://universaldependencies.org/format.html.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from workers.corpora.opening import read_lines
from workers.rows import CorpusError, Row, refusal
from workers.tasks.tagging import UNIVERSAL_TAGS

_COLUMNS = 10
_RANGE = re.compile(r"([1-9][0-9]*)-([1-9][0-9]*)")
_EMPTY_NODE = re.compile(r"[0-9]+\.[1-9][0-9]*")
_SENT_ID = re.compile(r"#\s*sent_id\s*=\s*(.*\S)\s*")
_NEWDOC = re.compile(r"#\s*newdoc(?:\s+id)?(?:\s*=\s*(.*\S))?\s*")
_NO_TEXT = "_"


@dataclass(frozen=True, slots=True)
class _Sentence:
    """The lines of one sentence, with the number of the first."""

    first: int
    lines: tuple[str, ...]


def read_conllu(path: Path, sha256: str | None = None) -> list[Row]:
    """A row a sentence, in file order: ``id`` is its ``sent_id`` (``#3`` for a third sentence that has none).

    A ``newdoc`` begins a passage, by its id (``doc #2`` for a second that has none); before the first there is none.
    Multiword ranges (``1-2``) and empty nodes (``5.1``) are left out: tags belong to syntactic words. Raises
    ``CorpusError`` for a malformed line, a tag outside the 17, and a treebank without text or words.
    """
    lines = read_lines(path, sha256)
    blocks = [block for block in _blocks(lines) if any(not line.startswith("#") for line in block.lines)]
    passages = _passages(blocks)
    sentences = [
        _sentence(path, block, position, passage)
        for position, (block, passage) in enumerate(zip(blocks, passages, strict=True), start=1)
    ]
    if not sentences:
        raise CorpusError(path, None, "no sentence in the file: it has only comments")
    if all(token == _NO_TEXT for sentence in sentences for token in sentence.values["tokens"]):
        problem = "every form is '_': the treebank comes without its text; merge the text in as its README says"
        raise CorpusError(path, None, problem)
    return sentences


def _blocks(lines: Sequence[str]) -> Iterator[_Sentence]:
    start = 0
    for end in range(len(lines) + 1):
        if end == len(lines) or not lines[end].strip():
            if end > start:
                yield _Sentence(start + 1, tuple(lines[start:end]))
            start = end + 1


def _passages(blocks: Sequence[_Sentence]) -> list[str | None]:
    """The document that each sentence is in."""
    passages: list[str | None] = []
    current, documents = None, 0
    for block in blocks:
        for line in block.lines:
            if line.startswith("#") and (match := _NEWDOC.fullmatch(line)):
                documents += 1
                current = match[1] or f"doc #{documents}"
        passages.append(current)
    return passages


def _sentence(path: Path, block: _Sentence, position: int, passage: str | None) -> Row:
    id_ = f"#{position}"
    words: list[tuple[int, str, str]] = []
    spans: list[tuple[int, int]] = []
    for number, line in enumerate(block.lines, start=block.first):
        if line.startswith("#"):
            if match := _SENT_ID.fullmatch(line):
                id_ = match[1]
        elif (word := _word(path, number, line, expected=len(words) + 1)) is not None:
            words.append((number, *word))
        elif match := _RANGE.match(line):
            spans.append((number, int(match[2])))
    if not words:
        raise CorpusError(path, block.first, "a sentence without words")
    for number, last in spans:
        if last > len(words):
            raise CorpusError(path, number, f"a word range up to {last} in a sentence of {len(words)} words")
    lines, tokens, tags = zip(*words, strict=True)
    return Row(path, block.first, position, {"id": id_, "tokens": tokens, "tags": tags}, lines, passage)


def _word(path: Path, number: int, line: str, expected: int) -> tuple[str, str] | None:
    """Form and tag of a word line; None for a multiword range or an empty node."""
    columns = line.split("\t")
    if len(columns) != _COLUMNS:
        problem = f"{len(columns)} tab-separated columns instead of {_COLUMNS}: {_short(line)}"
        raise CorpusError(path, number, problem)
    id_, form, tag = columns[0], columns[1], columns[3]
    if id_ != str(expected):
        _check_no_word(path, number, id_, expected)
        return None
    if not form.strip():
        raise CorpusError(path, number, "an empty form; write '_' for a word without text")
    if tag not in UNIVERSAL_TAGS:
        raise CorpusError(path, number, refusal("tag", tag, UNIVERSAL_TAGS))
    return form, tag


def _check_no_word(path: Path, number: int, id_: str, expected: int) -> None:
    """Raises where an id other than the word's that is due is neither an empty node nor the range that is due."""
    if _EMPTY_NODE.fullmatch(id_):
        return
    match = _RANGE.fullmatch(id_)
    if expected > 1 and (id_ == "1" or (match is not None and match[1] == "1")):
        raise CorpusError(path, number, "a sentence begins here, and no blank line is before it; put one there")
    if match is None:
        raise CorpusError(path, number, f"word id {id_!r} where {expected} is due")
    if int(match[1]) != expected or int(match[2]) < int(match[1]):
        raise CorpusError(path, number, f"word range {id_!r} where a range from {expected} is due")


def _short(line: str) -> str:
    return repr(line if len(line) <= 60 else line[:60] + "...")
