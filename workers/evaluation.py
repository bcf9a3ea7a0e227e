"""Measuring one target column: its items under one language adapter at a time, all task adapters side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from adapters_zoo.heads import Head, pool
from adapters_zoo.library import Encoder
from workers.corpora.types import Dataset
from workers.encoding import EncodedItems, collate, evaluation_batches
from workers.scoring import Outcome, outcome

TOKENS = 8192
"""Padded positions a batch, over all task adapters side by side: bounds memory, part of what decides the arithmetic."""


@dataclass(frozen=True, slots=True)
class Contestant:
    """A task adapter that is loaded, by its name in the encoder, with its head."""

    name: str
    head: Head


def evaluate(
    encoder: Encoder, dataset: Dataset, encoded: EncodedItems, language: str | None, contestants: Sequence[Contestant]
) -> list[list[Outcome]]:
    """Per-item outcomes of each contestant on ``dataset`` (tokenised as ``encoded``) under a ``language`` adapter.

    All contestants run in one forward pass, ``Stack(language, Parallel(...))``, which equals running them one by one.
    """
    encoder.activate(language, [contestant.name for contestant in contestants])
    predicted: list[list[list[str | None]]] = [[[None] * len(labels) for labels in encoded.labels] for _ in contestants]
    with torch.inference_mode():
        for indices in evaluation_batches(encoded, TOKENS // len(contestants)):
            batch = collate(encoded, indices, encoder.special.pad)
            states = encoder.hidden(batch.ids, batch.mask)
            unit_of = batch.unit_of.to(encoder.device)
            for part, contestant, answers in zip(states.split(len(indices)), contestants, predicted, strict=True):
                choices = contestant.head(pool(part, unit_of, len(batch.units))).argmax(1).tolist()
                for (item, unit), choice in zip(batch.units, choices, strict=True):
                    answers[item][unit] = contestant.head.labels[choice]
    return [
        [outcome(dataset.kind, gold, guess) for gold, guess in zip(encoded.labels, answers, strict=True)]
        for answers in predicted
    ]
