"""Weighted sums of trained weights: points on lines and planes between the states of runs, and their means.

A state is what ``Encoder.parameters_of`` gives, by name. Bottlenecks and fine-tuned layers are added weight by weight.
Of LoRA what the encoder reads is the product B A, and a sum of factors is not the factor of the sum; so factors are
laid side by side, [c1 B1, c2 B2] [A1; A2] = c1 B1 A1 + c2 B2 A2, which adds products at the price of their ranks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor

from adapters_zoo.backbone import Encoder
from adapters_zoo.methods import add_untrained
from adapters_zoo.recipes import LowRankRecipe, TaskRecipe

State = Mapping[str, Tensor]

_DOWN, _UP = "lora_A", "lora_B"


def combined(states: Sequence[State], coefficients: Sequence[float]) -> dict[str, Tensor]:
    """The sum of ``states``, each times its coefficient; a state itself, bit by bit, where all others have 0.

    Raises ``ValueError`` where they are not states of one kind, by name and shape.
    """
    there = [(state, one) for state, one in zip(states, coefficients, strict=True) if one != 0] or [(states[0], 0.0)]
    first = there[0][0]
    if len(there) == 1 and there[0][1] == 1:
        return dict(first)
    if any(state.keys() != first.keys() for state, _ in there):
        raise ValueError("states of unlike adapters: they differ in the names of their weights")
    return {name: _sum(name, [(state[name], one) for state, one in there]) for name in first}


def _sum(name: str, parts: Sequence[tuple[Tensor, float]]) -> Tensor:
    if name.endswith(_DOWN):
        return torch.cat([tensor for tensor, _ in parts], dim=0)
    if name.endswith(_UP):
        return torch.cat([one * tensor for tensor, one in parts], dim=1)
    if any(tensor.shape != parts[0][0].shape for tensor, _ in parts):
        raise ValueError(f"states of unlike adapters: {name} has several shapes")
    total = torch.zeros_like(parts[0][0])
    for tensor, one in parts:
        total += one * tensor
    return total


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


@contextmanager
def standing(encoder: Encoder, name: str, recipe: TaskRecipe, state: State) -> Iterator[None]:
    """Inside the block ``encoder`` has ``state``, of an adapter that ``recipe`` makes, as its task adapter ``name``."""
    if isinstance(recipe, LowRankRecipe):
        rank = next(tensor.shape[0] for key, tensor in state.items() if key.endswith(_DOWN))
        recipe = recipe.model_copy(update={"rank": rank, "alpha": recipe.alpha * rank / recipe.rank})
    with torch.random.fork_rng(devices=[]):  # What is drawn is overwritten, and must not move the draws of others.
        add_untrained(encoder, name, recipe)
    try:
        encoder.assign(name, state)
        yield
    finally:
        encoder.remove(name)
