"""Token sequences: what an encoder reads of words, texts and pairs of texts, and batches of them.

Plain data, and the tokenizer: nothing here computes, so that whoever reads corpora need not wait for torch.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

    from adapters_zoo.backbone import Encoder


@dataclass(frozen=True, slots=True)
class TokenSequence:
    """A token sequence. ``unit_of[i]`` is the unit position i belongs to (-1: none), counted within its item.

    ``gold`` is what training wants of its units, as the task's ``loss`` reads it; ``types`` are token types (segment
    ids), None for all 0; ``places`` are the characters of its item's text that each unit is made of, where an answer
    is text; ``cut`` says that it lacks something of what it should hold.
    """

    item: int
    ids: np.ndarray
    unit_of: np.ndarray
    gold: tuple[Any, ...] = ()
    types: np.ndarray | None = None
    places: tuple[tuple[int, int], ...] = ()
    cut: bool = False

    @property
    def units(self) -> tuple[int, ...]:
        """Its units in ascending order."""
        return tuple(np.unique(self.unit_of[self.unit_of >= 0]).tolist())


@dataclass(frozen=True, slots=True)
class Batch:
    """Padded sequences: ``ids``, ``mask`` and ``unit_of`` are [batch, length]; units are numbered through the batch.

    ``types`` are token types [batch, length], None where all are 0.
    """

    ids: Tensor
    mask: Tensor
    unit_of: Tensor
    types: Tensor | None
    sequences: tuple[TokenSequence, ...]
    sizes: tuple[int, ...]
    """How many units each sequence has; they are numbered one sequence after the other."""

    @property
    def units(self) -> int:
        """How many units there are in all."""
        return sum(self.sizes)


class Text(NamedTuple):
    """Piece ids of a text, and the characters of it (from, to) that each is made of."""

    ids: list[int]
    offsets: list[tuple[int, int]]


class Pieces:
    """What an encoder reads of words, texts and pairs of texts, joined by the special tokens it was trained with."""

    def __init__(self, encoder: Encoder) -> None:
        self._tokenizer, self._special = encoder.tokenizer, encoder.special
        self._types = encoder.token_types > 1
        self._max_length = encoder.max_length
        self.room = encoder.max_length - 2

    @property
    def pair_room(self) -> int:
        """Pieces of two texts together that fit a sequence."""
        return self._max_length - len(self._pair.before) - len(self._pair.between) - len(self._pair.after)

    def text(self, text: str) -> Text:
        """The pieces of a text; the unknown one where the tokenizer leaves nothing of it."""
        encoded = self._tokenizer.encode(text, add_special_tokens=False)
        return Text(encoded.ids, encoded.offsets) if encoded.ids else Text([self._special.unknown], [(0, len(text))])

    def words(self, tokens: Sequence[str]) -> list[list[int]]:
        """The pieces of each word of a sentence; of one that the tokenizer drops altogether the unknown piece.

        A word that is not the first comes behind a space, where the tokenizer tells a word by that.
        """
        if self._spaced:
            tokens = [f" {token}" if at else token for at, token in enumerate(tokens)]
        words = self._tokenizer.encode_batch(list(tokens), add_special_tokens=False)
        return [word.ids or [self._special.unknown] for word in words]

    def words_in_windows(self, item: int, tokens: Sequence[str], gold: Sequence[str]) -> Iterator[TokenSequence]:
        """Sequences of whole words, each word a unit; a word longer than the encoder takes stands alone, cut short."""
        words = self.words(tokens)
        for start, stop in _windows([len(word) for word in words], self.room):
            ids = [id_ for word in words[start:stop] for id_ in word]
            units = [unit for unit in range(start, stop) for _ in words[unit]]
            yield TokenSequence(
                item,
                self._between_ends(ids[: self.room]),
                np.array([-1, *units[: self.room], -1], dtype=np.int64),
                tuple(gold[start:stop]),
                cut=len(ids) > self.room,
            )

    def single(self, item: int, ids: Sequence[int], gold: str, *, cut: bool) -> TokenSequence:
        """A sequence of one unit, of all its pieces."""
        units = np.array([-1, *[0] * len(ids), -1], dtype=np.int64)
        return TokenSequence(item, self._between_ends(ids), units, (gold,), cut=cut)

    def pair(self, item: int, first: str, second: str, *, unit: int, gold: tuple[Any, ...]) -> TokenSequence:
        """Two texts as one unit; the longer one loses its end until both fit."""
        first_ids, second_ids = self.text(first).ids, self.text(second).ids
        whole = len(first_ids) + len(second_ids)
        keep_one, keep_two = _shares(len(first_ids), len(second_ids), self.pair_room)
        first_ids, second_ids = first_ids[:keep_one], second_ids[:keep_two]
        return self.joined(
            item,
            first_ids,
            second_ids,
            first_units=[unit] * len(first_ids),
            second_units=[unit] * len(second_ids),
            gold=gold,
            cut=len(first_ids + second_ids) < whole,
        )

    def joined(
        self,
        item: int,
        first: Sequence[int],
        second: Sequence[int],
        *,
        second_units: Sequence[int],
        first_units: Sequence[int] | None = None,
        begin: int = -1,
        gold: tuple[Any, ...],
        places: tuple[tuple[int, int], ...] = (),
        cut: bool = False,
    ) -> TokenSequence:
        """Pieces of two texts as the tokenizer joins a pair; ``begin`` is the unit of the sequence's first token."""
        pair = self._pair
        parts = (pair.before, first, pair.between, second, pair.after)
        units = [-1] * sum(map(len, parts))
        at, then = len(pair.before), len(pair.before) + len(first) + len(pair.between)
        units[at : at + len(first)] = [-1] * len(first) if first_units is None else first_units
        units[then : then + len(second)] = second_units
        units[0] = begin
        types = None
        if self._types and any(pair.types):
            types = np.array([type_ for type_, part in zip(pair.types, parts, strict=True) for _ in part])
        ids = np.array([id_ for part in parts for id_ in part], dtype=np.int64)
        return TokenSequence(item, ids, np.array(units, dtype=np.int64), gold, types, places, cut)

    def _between_ends(self, ids: Sequence[int]) -> np.ndarray:
        return np.array([self._special.begin, *ids, self._special.end], dtype=np.int64)

    @cached_property
    def _pair(self) -> _Pair:
        """How the tokenizer joins two texts: by its own template; where it has none, as BERT's or RoBERTa's does."""
        encoded = self._tokenizer.encode("a", "a")
        of = encoded.sequence_ids
        if of.count(None):
            ids, types = encoded.ids, encoded.type_ids
            first, second = of.index(0), of.index(1)
            ends = len(of) - of[::-1].index(0), len(of) - of[::-1].index(1)
            return _Pair(
                ids[:first],
                ids[ends[0] : second],
                ids[ends[1] :],
                (types[0], types[first], types[ends[0]], types[second], types[-1]),
            )
        begin, end = self._special.begin, self._special.end
        return _Pair([begin], [end], [end], (0, 0, 0, 1, 1)) if self._types else _Pair([begin], [end, end], [end])

    @cached_property
    def _spaced(self) -> bool:
        """Whether a piece that begins a word is told by the space before it, which a lone word lacks.

        So it is in byte-level tokenizers (RoBERTa's) and in SentencePiece's, unless they put it there themselves.
        """
        steps = json.loads(self._tokenizer.to_str())["pre_tokenizer"] or {}
        for step in steps.get("pretokenizers", [steps]):
            if step.get("type") == "ByteLevel":
                return not step["add_prefix_space"]
            if step.get("type") == "Metaspace":
                return str(step.get("prepend_scheme", "always")) == "never" or step.get("add_prefix_space") is False
        return False


class _Pair(NamedTuple):
    """Special tokens before, between and behind two texts, and the token types of the five parts."""

    before: list[int]
    between: list[int]
    after: list[int]
    types: tuple[int, int, int, int, int] = (0, 0, 0, 0, 0)


def _windows(lengths: Sequence[int], room: int) -> Iterator[tuple[int, int]]:
    """Cut words of the given lengths into runs that fit ``room`` tokens; a longer word stands alone."""
    start, used = 0, 0
    for index, length in enumerate(lengths):
        if used + length > room and index > start:
            yield start, index
            start, used = index, 0
        used += length
    if start < len(lengths):
        yield start, len(lengths)


def _shares(first: int, second: int, room: int) -> tuple[int, int]:
    """How much is kept of two texts so that both fit: the longer one is cut first."""
    if first + second <= room:
        return first, second
    half = room // 2
    if first <= half:
        return first, room - first
    if second <= half:
        return room - second, second
    return room - half, half
