"""Tagging: a label a token, scored by accuracy over tokens. Parts of speech, and any other tags."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from workers.rows import Row, Said, refusal
from workers.sequences import Pieces, TokenSequence
from workers.tasks.base import ColumnRoles, Task, identity, passage

UNIVERSAL_TAGS = frozenset(
    "ADJ ADP ADV AUX CCONJ DET INTJ NOUN NUM PART PRON PROPN PUNCT SCONJ SYM VERB X".split()  # noqa: SIM905
)
"""The 17 universal parts of speech (UPOS) of Universal Dependencies, version 2."""


@dataclass(frozen=True, slots=True)
class TaggedSentence:
    """A sentence of tokens, each with a tag (a universal part of speech, or an IOB2 span tag)."""

    id: str
    tokens: tuple[str, ...]
    tags: tuple[str, ...]
    passage: str | None = None

    def fields(self) -> list[object]:
        """Id, tokens and tags."""
        return [self.id, self.tokens, self.tags]

    def content(self) -> str:
        """The tokens with spaces between them."""
        return " ".join(self.tokens)


class Tagging(Task[TaggedSentence]):
    """A label a token."""

    name: ClassVar[str] = "tagging"
    metric: ClassVar[str] = "accuracy"
    columns: ClassVar[ColumnRoles] = {"id": None, "tokens": "tokens", "tags": "tags", "passage": None}

    def item(self, row: Row, said: Said) -> TaggedSentence:
        """A sentence whose tags are among those that the corpus says there may be."""
        tokens, tags = sentence(row, said, "tag")
        for at, tag in enumerate(tags):
            if said.names is not None and tag not in said.names:
                raise row.error(refusal("tag", tag, said.names), at)
        return TaggedSentence(identity(row, said.columns), tokens, tags, passage(row, said.columns))

    def gold(self, item: TaggedSentence) -> Sequence[str]:
        """A tag a token."""
        return item.tags

    def universal(self) -> frozenset[str]:
        """Which of the universal tags a language uses is a matter of its grammar."""
        return UNIVERSAL_TAGS

    def encode(self, pieces: Pieces, number: int, item: TaggedSentence) -> Iterator[TokenSequence]:
        """Windows cut between words, each word a unit."""
        return pieces.words_in_windows(number, item.tokens, item.tags)


def sentence(row: Row, said: Said, what: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Tokens and tags of a row, as many of each."""
    tokens, tags = (row.value(str(said.columns[role])) for role in ("tokens", "tags"))
    if not _is_list(tokens) or not _is_list(tags):
        raise row.error(f"{said.columns['tokens']!r} and {said.columns['tags']!r} must be lists, of one tag a token")
    if not len(tokens) or len(tokens) != len(tags):
        raise row.error(f"{len(tokens)} tokens and {len(tags)} tags; a row needs one tag a token")
    return tuple(map(str, tokens)), tuple(said.label(row, tag, what, at) for at, tag in enumerate(tags))


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


TASK = Tagging()
