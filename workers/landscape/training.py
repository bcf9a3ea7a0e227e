"""Training of the runs that are held together: from one start, by one order, under one frozen head, with one budget.

Every step reads two half batches, and its loss is the mean of theirs. The first half is the source's, the same in all
runs of a seed. The second is the source's next half, or the other language's. So all runs take the same steps and read
as many items, and a run of two languages reads half as many of the source's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from adapters_zoo.backbone import Encoder
from adapters_zoo.combination import combined
from adapters_zoo.heads import Head
from adapters_zoo.methods import add_untrained
from adapters_zoo.recipes import TaskRecipe
from workers.encoding import EncodedItems, training_batches
from workers.hidden_states import CachedText
from workers.training import Tick, descend, falling, label_loss, refuse_infinite

LAST, START, AVERAGED, AVERAGED_HALF = "last", "start", "averaged", "averaged_half"
"""The states of a run: its last, its first, the mean of all snapshots, and the mean of the later half of them."""

States = dict[str, dict[str, Tensor]]
_NAME = "learner"


def train_head(
    encoder: Encoder,
    recipe: TaskRecipe,
    source: CachedText,
    labels: Sequence[str],
    seed: int,
    tick: Tick | None,
) -> Head:
    """The head of a run on the source alone, in which it learns with the rest."""
    torch.manual_seed(seed)
    head = Head(encoder.hidden_size, labels, recipe.pool).to(encoder.device)
    _train(encoder, recipe, source, None, head, seed, learns=True, snapshots=1, tick=tick)
    return head.requires_grad_(False).eval()


def train_run(
    encoder: Encoder,
    recipe: TaskRecipe,
    source: CachedText,
    beside: CachedText | None,
    head: Head,
    seed: int,
    *,
    snapshots: int = 1,
    tick: Tick | None = None,
) -> States:
    """The states of a run under a frozen head; those of several snapshots, and the start, only where there are such.

    ``seed`` decides start and order. Raises ``TrainingError``.
    """
    torch.manual_seed(seed)
    kept = _train(encoder, recipe, source, beside, head, seed, learns=False, snapshots=snapshots, tick=tick)
    start, *later = kept
    if snapshots == 1:
        return {LAST: later[-1]}
    half = later[len(later) // 2 :]
    return {LAST: later[-1], START: start, AVERAGED: _mean(later), AVERAGED_HALF: _mean(half)}


def steps_of(recipe: TaskRecipe, source: EncodedItems) -> int:
    """How many steps every run of a source takes."""
    return recipe.epochs * -(-len(source.groups) // recipe.batch)


def _train(
    encoder: Encoder,
    recipe: TaskRecipe,
    source: CachedText,
    beside: CachedText | None,
    head: Head,
    seed: int,
    *,
    learns: bool,
    snapshots: int,
    tick: Tick | None,
) -> list[dict[str, Tensor]]:
    """The state at the start, and after each of ``snapshots`` equal parts of the steps."""
    add_untrained(encoder, _NAME, recipe)
    steps = steps_of(recipe, source.encoded)
    keep = {round(steps * part / snapshots) for part in range(1, snapshots + 1)}
    kept = [_state(encoder)]

    def losses() -> Iterator[Tensor]:
        half = recipe.batch // 2
        own, text = _batches(source.encoded, half, np.random.default_rng(seed)), beside or source
        other = _batches(text.encoded, half, np.random.default_rng((seed, 1)))
        for _ in range(steps):
            first, second = next(own), next(own)
            last = second if beside is None else next(other)
            yield (label_loss(encoder, head, source, first, _NAME) + label_loss(encoder, head, text, last, _NAME)) / 2

    try:
        with encoder.train(_NAME, dropout=recipe.dropout) as parameters:
            learning = [*parameters, *(head.parameters() if learns else ())]
            rates = falling(recipe.learning_rate, steps)
            for step, _ in enumerate(descend(learning, losses(), rates, tick), start=1):
                if step in keep:
                    refuse_infinite(learning, rates)
                    kept.append(_state(encoder))
    finally:
        encoder.remove(_NAME)
    return kept


def _batches(encoded: EncodedItems, size: int, rng: np.random.Generator) -> Iterator[list[int]]:
    while True:
        yield from training_batches(encoded, size, rng)


def _state(encoder: Encoder) -> dict[str, Tensor]:
    return {name: weight.cpu().clone() for name, weight in encoder.parameters_of(_NAME).items()}


def _mean(states: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    return combined([(state, 1 / len(states)) for state in states])
