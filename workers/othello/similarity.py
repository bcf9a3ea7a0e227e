"""How alike two languages' states are at parallel positions, and the best rotation of one onto the other.

States are [layers, positions, width], position n of both being the same board behind the same moves.
"""

from __future__ import annotations

import torch
from torch import Tensor

from matrices.arrays import Floats


class Rotation:
    """Orthogonal Procrustes (Schönemann 1966): a rotation and shift a layer that bring ``moved`` onto ``fixed``."""

    def __init__(self, moved: Tensor, fixed: Tensor) -> None:
        self._from, self._to = moved.mean(dim=1, keepdim=True), fixed.mean(dim=1, keepdim=True)
        left, _, right = torch.linalg.svd((moved - self._from).mT @ (fixed - self._to))
        self._turn = left @ right

    def __call__(self, moved: Tensor) -> Tensor:
        """States where the fixed language would have them."""
        turned: Tensor = (moved - self._from) @ self._turn + self._to
        return turned


def linear_cka(first: Tensor, second: Tensor) -> Floats:
    """Linear centred kernel alignment of each layer (Kornblith et al. 2019): 1 where a rotation is all that differs."""
    one, other = first - first.mean(dim=1, keepdim=True), second - second.mean(dim=1, keepdim=True)
    cross = (one.mT @ other).square().sum(dim=(1, 2))
    own = [(states.mT @ states).square().sum(dim=(1, 2)).sqrt() for states in (one, other)]
    return (cross / (own[0] * own[1])).double().numpy()


def cosine(first: Tensor, second: Tensor) -> tuple[Floats, Floats]:
    """Mean cosine of each layer at the same positions, and at positions that are not the same (shifted by half)."""
    shifted = second.roll(second.shape[1] // 2, dims=1)
    same, others = (
        torch.cosine_similarity(first, states, dim=-1).double().mean(dim=1).numpy() for states in (second, shifted)
    )
    return same, others
