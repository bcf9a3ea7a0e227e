"""Sequences of several lengths without the padding between them: what all of a pass computes on but its attention."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

_TOKENS, _LENGTH = 64, 8
"""Packed tokens and padded lengths are multiples of these, where padding allows: a matrix product of a new shape costs
the making of its kernel."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How N packed tokens lie in sequences [batch, length]: ``place`` [N] is each one's position in those, in order.

    ``place`` is None where nothing is padded, and packing leaves all where it is. ``bias`` [batch, 1, 1, length] hides
    padding from attention. Up to 63 packed tokens are padding still, and hidden like all of it.
    """

    batch: int
    length: int
    place: Tensor | None
    bias: Tensor | None

    @classmethod
    def of(cls, shape: torch.Size, mask: Tensor | None, dtype: torch.dtype) -> Layout:
        """The layout of sequences of ``shape`` [batch, length]; ``mask`` is 0 where they are padded, None nowhere."""
        batch, length = shape
        if mask is None or bool(mask.all()):
            return cls(batch, length, None, None)
        there = torch.nn.functional.pad(mask.bool(), (0, -length % _LENGTH))
        kept, padding = there.flatten(), ~there.flatten()
        more = -int(kept.sum()) % _TOKENS
        kept = kept | (padding & (padding.cumsum(0) <= more))
        bias = torch.zeros_like(there, dtype=dtype).masked_fill_(~there, float("-inf"))[:, None, None, :]
        return cls(batch, there.shape[1], kept.nonzero()[:, 0], bias)

    def pack(self, padded: Tensor) -> Tensor:
        """[batch, length or less, ...] to [N, ...]; what lies beyond a shorter length is the last of its sequence."""
        if self.place is None:
            return padded.flatten(0, 1)
        row, column = self.place // self.length, self.place % self.length
        return padded[row, column.clamp_max(padded.shape[1] - 1)]

    def gather(self, spread: Tensor) -> Tensor:
        """[batch, length, ...] to [N, ...]; gradients flow back."""
        flat = spread.flatten(0, 1)
        if self.place is None:
            return flat
        taken: Tensor = _Taken.apply(flat, self.place)  # type: ignore[no-untyped-call]
        return taken

    def spread(self, packed: Tensor) -> Tensor:
        """[N, ...] to [batch, length, ...], 0 where padding was left out; gradients flow back."""
        if self.place is not None:
            blank = packed.new_zeros(self.batch * self.length, *packed.shape[1:])
            packed = blank.index_copy(0, self.place, packed)
        spread: Tensor = packed.unflatten(0, (self.batch, self.length))
        return spread


class _Taken(torch.autograd.Function):
    """Rows at distinct places. `index_select` does the same, and adds gradients up as if places could repeat."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, place: Tensor) -> Tensor:
        ctx.save_for_backward(place)
        ctx.count = len(rows)
        return rows.index_select(0, place)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (gradient,), (place,) = gradients, ctx.saved_tensors
        back: Tensor = gradient.new_zeros(ctx.count, *gradient.shape[1:])
        back.index_copy_(0, place, gradient)
        return back, None
