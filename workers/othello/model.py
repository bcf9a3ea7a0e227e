"""A causal transformer: pre-norm blocks and learned positions, as GPT-2 (Radford et al. 2019), without dropout."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, scaled_dot_product_attention


class Block(nn.Module):
    """Attention over what came before, then a layer of four times the width."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.before_attention, self.before_expansion = nn.LayerNorm(width), nn.LayerNorm(width)
        self.queries_keys_values, self.mixed = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.expansion, self.contraction = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, states: Tensor) -> Tensor:
        rows, length, width = states.shape
        split = self.queries_keys_values(self.before_attention(states)).view(rows, length, 3, self.heads, -1)
        queries, keys, values = split.permute(2, 0, 3, 1, 4)
        attended = scaled_dot_product_attention(queries, keys, values, is_causal=True)
        states = states + self.mixed(attended.transpose(1, 2).reshape(rows, length, width))
        expanded: Tensor = self.contraction(gelu(self.expansion(self.before_expansion(states))))
        return states + expanded


class Transformer(nn.Module):
    """Reads token ids, and chooses at every token among ``outputs`` classes.

    What stands behind the end of a game needs no mask: nothing before it can see it.
    """

    def __init__(self, *, tokens: int, outputs: int, room: int, layers: int, width: int, heads: int) -> None:
        super().__init__()
        self.token, self.position = nn.Embedding(tokens, width), nn.Embedding(room, width)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(layers))
        self.norm, self.output = nn.LayerNorm(width), nn.Linear(width, outputs, bias=False)
        for name, weight in self.named_parameters():
            if weight.ndim == 2:
                # Each block adds twice to the stream; so scaled, its variance does not grow with depth.
                deep = (2 * layers) ** -0.5 if "mixed" in name or "contraction" in name else 1.0
                nn.init.normal_(weight, std=0.02 * deep)
            elif name.endswith("bias"):
                nn.init.zeros_(weight)

    def states(self, ids: Tensor) -> list[Tensor]:
        """The stream [n, tokens, width] behind the embedding and behind every block: layers + 1 of them."""
        stream = self.token(ids) + self.position(torch.arange(ids.shape[1], device=ids.device))
        seen = [stream]
        for block in self.blocks:
            seen.append(block(seen[-1]))
        return seen

    def forward(self, ids: Tensor) -> Tensor:
        """Logits [n, tokens, outputs] for ids [n, tokens]."""
        logits: Tensor = self.output(self.norm(self.states(ids)[-1]))
        return logits

    @property
    def parameters_in_all(self) -> int:
        """Trainable numbers."""
        return sum(weight.numel() for weight in self.parameters())
