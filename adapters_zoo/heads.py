"""One head for every task that gives labels to units of text.

A unit is a set of positions: the pieces of one word (tagging) or of one whole text (classification). Its vector is the
mean of the hidden states at its positions; the head maps vectors to label scores. What differs between tasks is only
how `workers.encoding` cuts items into units.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class Head(nn.Module):
    """Linear label scores of unit vectors: [n, hidden] -> [n, labels]."""

    def __init__(self, hidden_size: int, labels: Sequence[str]) -> None:
        super().__init__()
        self.labels = tuple(labels)
        self.linear = nn.Linear(hidden_size, len(self.labels))

    def forward(self, units: Tensor) -> Tensor:
        """Scores in fp32, whatever the encoder computed in."""
        scores: Tensor = self.linear(units.float())
        return scores


def pool(hidden: Tensor, unit_of: Tensor, units: int) -> Tensor:
    """Mean hidden state of each unit.

    ``hidden`` is [batch, length, hidden]; ``unit_of`` [batch, length] holds each position's unit in 0..units-1, or -1
    for positions of none (special tokens, padding). Returns [units, hidden] in fp32.
    """
    chosen = unit_of >= 0
    index = unit_of[chosen]
    sums = torch.zeros(units, hidden.shape[-1], device=hidden.device).index_add_(0, index, hidden[chosen].float())
    counts = torch.bincount(index, minlength=units).clamp_(min=1)
    return sums / counts.unsqueeze(1)
