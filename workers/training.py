"""Training: steps of AdamW with their stops, and task adapters on labelled items."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from adapters_zoo.backbone import Encoder
from adapters_zoo.heads import Head
from adapters_zoo.methods import add_untrained
from adapters_zoo.recipes import FewShotRecipe, TaskRecipe
from workers.encoding import EncodedItems, collate, training_batches
from workers.hidden_states import CachedText

Tick = Callable[[int, int], None]
"""Told (steps done, steps in all) now and then."""

_TAIL = 50


class TrainingError(RuntimeError):
    """Training that came to nothing usable: a loss that is not finite, or text too short to learn from."""


@dataclass(frozen=True, slots=True)
class TrainingResult:
    """Mean loss of the last steps (nats a prediction) and the seconds it took."""

    loss: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Stops:
    """The moments at which a run's state is kept: after each of ``parts`` of equal parts, the end not among them.

    ``keep`` is told the part and how it went so far, while the adapter has that state's weights.
    """

    of: int
    parts: Sequence[int]
    keep: Callable[[int, TrainingResult], None]

    def by_step(self, steps: int) -> dict[int, list[int]]:
        """The parts that end after each step of a run of so many; several, where steps are fewer than parts."""
        ending: dict[int, list[int]] = {}
        for part in self.parts:
            ending.setdefault(max(1, round(steps * part / self.of)), []).append(part)
        return ending


def train_task_adapter(
    encoder: Encoder,
    name: str,
    text: CachedText,
    recipe: TaskRecipe,
    *,
    labels: Sequence[str],
    seed: int,
    tick: Tick | None = None,
    drawn_by: int | None = None,
    frozen: Head | None = None,
    fused: Sequence[str] = (),
    stops: Callable[[Head], Stops] | None = None,
) -> tuple[Head, TrainingResult]:
    """Add adapter ``name`` and a head, trained on ``text``; or train the adapter under a ``frozen`` head.

    With names of loaded adapters as ``fused``, it is a fusion of them: only the fusion and the head learn.

    ``seed`` decides the order and, unless ``drawn_by`` gives another, the initialisation. ``stops``, given the head,
    say which states are kept. Raises ``TrainingError``, also where the frozen head has other labels.
    """
    start = time.monotonic()
    encoded = text.encoded
    if not encoded.sequences:
        raise TrainingError("there is not one labelled item to learn from")
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed if drawn_by is None else drawn_by)
    if fused:
        encoder.add_fusion(name, fused)
    else:
        add_untrained(encoder, name, recipe)
    if drawn_by not in (None, seed):
        torch.manual_seed(seed)
    head = Head(encoder.hidden_size, labels, recipe.pool).to(encoder.device) if frozen is None else frozen
    if head.labels != tuple(labels):
        raise TrainingError(f"the shared head has labels {', '.join(head.labels)}, not {', '.join(labels)}")
    steps = recipe.epochs * math.ceil(len(encoded.groups) / recipe.batch)

    def losses() -> Iterable[Tensor]:
        for _ in range(recipe.epochs):
            for indices in training_batches(encoded, recipe.batch, rng):
                loss = label_loss(encoder, head, text, indices, name)
                yield loss + encoder.fusion_penalty(name) if fused else loss

    with encoder.train(name, dropout=recipe.dropout) as parameters:
        learning = [*parameters, *(head.parameters() if frozen is None else ())]
        rates = falling(recipe.learning_rate, steps)
        loss = train_to_the_end(learning, losses(), rates, tick, stops(head) if stops else None)
    return head.eval(), TrainingResult(loss, time.monotonic() - start)


def train_few_shot(
    encoder: Encoder,
    name: str,
    head: Head,
    texts: Sequence[CachedText],
    how: FewShotRecipe,
    *,
    dropout: bool,
    seed: int,
) -> TrainingResult:
    """Train adapter ``name``, which is loaded, and its ``head`` on, by batches of all ``texts`` at once.

    A step's loss is the mean of those of the texts, so that a language of few items weighs as much as one of many.
    ``seed`` decides the order. Raises ``TrainingError``.
    """
    start, rng = time.monotonic(), np.random.default_rng(seed)
    torch.manual_seed(seed)
    streams = [(text, _endless(text.encoded, how.batch, rng)) for text in texts]

    def losses() -> Iterator[Tensor]:
        for _ in range(how.steps):
            yield torch.stack([label_loss(encoder, head, text, next(stream), name) for text, stream in streams]).mean()

    with encoder.train(name, dropout=dropout) as parameters:
        learning = [*parameters, *head.parameters()]
        loss = train_to_the_end(learning, losses(), falling(how.learning_rate, how.steps), None)
    head.eval()
    return TrainingResult(loss, time.monotonic() - start)


def _endless(encoded: EncodedItems, size: int, rng: np.random.Generator) -> Iterator[list[int]]:
    """Batches of one pass after the other."""
    if not encoded.sequences:
        raise TrainingError("there is not one labelled item to learn from")
    while True:
        yield from training_batches(encoded, size, rng)


def label_loss(encoder: Encoder, head: Head, text: CachedText, indices: Sequence[int], name: str) -> Tensor:
    """The loss of a batch, the sequences ``indices`` of a text, under task adapter ``name`` and a head."""
    batch = collate(text.encoded, indices, encoder.special.pad)
    states = encoder.above(text.seam(batch, indices, name), language=text.language, task=name)
    scores = head.over(states, batch.unit_of.to(encoder.device), batch.units)
    return text.encoded.task.loss(scores, batch, head.labels)


@dataclass(frozen=True, slots=True)
class Rates:
    """A learning rate by step: it rises linearly to its peak, and stays there or falls linearly to nought."""

    peak: float
    warm_up: int
    steps: int
    falls: bool

    def at(self, step: int) -> float:
        """The rate of a step, the first being 0."""
        rise = (step + 1) / max(1, self.warm_up)
        fall = (self.steps - step) / max(1, self.steps - self.warm_up) if self.falls else 1.0
        return self.peak * min(rise, fall, 1.0)


def falling(peak: float, steps: int) -> Rates:
    """A rate that rises over 6% of the steps and falls linearly."""
    return Rates(peak, max(1, round(0.06 * steps)), steps, falls=True)


def train_to_the_end(
    parameters: Sequence[nn.Parameter],
    losses: Iterable[Tensor],
    rates: Rates,
    tick: Tick | None,
    stops: Stops | None = None,
) -> float:
    """All steps, with their stops; returns the mean loss of the last ones."""
    start, loss = time.monotonic(), math.nan
    parts = stops.by_step(rates.steps) if stops else {}
    for step, loss in enumerate(descend(parameters, losses, rates, tick), start=1):
        for part in parts.get(step, ()):
            refuse_infinite(parameters, rates)
            assert stops is not None
            stops.keep(part, TrainingResult(loss, time.monotonic() - start))
    refuse_infinite(parameters, rates)
    return loss


def descend(
    parameters: Sequence[nn.Parameter], losses: Iterable[Tensor], rates: Rates, tick: Tick | None
) -> Iterator[float]:
    """AdamW over the losses, one step each; tells after each the mean of the last ones."""
    optimiser = torch.optim.AdamW(parameters, lr=rates.peak, weight_decay=0.01, fused=True)
    tail: list[float] = []
    for step, loss in enumerate(losses):
        value = float(loss.detach())
        if not math.isfinite(value):
            raise _diverged(f"the loss became {value} at step {step + 1} of {rates.steps}", rates)
        for group in optimiser.param_groups:
            group["lr"] = rates.at(step)
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
        optimiser.zero_grad()
        tail = [*tail[-_TAIL + 1 :], value]
        if tick is not None and step % 10 == 9:
            tick(step + 1, rates.steps)
        yield float(np.mean(tail))


def refuse_infinite(parameters: Sequence[nn.Parameter], rates: Rates) -> None:
    """Raises ``TrainingError`` where a step left weights that are not finite."""
    if not all(bool(parameter.isfinite().all()) for parameter in parameters):
        raise _diverged("the last step left weights that are not finite", rates)


def _diverged(how: str, rates: Rates) -> TrainingError:
    return TrainingError(f"{how}; lower learning_rate ({rates.peak})")
