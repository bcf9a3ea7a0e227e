"""What the frozen layers below a task adapter make of its training text, kept between epochs and seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from adapters_zoo.backbone import Encoder
from adapters_zoo.engine import Seam
from workers.corpora.types import Dataset
from workers.encoding import TOKENS, collate, encode_items, evaluation_batches
from workers.sequences import Batch

_ROOM = 2**30
"""Bytes the kept states of one text may take; those of a larger one are computed again for every batch."""


class CachedText:
    """Labelled text under a frozen ``language`` adapter (or none), good for any number of epochs, seeds and adapters.

    The lowest layers of a pass, up to the first that holds the task adapter, do not change while it is trained. They
    are computed once for every sequence, unless the encoder's dropout falls, which it must anew in every epoch.
    """

    def __init__(
        self, encoder: Encoder, datasets: Sequence[Dataset], *, language: str | None, dropout: bool = True
    ) -> None:
        """``dropout``: training keeps the encoder's own."""
        self.encoded = encode_items(encoder, *datasets)
        self.language = language
        self._encoder = encoder
        self._falls_anew = dropout and encoder.has_dropout
        self._kept: dict[int, _KeptStates] = {}

    def seam(self, batch: Batch, indices: Sequence[int], task: str) -> Seam:
        """The seam of the sequences ``indices``, padded as ``batch``, below the task adapter ``task``."""
        if self._falls_anew or self._bytes() > _ROOM:
            return self._encoder.seam(batch.ids, batch.mask, batch.types, language=self.language, task=task)
        layer = self._encoder.lowest_layer(task)
        if layer not in self._kept:
            self._kept[layer] = self._keep(task)
        kept = self._kept[layer]
        rows = _rows(kept.starts[torch.tensor(indices)], batch.mask).to(kept.sums.device)
        layout = self._encoder.layout(batch.mask)
        return Seam(layer, kept.sums[layout.pack(rows)], layout)

    def _bytes(self) -> int:
        tokens = sum(len(sequence.ids) for sequence in self.encoded.sequences)
        return 4 * tokens * self._encoder.hidden_size

    def _keep(self, task: str) -> _KeptStates:
        lengths = torch.tensor([len(sequence.ids) for sequence in self.encoded.sequences])
        starts = lengths.cumsum(0) - lengths
        device = self._encoder.device
        rows, sums = [], []
        with torch.no_grad():
            for indices in evaluation_batches(self.encoded, TOKENS[device.type]):
                batch = collate(self.encoded, indices, self._encoder.special.pad)
                seam = self._encoder.seam(batch.ids, batch.mask, batch.types, language=self.language, task=task)
                is_token = batch.mask.bool()
                rows.append(_rows(starts[torch.tensor(indices)], batch.mask)[is_token])
                sums.append(seam.layout.spread(seam.sum)[is_token.to(device)])
        order = torch.cat(rows).argsort().to(device)
        return _KeptStates(starts, torch.cat(sums)[order])


@dataclass(frozen=True, slots=True)
class _KeptStates:
    """Seams of all sequences without padding, one after the other: [tokens, hidden size]."""

    starts: Tensor
    sums: Tensor


def _rows(starts: Tensor, mask: Tensor) -> Tensor:
    """Where each position of padded sequences [batch, length] is kept; padding repeats a sequence's last token."""
    last = mask.sum(1, keepdim=True) - 1
    return starts[:, None] + torch.arange(mask.shape[1]).minimum(last)
