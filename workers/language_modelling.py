"""Masked-language modelling on raw text: training of a language adapter, or of the encoder itself."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from adapters_zoo.backbone import Encoder
from adapters_zoo.recipes import LanguageAdapterRecipe, ShiftRecipe
from adapters_zoo.tokens import Vocabulary
from workers.encoding import token_stream, window_starts
from workers.training import (
    Rates,
    Stops,
    Tick,
    TrainingError,
    TrainingResult,
    descend,
    falling,
    refuse_infinite,
    train_to_the_end,
)

Keep = Callable[[int, Mapping[str, Tensor], TrainingResult], None]
"""Given the weights after so many steps, which change when it returns, and how it went so far."""


def train_language_adapter(
    encoder: Encoder,
    name: str,
    sentences: Sequence[str],
    recipe: LanguageAdapterRecipe,
    tick: Tick | None = None,
    *,
    stops: Stops | None = None,
) -> TrainingResult:
    """Add adapter ``name`` to ``encoder`` and train it by masked-language modelling. Raises ``TrainingError``."""
    start = time.monotonic()
    stream = _long_enough(token_stream(encoder, sentences), recipe.length)
    torch.manual_seed(recipe.seed)
    encoder.add_language_adapter(name, reduction=recipe.reduction)
    with encoder.train(name) as parameters:
        losses = _language_losses(encoder, stream, recipe, recipe.steps, name, recipe.others)
        loss = train_to_the_end(parameters, losses, falling(recipe.learning_rate, recipe.steps), tick, stops)
    return TrainingResult(loss, time.monotonic() - start)


def shift_encoder(
    encoder: Encoder,
    sentences: Sequence[str],
    recipe: ShiftRecipe,
    budgets: Sequence[int],
    keep: Keep,
    tick: Tick | None = None,
) -> None:
    """Train all weights of ``encoder`` by masked-language modelling, and ``keep`` them after each of ``budgets`` steps.

    No adapter takes part. Afterwards the encoder is what it was before. Raises ``TrainingError``; what was kept until
    then is sound.
    """
    start = time.monotonic()
    stream = _long_enough(token_stream(encoder, sentences), recipe.length)
    torch.manual_seed(recipe.seed)
    with encoder.train_whole() as learning:
        parameters = list(learning.parameters.values())
        losses = _language_losses(encoder, stream, recipe, max(budgets), None)
        rates = Rates(recipe.learning_rate, recipe.warm_up, max(budgets), falls=False)
        for step, loss in enumerate(descend(parameters, losses, rates, tick), start=1):
            if step in budgets:
                refuse_infinite(parameters, rates)
                keep(step, learning.changed(), TrainingResult(loss, time.monotonic() - start))


def packed_batch(stream: np.ndarray, starts: np.ndarray, length: int, begin: int) -> Tensor:
    """The windows of a token stream that begin at ``starts``, each behind the begin token: [len(starts), length]."""
    ids = np.full((len(starts), length), begin, dtype=np.int64)
    for row, at in enumerate(starts):
        ids[row, 1:] = stream[at : at + length - 1]
    return torch.from_numpy(ids)


@dataclass(frozen=True, slots=True)
class Masked:
    """Ids to read [batch, length], which positions to predict (bool, same shape), and the ids that stood there."""

    ids: Tensor
    chosen: Tensor
    targets: Tensor


def mask_tokens(ids: Tensor, share: float, vocabulary: Vocabulary) -> Masked:
    """BERT's masking (Devlin et al. 2019): of the chosen positions 80% masked, 10% random, 10% left as they are.

    Random tokens are ordinary pieces. Raises ``TrainingError`` where the tokenizer has no mask token.
    """
    special, ordinary = vocabulary.special, vocabulary.ordinary
    if special.mask is None:
        raise TrainingError("the tokenizer has no mask token, so nothing can learn by masked-language modelling")
    allowed = ~torch.isin(ids, torch.tensor(special.all))
    chosen = (torch.rand(ids.shape) < share) & allowed
    if not chosen.any():
        chosen[0, int(allowed[0].int().argmax())] = True
    shown, draw = ids.clone(), torch.rand(ids.shape)
    shown[chosen & (draw < 0.8)] = special.mask
    random = chosen & (draw >= 0.9)
    shown[random] = ordinary[torch.randint(len(ordinary), (int(random.sum()),))]
    return Masked(shown, chosen, ids[chosen])


def _long_enough(stream: np.ndarray, length: int) -> np.ndarray:
    if len(stream) <= length:
        raise TrainingError(f"{len(stream)} tokens of text are too few; at least {length + 1} are needed")
    return stream


def _language_losses(
    encoder: Encoder,
    stream: np.ndarray,
    recipe: LanguageAdapterRecipe | ShiftRecipe,
    steps: int,
    language: str | None,
    others: int | None = None,
) -> Iterator[Tensor]:
    """The loss of each step of masked-language modelling, under a language adapter or none (nats a prediction).

    ``others``: as in the recipe of language adapters; None: predictions are held against the whole vocabulary.
    """
    candidates = None if others is None else Candidates(stream, encoder.vocabulary.ordinary, others)
    rng, rows = np.random.default_rng(recipe.seed), max(1, recipe.tokens // recipe.length)
    starts = window_starts(stream, recipe.length - 1, encoder.special.end)
    for _ in range(steps):
        ids = packed_batch(stream, rng.choice(starts, rows), recipe.length, encoder.special.begin)
        masked = mask_tokens(ids, recipe.masked, encoder.vocabulary)
        states = encoder.hidden_at(masked.ids, masked.chosen, language=language)
        targets = masked.targets.to(encoder.device)
        if candidates is None:
            logits = encoder.masked_language_logits(states, language=language)
        else:
            among, correction = (drawn.to(encoder.device) for drawn in candidates.draw())
            logits = encoder.masked_language_logits(states, language=language, among=among) + correction
            targets = candidates.place_of(targets)
        yield nn.functional.cross_entropy(logits, targets)


class Candidates:
    """The pieces that compete with a masked token's own: all pieces of the text, and ``others`` drawn anew each time.

    A sampled softmax with the usual correction (Jean et al. 2015, section 3): a drawn piece is weighted by how many
    pieces it stands for, so that the denominator is, in expectation, the sum over the whole vocabulary.
    """

    def __init__(self, stream: np.ndarray, ordinary: Tensor, others: int) -> None:
        """``stream`` are the ids of the text, ``ordinary`` those of the vocabulary that text is made of."""
        self._own = torch.from_numpy(np.unique(stream))
        self._rest = ordinary[~torch.isin(ordinary, self._own)]
        self._drawn = min(others, len(self._rest))

    def draw(self) -> tuple[Tensor, Tensor]:
        """Ids, int64 [n], and what is to be added to their logits, fp32 [n]; by torch's global generator."""
        drawn = self._rest[torch.randperm(len(self._rest))[: self._drawn]]
        each_stands_for = len(self._rest) / self._drawn if self._drawn else 1.0
        correction = torch.full((self._drawn,), math.log(each_stands_for))
        return torch.cat((self._own, drawn)), torch.cat((torch.zeros(len(self._own)), correction))

    def place_of(self, targets: Tensor) -> Tensor:
        """Where the ids of the text stand among what is drawn."""
        return torch.searchsorted(self._own.to(targets), targets)
