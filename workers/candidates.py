"""A softmax over part of the vocabulary: the pieces of a language's own text, and a sample of the others."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor


class Candidates:
    """The pieces that a masked token is looked for among: all of a text's, and ``others`` drawn anew each time.

    A sampled softmax with the usual correction (Jean et al. 2015, section 3): a drawn piece stands for as many as there
    are of its kind, so that the sum under the softmax is, in expectation, that over the whole vocabulary.
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
