"""Two-column CoNLL: a token and its tag a line, an empty line after a sentence. Parts of speech, and spans in IOB2."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

from workers.corpora.checking import refusal
from workers.corpora.opening import read_lines
from workers.corpora.types import CorpusError, TaggedSentence

OUTSIDE = "O"
_TOKENLESS = re.compile(r"[ \t]O")
_SPAN_TAG = re.compile(r"([BI])-(\S+)")


class Word(NamedTuple):
    """A token with its tag, and the line it stands on."""

    line: int
    token: str
    tag: str


def read_tags(
    path: Path, *, allowed: Collection[str] | None = None, sha256: str | None = None
) -> tuple[TaggedSentence, ...]:
    """Tagged sentences in file order, with their position (from 1) as id.

    ``allowed`` are the tags there may be; None allows any. Raises ``CorpusError`` for a line that is not
    ``token TAG`` (separated by one tab, or by one space) and for a tag that is not allowed.
    """
    return as_tags(path, _sentences(path, read_lines(path, sha256)), allowed)


def read_spans(
    path: Path, *, types: Collection[str] | None = None, repair: bool = False, sha256: str | None = None
) -> tuple[TaggedSentence, ...]:
    """Sentences tagged in IOB2: ``B-X`` begins a span of type X, ``I-X`` goes on with it, ``O`` is outside.

    ``types`` are the span types there may be; None allows any. Raises ``CorpusError`` as ``read_tags`` does, and for
    an ``I-X`` that follows neither ``B-X`` nor ``I-X``.

    ``repair`` mends the two slips that hand-annotated corpora have: such an ``I-X`` becomes ``B-X``, which is how the
    CoNLL scorer (conlleval) reads it, and a line with the tag ``O`` and no token is left out.
    """
    lines: list[str | None] = [*read_lines(path, sha256)]
    if repair:
        lines = [None if line is not None and _TOKENLESS.fullmatch(line) else line for line in lines]
    return as_spans(path, _sentences(path, lines), types, repair)


def as_tags(
    path: Path | str, sentences: Sequence[Sequence[Word]], allowed: Collection[str] | None
) -> tuple[TaggedSentence, ...]:
    """Sentences as items, with their position as id, once every tag is found to be allowed."""
    for words in sentences:
        for word in words:
            if allowed is not None and word.tag not in allowed:
                raise CorpusError(path, word.line, refusal("tag", word.tag, allowed))
    return _as_items(sentences)


def as_spans(
    path: Path | str, sentences: Sequence[Sequence[Word]], types: Collection[str] | None, repair: bool
) -> tuple[TaggedSentence, ...]:
    """Sentences as items, with their position as id, once their tags are found, or made, to be IOB2."""
    return _as_items([_iob2(path, words, types, repair) for words in sentences])


def _sentences(path: Path, lines: Sequence[str | None]) -> list[list[Word]]:
    """The words of each sentence; a line that is None is passed over, one without anything on it ends a sentence."""
    sentences: list[list[Word]] = [[]]
    for number, line in enumerate(lines, start=1):
        if line is None:
            continue
        if line.strip():
            sentences[-1].append(_word(path, number, line))
        elif sentences[-1]:
            sentences.append([])
    return [words for words in sentences if words]


def _word(path: Path, number: int, line: str) -> Word:
    columns = line.split("\t" if "\t" in line else " ")
    if len(columns) != 2 or not columns[0].strip() or not columns[1].strip():
        raise CorpusError(path, number, f"{line!r} is not a token and a tag, separated by one tab or one space")
    return Word(number, columns[0], columns[1])


def _iob2(path: Path | str, words: Sequence[Word], types: Collection[str] | None, repair: bool) -> list[Word]:
    checked: list[Word] = []
    open_type: str | None = None
    for word in words:
        position, type_ = _parted(path, word, types)
        if position == "I" and type_ != open_type:
            if not repair:
                problem = (
                    f"tag {word.tag!r} follows neither 'B-{type_}' nor 'I-{type_}'; a span begins with 'B-{type_}'"
                )
                raise CorpusError(path, word.line, problem)
            word = word._replace(tag=f"B-{type_}")
        checked.append(word)
        open_type = type_
    return checked


def _parted(path: Path | str, word: Word, types: Collection[str] | None) -> tuple[str, str | None]:
    if word.tag == OUTSIDE:
        return OUTSIDE, None
    match = _SPAN_TAG.fullmatch(word.tag)
    if match is None:
        raise CorpusError(path, word.line, f"tag {word.tag!r} is not IOB2: 'O', 'B-TYPE' or 'I-TYPE'")
    if types is not None and match[2] not in types:
        raise CorpusError(path, word.line, refusal("span type", match[2], types))
    return match[1], match[2]


def _as_items(sentences: Sequence[Sequence[Word]]) -> tuple[TaggedSentence, ...]:
    return tuple(
        TaggedSentence(str(position), tuple(word.token for word in words), tuple(word.tag for word in words))
        for position, words in enumerate(sentences, start=1)
    )
