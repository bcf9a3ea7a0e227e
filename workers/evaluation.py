"""Measuring one target column: its items under one language adapter at a time, for all task adapters at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from adapters_zoo.backbone import Encoder
from adapters_zoo.engine import Seam
from adapters_zoo.heads import Head
from workers.corpora.types import Dataset
from workers.encoding import TOKENS, EncodedItems, collate, evaluation_batches
from workers.sequences import TokenSequence
from workers.tasks.scoring import Outcome


@dataclass(frozen=True, slots=True)
class Contestant:
    """A task adapter that is loaded, by its name in the encoder, with its head."""

    name: str
    head: Head


def evaluate(
    encoder: Encoder, dataset: Dataset, encoded: EncodedItems, language: str | None, contestants: Sequence[Contestant]
) -> list[list[Outcome]]:
    """Per-item outcomes of each contestant on ``dataset`` (tokenised as ``encoded``) under a ``language`` adapter.

    What lies below the task adapters is computed once for all of them. Beyond that each runs alone, so that what one
    scores does not depend, to the last bit, on what else is measured beside it.
    """
    kept: list[list[Any]] = [[()] * len(encoded.sequences) for _ in contestants]
    with torch.inference_mode():
        for indices in evaluation_batches(encoded, TOKENS[encoder.device.type]):
            batch = collate(encoded, indices, encoder.special.pad)
            unit_of = batch.unit_of.to(encoder.device)
            seams: dict[int, Seam] = {}
            for contestant, outputs in zip(contestants, kept, strict=True):
                layer = encoder.lowest_layer(contestant.name)
                if layer not in seams:
                    seams[layer] = encoder.seam(
                        batch.ids, batch.mask, batch.types, language=language, task=contestant.name
                    )
                states = encoder.above(seams[layer], language=language, task=contestant.name)
                read = encoded.task.read(contestant.head.over(states, unit_of, batch.units))
                start = 0
                for index, size in zip(indices, batch.sizes, strict=True):
                    outputs[index] = read[start : start + size]
                    start += size
    return [
        outcomes_of(dataset, encoded, outputs, contestant.head.labels)
        for contestant, outputs in zip(contestants, kept, strict=True)
    ]


def outcomes_of(
    dataset: Dataset, encoded: EncodedItems, outputs: Sequence[Any], labels: Sequence[str]
) -> list[Outcome]:
    """The outcome of each item, from what the task's ``read`` kept of each sequence's scores."""
    task = encoded.task
    of_item: list[list[tuple[TokenSequence, Any]]] = [[] for _ in dataset.items]
    for sequence, output in zip(encoded.sequences, outputs, strict=True):
        of_item[sequence.item].append((sequence, output))
    return [
        task.outcome(item, task.answer(item, parts, labels), dataset.language)
        for item, parts in zip(dataset.items, of_item, strict=True)
    ]
