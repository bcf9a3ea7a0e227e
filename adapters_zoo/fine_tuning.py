"""An encoder's own weights while they are trained: of the encoder itself for a while, or of a copy that is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn


class Learning:
    """An encoder's own weights while they are trained, by their names in `transformers`."""

    def __init__(self, parameters: Mapping[str, nn.Parameter]) -> None:
        self._before = {name: parameter.detach().clone() for name, parameter in parameters.items()}
        self.parameters = parameters

    def changed(self) -> dict[str, Tensor]:
        """The weights as they are now, of those that training changed so far; they go on changing with it."""
        now = {name: parameter.detach() for name, parameter in self.parameters.items()}
        return {name: weight for name, weight in now.items() if not torch.equal(weight, self._before[name])}

    def undo(self) -> None:
        """Put back what was there at the beginning, and forget gradients."""
        for name, parameter in self.parameters.items():
            parameter.detach().copy_(self._before[name])
            parameter.grad = None


@dataclass(slots=True)
class Tuned:
    """A fine-tuned copy of an encoder's layers, by the names of their weights in `transformers`.

    It is its ``difference`` from the encoder, in bf16: half of the bytes, and nine bits of what training changed. The
    ``weights`` that passes read are the encoder's own with the difference added, in fp32.
    """

    leave_out: int
    """The lowest layers, which are the encoder's own."""
    difference: dict[str, Tensor]
    weights: dict[str, nn.Parameter] = field(init=False)

    def __init__(self, leave_out: int, own: Mapping[str, Tensor], difference: Mapping[str, Tensor]) -> None:
        self.leave_out, self.difference = leave_out, dict(difference)
        self.weights = {
            name: nn.Parameter(own[name].detach() + change.to(own[name]), requires_grad=False)
            for name, change in difference.items()
        }

    @classmethod
    def untrained(cls, leave_out: int, own: Mapping[str, Tensor]) -> Tuned:
        """A copy that differs nowhere, of the weights ``own``."""
        nothing = {name: torch.zeros_like(weight, dtype=torch.bfloat16) for name, weight in own.items()}
        return cls(leave_out, own, nothing)

    def rounded(self, own: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The difference, also while the weights are trained: then as ``settle`` would leave it."""
        if not any(weight.requires_grad for weight in self.weights.values()):
            return self.difference
        return {name: (weight.detach() - own[name]).to(torch.bfloat16) for name, weight in self.weights.items()}

    def settle(self, own: Mapping[str, Tensor]) -> None:
        """Round what training made of the weights to what the difference can say."""
        for name, weight in self.weights.items():
            self.difference[name] = (weight.detach() - own[name]).to(torch.bfloat16)
            weight.detach().copy_(own[name].detach() + self.difference[name].to(weight))
            weight.grad = None
