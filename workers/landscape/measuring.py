"""What is read off a point of the landscape: error and loss of a language's items under its weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from adapters_zoo.backbone import Encoder
from adapters_zoo.combination import State, standing
from adapters_zoo.heads import Head
from adapters_zoo.recipes import TaskRecipe
from workers.corpora.types import Dataset
from workers.encoding import TOKENS, collate, evaluation_batches
from workers.evaluation import outcomes_of
from workers.hidden_states import CachedText
from workers.scoring import score

_NAME = "point"


@dataclass(frozen=True, slots=True)
class Reading:
    """``error`` is 1 less the task's metric, None where that is not defined; ``loss`` nats an answer; ``n`` items."""

    error: float | None
    loss: float
    n: int


@dataclass(frozen=True, slots=True)
class Exam:
    """The items that a language is measured by, as the encoder's frozen layers leave them."""

    dataset: Dataset
    text: CachedText


def read_point(encoder: Encoder, recipe: TaskRecipe, state: State, head: Head, tests: list[Exam]) -> list[Reading]:
    """A reading of each of ``tests`` under the weights ``state``, of an adapter that ``recipe`` makes, and ``head``."""
    with standing(encoder, _NAME, recipe, state), torch.inference_mode():
        return [_read(encoder, head, test) for test in tests]


def _read(encoder: Encoder, head: Head, test: Exam) -> Reading:
    encoded, task = test.text.encoded, test.text.encoded.task
    kept: list[Any] = [()] * len(encoded.sequences)
    loss, answers = 0.0, 0
    for indices in evaluation_batches(encoded, TOKENS[encoder.device.type]):
        batch = collate(encoded, indices, encoder.special.pad)
        states = encoder.above(test.text.seam(batch, indices, _NAME), task=_NAME)
        scores = head.over(states, batch.unit_of.to(encoder.device), batch.units)
        # A batch's loss is a mean over what is answered in it: words, texts, or the ends of spans.
        answered = sum(len(sequence.gold) for sequence in batch.sequences)
        loss += answered * float(task.loss(scores, batch, head.labels))
        answers += answered
        start, read = 0, task.read(scores)
        for index, size in zip(indices, batch.sizes, strict=True):
            kept[index] = read[start : start + size]
            start += size
    found = score(outcomes_of(test.dataset, encoded, kept, head.labels))
    return Reading(None if found is None else 1 - found, loss / answers, len(test.dataset.items))
