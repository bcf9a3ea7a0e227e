"""Weighted sums of trained weights: means of states, points on lines and planes between them, and their distances.

A state is what ``Encoder.parameters_of`` gives, by name. Bottlenecks and fine-tuned layers are added weight by weight.
Of LoRA what the encoder reads is the product B A, and a sum of factors is not the factor of the sum; so factors are
laid side by side, [c1 B1, c2 B2] [A1; A2] = c1 B1 A1 + c2 B2 A2, which adds products at the price of their ranks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor

from adapters_zoo.backbone import Encoder
from adapters_zoo.heads import Head
from adapters_zoo.methods import add_untrained
from adapters_zoo.recipes import LanguageAdapterRecipe, LowRankRecipe, TaskRecipe

State = Mapping[str, Tensor]
Weighted = tuple[State, float]
"""A state and its coefficient in a sum; those of a mean add up to 1."""

_DOWN, _UP = "lora_A", "lora_B"


class CombinationError(ValueError):
    """Weights that have no sum: heads of other labels, or adapters of another shape."""


def combined(members: Iterable[Weighted]) -> dict[str, Tensor]:
    """The sum of states, each times its coefficient, in fp64; a state itself, bit by bit, where it alone counts.

    One member is held at a time, but for LoRA's factors. Raises ``CombinationError`` unless the states have the same
    names and shapes (of LoRA, but for the rank), and where no coefficient differs from 0.
    """
    sums: dict[str, Tensor] = {}
    factors: dict[str, list[Tensor]] = {}
    kinds: dict[str, torch.dtype] = {}
    for state, coefficient in members:
        if coefficient == 0:
            continue
        if not kinds:
            kinds = {name: tensor.dtype for name, tensor in state.items()}
        if unlike := sorted(kinds.keys() ^ state.keys()):
            raise CombinationError(f"states of unlike adapters: {', '.join(unlike[:3])} are not in all of them")
        for name, tensor in state.items():
            if name.endswith((_DOWN, _UP)):
                factors.setdefault(name, []).append(tensor * coefficient if name.endswith(_UP) else tensor)
                continue
            total = sums.setdefault(name, torch.zeros_like(tensor, dtype=torch.float64))
            if total.shape != tensor.shape:
                raise CombinationError(f"states of unlike adapters: {name} has several shapes")
            total += tensor.double() * coefficient
    if not kinds:
        raise CombinationError("a sum of no states: every coefficient is 0")
    side_by_side = {name: torch.cat(parts, dim=int(name.endswith(_UP))) for name, parts in factors.items()}
    return {name: side_by_side[name] if name in side_by_side else sums[name].to(kind) for name, kind in kinds.items()}


def combined_heads(heads: Sequence[tuple[Head, float]]) -> Head:
    """The sum of heads, each times its coefficient. Raises ``CombinationError`` unless all have the same labels."""
    first, _ = heads[0]
    if any((head.labels, head.pooling) != (first.labels, first.pooling) for head, _ in heads):
        raise CombinationError("heads of other labels have no mean; average runs on the same labels")
    head = Head(first.linear.in_features, first.labels, first.pooling)
    head.load_state_dict(combined([(one.state_dict(), coefficient) for one, coefficient in heads]))
    return head.to(first.linear.weight.device).eval()


def add_state(encoder: Encoder, name: str, recipe: TaskRecipe, state: State) -> None:
    """Add ``state``, of an adapter that ``recipe`` makes or a sum of such, to ``encoder`` as its task adapter ``name``.

    Nothing is drawn from the global generator.
    """
    if isinstance(recipe, LowRankRecipe):
        rank = next(tensor.shape[0] for key, tensor in state.items() if key.endswith(_DOWN))
        # The same alpha / rank, which is what the product is multiplied by.
        recipe = recipe.model_copy(update={"rank": rank, "alpha": recipe.alpha * rank / recipe.rank})
    with torch.random.fork_rng(devices=[]):  # What is drawn is overwritten, and must not move the draws of others.
        add_untrained(encoder, name, recipe)
    encoder.assign(name, state)


def add_language_state(encoder: Encoder, name: str, recipe: LanguageAdapterRecipe, state: State) -> None:
    """Add ``state``, of a language adapter that ``recipe`` makes, invertible parts and all, as adapter ``name``."""
    with torch.random.fork_rng(devices=[]):
        encoder.add_language_adapter(name, reduction=recipe.reduction)
    encoder.assign(name, state)


@contextmanager
def standing(encoder: Encoder, name: str, recipe: TaskRecipe, state: State) -> Iterator[None]:
    """Inside the block ``encoder`` has ``state`` as its task adapter ``name``; see ``add_state``."""
    add_state(encoder, name, recipe, state)
    try:
        yield
    finally:
        encoder.remove(name)


def effect(state: State, recipe: TaskRecipe) -> dict[str, Tensor]:
    """The tensors in which a line between states is straight: the weights, and of LoRA B A x alpha / rank."""
    if not isinstance(recipe, LowRankRecipe):
        return dict(state)
    scaling = recipe.alpha / recipe.rank
    return {
        name.removesuffix(_DOWN) + "product": scaling * (state[name.removesuffix(_DOWN) + _UP] @ down)
        for name, down in state.items()
        if name.endswith(_DOWN)
    }


def difference(end: State, start: State) -> dict[str, Tensor]:
    """``end`` less ``start``, tensor by tensor."""
    return {name: tensor - start[name] for name, tensor in end.items()}


def inner(one: State, other: State) -> float:
    """The inner product of two states, or of differences, summed in double precision."""
    return sum(float((tensor.double() * other[name].double()).sum()) for name, tensor in one.items())


def distance(one: State, other: State) -> float:
    """The Euclidean distance of two states, or of what they do (``effect``)."""
    apart = difference(one, other)
    return float(inner(apart, apart) ** 0.5)


def random_direction(like: State, seed: int) -> dict[str, Tensor]:
    """A random direction whose every filter is as long as that of ``like`` (Li et al. 2018, of a difference instead).

    A filter is a row of a matrix, or a whole vector; so a step of 1 is as long as one along ``like``, in every filter.
    """
    generator = torch.Generator().manual_seed(seed)
    drawn = {}
    for name, tensor in like.items():
        noise = torch.randn(tensor.shape, generator=generator).to(tensor)
        across = tuple(range(1, tensor.dim())) or (0,)
        length = noise.norm(dim=across, keepdim=True).clamp(min=1e-12)
        drawn[name] = noise / length * tensor.norm(dim=across, keepdim=True)
    return drawn
