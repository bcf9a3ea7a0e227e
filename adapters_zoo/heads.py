"""One head for every task: label scores of units of text, and the two losses that it is trained by.

A unit is a set of positions: the pieces of one word, of one whole text, of a pair of texts, or a single piece of a
passage. Its vector is made of the hidden states at its positions; the head maps vectors to label scores. What differs
between tasks is only what their units are, and whether a unit is told from other labels or from other units.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

Pooling = Literal["mean", "first"]
"""What a unit's vector is: the mean over its positions, or the state at the first (what published taggers read)."""


class Head(nn.Module):
    """Linear label scores of unit vectors: [n, hidden] -> [n, labels]."""

    def __init__(self, hidden_size: int, labels: Sequence[str], pooling: Pooling = "mean") -> None:
        super().__init__()
        self.labels, self.pooling = tuple(labels), pooling
        self.linear = nn.Linear(hidden_size, len(self.labels))

    def forward(self, units: Tensor) -> Tensor:
        """Scores in fp32, whatever the encoder computed in."""
        scores: Tensor = self.linear(units.float())
        return scores

    def over(self, hidden: Tensor, unit_of: Tensor, units: int) -> Tensor:
        """Scores [units, labels] of the units in hidden states, laid out as ``pool`` takes them."""
        scores: Tensor = self(pool(hidden, unit_of, units, self.pooling))
        return scores


def pool(hidden: Tensor, unit_of: Tensor, units: int, pooling: Pooling = "mean") -> Tensor:
    """The vector of each unit: the mean of its hidden states, or the first of them.

    ``hidden`` is [batch, length, hidden]; ``unit_of`` [batch, length] holds each position's unit in 0..units-1, or -1
    for positions of none (special tokens, padding). Returns [units, hidden] in fp32; 0 for a unit without positions.
    """
    chosen = unit_of >= 0
    index = unit_of[chosen]
    if pooling == "first":
        place = torch.arange(len(index), device=index.device)
        first = torch.full((units,), len(index), device=index.device).scatter_reduce_(0, index, place, "amin")
        is_piece = first < len(index)
        vectors = torch.zeros(units, hidden.shape[-1], device=hidden.device)
        return vectors.index_copy(0, is_piece.nonzero()[:, 0], hidden[chosen].float()[first[is_piece]])
    sums = torch.zeros(units, hidden.shape[-1], device=hidden.device).index_add_(0, index, hidden[chosen].float())
    counts = torch.bincount(index, minlength=units).clamp_(min=1)
    return sums / counts.unsqueeze(1)


def label_loss(scores: Tensor, right: Sequence[int]) -> Tensor:
    """Mean cross-entropy (nats a unit) of scores [units, labels]; ``right`` is each unit's label."""
    return nn.functional.cross_entropy(scores, torch.tensor(right).to(scores.device))


def group_loss(scores: Tensor, sizes: Sequence[int], right: Sequence[int]) -> Tensor:
    """Mean cross-entropy (nats a group) of scores [units] of units that stand in groups of ``sizes``, one by one.

    ``right`` is the place of each group's right unit in its group.
    """
    groups = pad_sequence(scores.split([*sizes]), batch_first=True, padding_value=-torch.inf)
    return nn.functional.cross_entropy(groups, torch.tensor(right).to(scores.device))
