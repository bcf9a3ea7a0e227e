"""Items to token sequences and batches: everything between a corpus and a tensor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
import torch

from adapters_zoo.backbone import Encoder
from workers.corpora.types import Dataset
from workers.sequences import Batch, Pieces, TokenSequence
from workers.tasks.base import Task

TOKENS = {"cpu": 2048, "cuda": 32768}
"""Padded positions of a batch that is only read: what fits a processor's cache, or fills a GPU."""


@dataclass(frozen=True, slots=True)
class EncodedItems:
    """The items of a task as token sequences, those of one item next to each other."""

    task: Task[Any]
    sequences: tuple[TokenSequence, ...]
    items: int

    @property
    def cut(self) -> int:
        """Items of which something is in no sequence, because it is beyond the encoder's reach."""
        return len({sequence.item for sequence in self.sequences if sequence.cut})

    @property
    def groups(self) -> list[list[int]]:
        """The sequences that must meet in a batch of training, by index: those of an item, or each alone."""
        if not self.task.together:
            return [[index] for index in range(len(self.sequences))]
        by_item = groupby(range(len(self.sequences)), lambda index: self.sequences[index].item)
        return [[*indices] for _, indices in by_item]


def encode_items(encoder: Encoder, *datasets: Dataset) -> EncodedItems:
    """Tokenise the items of data sets of one task, as that task does."""
    pieces, task = Pieces(encoder), datasets[0].rules
    items = [item for dataset in datasets for item in dataset.items]
    sequences = [sequence for number, item in enumerate(items) for sequence in task.encode(pieces, number, item)]
    return EncodedItems(task, tuple(sequences), len(items))


def training_batches(encoded: EncodedItems, size: int, rng: np.random.Generator) -> Iterator[list[int]]:
    """One pass over the groups of sequences in random batches of similar length, ``size`` groups a batch: indices."""
    groups = encoded.groups
    order = rng.permutation(len(groups))
    pool = 16 * size
    batches: list[list[int]] = []
    for start in range(0, len(order), pool):
        part = sorted(order[start : start + pool], key=lambda at: _longest(encoded, groups[at]))
        batches.extend([*part[i : i + size]] for i in range(0, len(part), size))
    for index in rng.permutation(len(batches)):
        yield [sequence for group in batches[index] for sequence in groups[group]]


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
    chosen = tuple(encoded.sequences[index] for index in indices)
    length = max(len(sequence.ids) for sequence in chosen)
    ids = np.full((len(chosen), length), pad, dtype=np.int64)
    mask, types = (np.zeros((len(chosen), length), dtype=np.int64) for _ in range(2))
    unit_of = np.full((len(chosen), length), -1, dtype=np.int64)
    sizes: list[int] = []
    for row, sequence in enumerate(chosen):
        n = len(sequence.ids)
        ids[row, :n], mask[row, :n] = sequence.ids, 1
        present, own = sequence.units, sequence.unit_of >= 0
        unit_of[row, :n][own] = sum(sizes) + np.searchsorted(present, sequence.unit_of[own])
        sizes.append(len(present))
        if sequence.types is not None:
            types[row, :n] = sequence.types
    return Batch(
        torch.from_numpy(ids),
        torch.from_numpy(mask),
        torch.from_numpy(unit_of),
        torch.from_numpy(types) if any(sequence.types is not None for sequence in chosen) else None,
        chosen,
        tuple(sizes),
    )


def token_stream(encoder: Encoder, sentences: Sequence[str]) -> np.ndarray:
    """Sentences as one int32 stream of token ids, each closed by the end token: what language modelling reads."""
    encoded = encoder.tokenizer.encode_batch(list(sentences), add_special_tokens=False)
    end = encoder.special.end
    return np.fromiter((id_ for sequence in encoded for id_ in [*sequence.ids, end]), dtype=np.int32)


def window_starts(stream: np.ndarray, length: int, end: int) -> np.ndarray:
    """Where a window of ``length`` tokens may begin in a stream: at the first token of a sentence.

    Evaluation only ever shows whole sentences from their beginning, so a window that starts within one would teach
    positions that never occur. 0 alone where no sentence has that many tokens from its beginning on.
    """
    starts: np.ndarray = np.r_[0, np.flatnonzero(stream == end) + 1]
    fitting: np.ndarray = starts[starts <= len(stream) - length]
    return fitting if len(fitting) else starts[:1]


def _longest(encoded: EncodedItems, group: Sequence[int]) -> int:
    return max(len(encoded.sequences[index].ids) for index in group)
