"""Measuring one target column: its items under one language adapter at a time, for all task adapters at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from adapters_zoo.backbone import Encoder
from adapters_zoo.engine import Seam
from adapters_zoo.heads import Head, pool
from workers.corpora.types import Dataset
from workers.encoding import TOKENS, EncodedItems, collate, evaluation_batches
from workers.scoring import Outcome, outcome


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
    predicted: list[list[list[str | None]]] = [[[None] * len(labels) for labels in encoded.labels] for _ in contestants]
    with torch.inference_mode():
        for indices in evaluation_batches(encoded, TOKENS[encoder.device.type]):
            batch = collate(encoded, indices, encoder.special.pad)
            unit_of = batch.unit_of.to(encoder.device)
            seams: dict[int, Seam] = {}
            for contestant, answers in zip(contestants, predicted, strict=True):
                layer = encoder.lowest_layer(contestant.name)
                if layer not in seams:
                    seams[layer] = encoder.seam(batch.ids, batch.mask, language=language, task=contestant.name)
                states = encoder.above(seams[layer], language=language, task=contestant.name)
                choices = contestant.head(pool(states, unit_of, len(batch.units))).argmax(1).tolist()
                for (item, unit), choice in zip(batch.units, choices, strict=True):
                    answers[item][unit] = contestant.head.labels[choice]
    return [
        [outcome(dataset.kind, gold, guess) for gold, guess in zip(encoded.labels, answers, strict=True)]
        for answers in predicted
    ]
