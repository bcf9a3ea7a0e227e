"""Means of trained weights: of adapters, of low-rank additions by their products, and of fine-tuned layers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor

from adapters_zoo.backbone import Encoder
from adapters_zoo.heads import Head
from adapters_zoo.methods import add_untrained
from adapters_zoo.recipes import LanguageAdapterRecipe, LowRankRecipe, TaskRecipe


class AveragingError(ValueError):
    """Weights that have no mean: heads of other labels, or adapters of another shape."""


Shared = tuple[Mapping[str, Tensor], float]
"""Weights by name, and their share in a mean; the shares of one add up to 1."""


def add_mean(encoder: Encoder, name: str, members: Iterable[Shared], recipe: TaskRecipe) -> None:
    """Add adapter ``name``: the mean of adapters of ``recipe``, of which ``Encoder.parameters_of`` gave the weights.

    A low-rank addition is a product B A, and the mean of products is not the product of means: the factors of all are
    set side by side, [B1, B2, ...] [A1; A2; ...], so that their product is the mean, exactly, at the sum of their
    ranks. Of every other kind one member at a time is held. Raises ``AveragingError`` for weights of unlike shapes.
    """
    if isinstance(recipe, LowRankRecipe):
        weights, size = _side_by_side([*members])
        # The same alpha / rank, which is what the product is multiplied by.
        recipe = recipe.model_copy(update={"rank": recipe.rank * size, "alpha": recipe.alpha * size})
    else:
        weights = mean(members)
    with torch.random.fork_rng():
        add_untrained(encoder, name, recipe)
    encoder.assign(name, weights)


def add_language_mean(encoder: Encoder, name: str, members: Iterable[Shared], recipe: LanguageAdapterRecipe) -> None:
    """Add language adapter ``name``: the mean of language adapters of ``recipe``, invertible parts and all.

    Raises ``AveragingError`` for weights of unlike shapes.
    """
    weights = mean(members)
    with torch.random.fork_rng():
        encoder.add_language_adapter(name, reduction=recipe.reduction)
    encoder.assign(name, weights)


def mean_head(heads: Sequence[tuple[Head, float]]) -> Head:
    """The mean of heads, each with its share. Raises ``AveragingError`` unless all have the same labels, in order."""
    first, _ = heads[0]
    if any((head.labels, head.pooling) != (first.labels, first.pooling) for head, _ in heads):
        raise AveragingError("heads of other labels have no mean; average runs on the same labels")
    averaged = Head(first.linear.in_features, first.labels, first.pooling)
    averaged.load_state_dict(mean([(head.state_dict(), share) for head, share in heads]))
    return averaged.to(first.linear.weight.device).eval()


def mean(members: Iterable[Shared]) -> dict[str, Tensor]:
    """The mean of weights by name, summed in fp64, one member after the other. Raises ``AveragingError``."""
    sums: dict[str, Tensor] = {}
    kinds: dict[str, torch.dtype] = {}
    for weights, share in members:
        if not sums:
            sums = {name: torch.zeros_like(value, dtype=torch.float64) for name, value in weights.items()}
            kinds = {name: value.dtype for name, value in weights.items()}
        unlike = [name for name in sums.keys() | weights.keys() if _shape(sums, name) != _shape(weights, name)]
        if unlike:
            raise AveragingError(f"weights of unlike shapes have no mean: {', '.join(sorted(unlike)[:3])}")
        for name, value in weights.items():
            sums[name] += value.double() * share
    return {name: value.to(kinds[name]) for name, value in sums.items()}


def _shape(weights: Mapping[str, Tensor], name: str) -> torch.Size | None:
    return weights[name].shape if name in weights else None


def _side_by_side(members: Sequence[Shared]) -> tuple[dict[str, Tensor], int]:
    """Factors of the mean of products B A, and how many products it is of.

    Those of A stand below each other, those of B beside each other, each with its share.
    """
    factors: dict[str, Tensor] = {}
    for name in members[0][0]:
        if name.endswith("lora_A"):
            factors[name] = torch.cat([weights[name] for weights, _ in members])
        elif name.endswith("lora_B"):
            factors[name] = torch.cat([weights[name] * share for weights, share in members], dim=1)
        else:
            raise AveragingError(f"{name} is no factor of a low-rank addition")
    return factors, len(members)
