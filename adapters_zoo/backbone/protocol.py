"""What computes an encoder's passes: one protocol, whichever arithmetic is behind it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Protocol

import torch
from torch import Tensor

from adapters_zoo.engine import Seam
from adapters_zoo.packing import Layout


class Backbone(Protocol):
    """Passes over an encoder's layers, under a language adapter and a task adapter over it, each by name or None.

    A name is one that the owner of the backbone has loaded. ``training`` turns the encoder's own dropout on.
    """

    training: bool

    @property
    def has_dropout(self) -> bool:
        """Whether training passes drop activations of the encoder."""

    def layout(self, shape: torch.Size, mask: Tensor | None) -> Layout:
        """How a pass lays out sequences of ``shape`` [batch, length], padded where ``mask`` is 0 (None: nowhere)."""

    def lowest_layer(self, task: str | None) -> int:
        """Where the seam of a task adapter lies: below it, a pass is the same with the adapter and without."""

    def seam(
        self, ids: Tensor, mask: Tensor | None, language: str | None, layer: int, types: Tensor | None = None
    ) -> Seam:
        """A pass over ``ids`` [batch, length] up to the seam at ``layer``, one of ``lowest_layer``.

        ``types`` are token types (segment ids) of the same shape; None: all are 0.
        """

    def above(self, seam: Seam, language: str | None, task: str | None) -> Tensor:
        """Last hidden states [batch, length, hidden size], fp32, from a seam on; of no meaning where padding is.

        ``task`` is any adapter whose own seam lies no lower.
        """

    def chosen(self, ids: Tensor, chosen: Tensor, language: str | None) -> Tensor:
        """Last hidden states [n, hidden size] of the positions ``chosen`` (bool [batch, length]) of unpadded ids."""

    def logits(self, states: Tensor, language: str | None, among: Tensor | None) -> Tensor:
        """Logits [n, vocabulary or len(among)], fp32, of states [n, hidden size]; ``among`` are the ids asked about.

        The inverse of the language adapter's coupling stands before the output embeddings (MAD-X, section 3.2).
        """

    def learning(self) -> AbstractContextManager[None]:
        """Inside the block passes read the encoder's own weights as they are, which change between passes."""

    def instead(self, weights: Mapping[str, Tensor]) -> AbstractContextManager[None]:
        """Inside the block passes read ``weights`` in place of the encoder's own of the same names.

        Raises ``ValueError`` unless each is one of the encoder's, by name and shape.
        """

    def forget(self, name: str) -> None:
        """Drop what was prepared of an adapter that is about to be removed."""
