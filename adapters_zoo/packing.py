"""Sequences of several lengths without the padding between them: what all of a pass computes on but its attention."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

_TOKENS = 32
"""Packed tokens are a multiple of this: a matrix product of a new shape costs the making of its kernel."""

_SCORES = 2**16
"""Attention scores of a head a group may have, a longer sequence aside: what stays in a processor's cache."""


@dataclass(frozen=True)
class Layout:
    """How packed tokens lie in sequences [batch, length]: ``place`` [N] is each one's position in those, in order.

    ``lengths`` are those of the sequences, whose tokens are the first of the N; up to 31 more repeat one of them, and
    mean nothing. ``place`` is None where nothing is padded, and packing leaves all where it is.
    """

    batch: int
    length: int
    lengths: tuple[int, ...]
    place: Tensor | None
    device: torch.device

    @classmethod
    def of(cls, shape: torch.Size, mask: Tensor | None, device: torch.device) -> Layout:
        """The layout of sequences of ``shape`` [batch, length]; ``mask`` is 1s, then 0s for padding; None: no padding.

        Every sequence has a token.
        """
        batch, length = shape
        if mask is None or bool(mask.all()):
            return cls(batch, length, (length,) * batch, None, device)
        place = mask.flatten().nonzero()[:, 0]
        place = torch.nn.functional.pad(place, (0, -len(place) % _TOKENS))
        return cls(batch, length, tuple(mask.sum(1).tolist()), place.to(device), device)

    @cached_property
    def bias(self) -> Tensor | None:
        """What hides padding from attention over whole sequences: fp32 [batch, 1, 1, length], None without padding."""
        return None if self.place is None else _bias(self.lengths, self.length).to(self.device)

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """The sequences, few at a time and in order, as attention without much padding takes them."""
        return tuple(_groups(self.lengths, self.device))

    def pack(self, spread: Tensor) -> Tensor:
        """[batch, length, ...] to [N, ...]; gradients flow back."""
        flat = spread.flatten(0, 1)
        return flat if self.place is None else flat.index_select(0, self.place)

    def spread(self, packed: Tensor) -> Tensor:
        """[N, ...] to [batch, length, ...], 0 where padding was left out; gradients flow back."""
        if self.place is not None:
            tokens = sum(self.lengths)
            blank = packed.new_zeros(self.batch * self.length, *packed.shape[1:])
            packed = blank.index_copy_(0, self.place[:tokens], packed[:tokens])
        spread: Tensor = packed.unflatten(0, (self.batch, self.length))
        return spread


@dataclass(frozen=True, slots=True)
class Group:
    """Sequences next to each other, the packed tokens from ``start`` to ``stop``, as rows [batch x length].

    ``kept`` are the rows that are no padding, and ``bias`` [batch, 1, 1, length] hides it; both None where nothing is
    padded.
    """

    batch: int
    length: int
    start: int
    stop: int
    kept: Tensor | None
    bias: Tensor | None

    def spread(self, packed: Tensor) -> Tensor:
        """The group's of all packed tokens [N, ...] as rows [batch x length, ...], 0 where padding was left out."""
        own = packed[self.start : self.stop]
        if self.kept is None:
            return own
        return own.new_zeros(self.batch * self.length, *own.shape[1:]).index_copy_(0, self.kept, own)

    def put(self, rows: Tensor, packed: Tensor) -> None:
        """Write the group's rows [batch x length, ...] to where its tokens are in ``packed`` [N, ...]."""
        packed[self.start : self.stop] = rows if self.kept is None else rows.index_select(0, self.kept)


def _groups(lengths: Sequence[int], device: torch.device) -> Iterator[Group]:
    first = start = 0
    while first < len(lengths):
        last, longest = first + 1, lengths[first]
        while last < len(lengths) and (last + 1 - first) * max(longest, lengths[last]) ** 2 <= _SCORES:
            longest = max(longest, lengths[last])
            last += 1
        own = lengths[first:last]
        stop, kept, bias = start + sum(own), None, None
        if min(own) < longest:
            bias = _bias(own, longest).to(device)
            kept = (bias.flatten() == 0).nonzero()[:, 0]
        yield Group(len(own), longest, start, stop, kept, bias)
        first, start = last, stop


def _bias(lengths: Sequence[int], length: int) -> Tensor:
    """0 at each sequence's tokens, minus infinity behind them: fp32 [batch, 1, 1, length]."""
    behind = torch.arange(length) >= torch.tensor(lengths)[:, None]
    return torch.zeros(len(lengths), 1, 1, length).masked_fill_(behind[:, None, None], float("-inf"))
