"""Items to token sequences and batches: everything between a corpus and a tensor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from adapters_zoo.backbone import Encoder
from workers.corpora.types import Item, TaggedSentence, labels_of

TOKENS = {"cpu": 2048, "cuda": 32768}
"""Padded positions of a batch that is only read: what fits a processor's cache, or fills a GPU."""


@dataclass(frozen=True, slots=True)
class TokenSequence:
    """A token sequence. ``unit_of[i]`` is the unit position i belongs to (-1: none), counted within its item."""

    item: int
    ids: np.ndarray
    unit_of: np.ndarray


@dataclass(frozen=True, slots=True)
class EncodedItems:
    """Items as token sequences. An item longer than the encoder takes is several sequences, cut between words."""

    sequences: tuple[TokenSequence, ...]
    labels: tuple[tuple[str, ...], ...]
    """Per item, the label of each of its units: a tag a word, or one for the text."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Padded sequences: ``ids``, ``mask`` and ``unit_of`` are [batch, length]; units are numbered through the batch."""

    ids: Tensor
    mask: Tensor
    unit_of: Tensor
    units: tuple[tuple[int, int], ...]
    """Where each unit of the batch comes from: (item, unit within the item)."""


def encode_items(encoder: Encoder, items: Sequence[Item]) -> EncodedItems:
    """Tokenise labelled items. Words of a tagged sentence keep their borders; a text is one unit."""
    room = encoder.max_length - 2
    sequences: list[TokenSequence] = []
    for index, item in enumerate(items):
        words = _word_pieces(encoder, item)
        for start, stop in _windows([len(word) for word in words], room):
            sequences.append(_sequence(encoder, index, words[start:stop], start, whole=not _is_tagged(item)))
            if not _is_tagged(item):
                break  # A text has one label: its first window decides.
    return EncodedItems(tuple(sequences), tuple(labels_of(item) for item in items))


def training_batches(encoded: EncodedItems, size: int, rng: np.random.Generator) -> Iterator[list[int]]:
    """One pass over the sequences in random batches of similar length: indices, ``size`` a batch."""
    order = rng.permutation(len(encoded.sequences))
    pool = 16 * size
    batches: list[np.ndarray] = []
    for start in range(0, len(order), pool):
        part = sorted(order[start : start + pool], key=lambda index: len(encoded.sequences[index].ids))
        batches.extend(np.array(part[i : i + size]) for i in range(0, len(part), size))
    for index in rng.permutation(len(batches)):
        yield batches[index].tolist()


def evaluation_batches(encoded: EncodedItems, tokens: int) -> Iterator[list[int]]:
    """All sequences, longest first, at most ``tokens`` padded positions a batch (at least one sequence)."""
    order = sorted(range(len(encoded.sequences)), key=lambda index: -len(encoded.sequences[index].ids))
    start = 0
    while start < len(order):
        size = max(1, tokens // len(encoded.sequences[order[start]].ids))
        yield order[start : start + size]
        start += size


def collate(encoded: EncodedItems, indices: Sequence[int], pad: int) -> Batch:
    """Pad the chosen sequences to the longest of them and number their units."""
    chosen = [encoded.sequences[index] for index in indices]
    length = max(len(sequence.ids) for sequence in chosen)
    ids = np.full((len(chosen), length), pad, dtype=np.int64)
    mask = np.zeros((len(chosen), length), dtype=np.int64)
    unit_of = np.full((len(chosen), length), -1, dtype=np.int64)
    units: list[tuple[int, int]] = []
    for row, sequence in enumerate(chosen):
        n = len(sequence.ids)
        ids[row, :n], mask[row, :n] = sequence.ids, 1
        present = np.unique(sequence.unit_of[sequence.unit_of >= 0])
        own = sequence.unit_of >= 0
        unit_of[row, :n][own] = len(units) + np.searchsorted(present, sequence.unit_of[own])
        units.extend((sequence.item, int(unit)) for unit in present)
    return Batch(torch.from_numpy(ids), torch.from_numpy(mask), torch.from_numpy(unit_of), tuple(units))


def token_stream(encoder: Encoder, sentences: Sequence[str]) -> np.ndarray:
    """Sentences as one int32 stream of token ids, each closed by the end token: what language modelling reads."""
    encoded = encoder.tokenizer.encode_batch(list(sentences), add_special_tokens=False)
    end = encoder.special.end
    return np.fromiter((id_ for one in encoded for id_ in [*one.ids, end]), dtype=np.int32)


def window_starts(stream: np.ndarray, length: int, end: int) -> np.ndarray:
    """Where a window of ``length`` tokens may begin in a stream: at the first token of a sentence.

    Evaluation only ever shows whole sentences from their beginning, so a window that starts within one would teach
    positions that never occur. 0 alone where no sentence has that many tokens from its beginning on.
    """
    starts: np.ndarray = np.r_[0, np.flatnonzero(stream == end) + 1]
    fitting: np.ndarray = starts[starts <= len(stream) - length]
    return fitting if len(fitting) else starts[:1]


def _is_tagged(item: Item) -> bool:
    return isinstance(item, TaggedSentence)


def _word_pieces(encoder: Encoder, item: Item) -> list[list[int]]:
    """The token ids of each word; of a text, of each piece (so that it can be cut anywhere)."""
    if not isinstance(item, TaggedSentence):
        ids = encoder.tokenizer.encode(item.text, add_special_tokens=False).ids
        return [[id_] for id_ in ids or [encoder.special.unknown]]
    words = encoder.tokenizer.encode_batch(list(item.tokens), add_special_tokens=False)
    # A word (or text) of characters the tokenizer drops altogether still wants a label.
    return [word.ids or [encoder.special.unknown] for word in words]


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


def _sequence(encoder: Encoder, item: int, words: Sequence[Sequence[int]], first: int, *, whole: bool) -> TokenSequence:
    room = encoder.max_length - 2
    ids = [id_ for word in words for id_ in word][:room]
    units = [0 if whole else first + index for index, word in enumerate(words) for _ in word][:room]
    return TokenSequence(
        item,
        np.array([encoder.special.begin, *ids, encoder.special.end], dtype=np.int64),
        np.array([-1, *units, -1], dtype=np.int64),
    )
