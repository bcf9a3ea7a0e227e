"""Attention without its padding, and dropout, that cost little on a CPU."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

from adapters_zoo.packing import Group, Layout

_VALUES = 2**16
"""A place is dropped by 16 random bits of its own, so a share holds to 2^-17."""


def drop(states: Tensor, share: float) -> Tensor:
    """``states`` with a ``share`` of them 0 at random, and the others raised so that their mean stays."""
    return states * factors(states, share)


def factors(like: Tensor, share: float) -> Tensor:
    """What dropout multiplies each place of ``like`` by: 0 for a ``share`` of them at random, else 1 / (1 - share).

    PyTorch draws a double for each place, which took a fifth of a training step of 12 layers of 384; one number of 64
    bits here does for four places.
    """
    if like.device.type != "cpu":
        return functional.dropout(torch.ones_like(like), share)
    bits = torch.empty(math.ceil(like.numel() / 4), dtype=torch.int64).random_(-(2**63), None)
    drawn = bits.view(torch.int16)[: like.numel()].view(like.shape)
    kept = drawn >= round(share * _VALUES) - _VALUES // 2
    return kept.to(like.dtype).mul_(1 / (1 - share))


def attend(projected: Tensor, layout: Layout, heads: int, dropout: float = 0.0) -> Tensor:
    """What each token gathers [N, hidden size] of its own sequence, by its queries, keys and values [N, 3 hidden size].

    Scores are scaled by the square root of a head's size (Vaswani et al. 2017). A share of ``dropout`` of the weights
    is dropped at random, and the others are raised.
    """
    if projected.dtype == torch.bfloat16 and projected.device.type == "cpu":
        attended: Tensor = _Attention.apply(projected, layout.groups, heads, dropout)  # type: ignore[no-untyped-call]
        return attended
    query, key, value = layout.spread(projected).unflatten(-1, (3, heads, -1)).permute(2, 0, 3, 1, 4)
    bias = None if layout.bias is None else layout.bias.to(query.dtype)
    attended = functional.scaled_dot_product_attention(query, key, value, attn_mask=bias, dropout_p=dropout)
    return layout.pack(attended.transpose(1, 2).flatten(2))


class _Attention(torch.autograd.Function):
    """Attention in bf16 on a CPU, a group of sequences at a time, by plain products and a softmax in fp32.

    The fused kernel's backward pass takes six times as long as these, and a softmax in bf16 takes two to five times as
    long as one in fp32 where a row is not a multiple of 32.
    """

    @staticmethod
    def forward(ctx: Any, projected: Tensor, groups: tuple[Group, ...], heads: int, dropout: float) -> Tensor:
        attended = projected.new_zeros(len(projected), projected.shape[1] // 3)
        kept: list[Tensor | None] = []
        for group in groups:
            query, key, value = parts = _split(group.spread(projected), group, 3, heads)
            scores = torch.bmm(query, key.transpose(1, 2)).float().mul_(_scale(query))
            if group.bias is not None:
                scores.unflatten(0, (group.batch, heads)).add_(group.bias)
            weights = functional.softmax(scores, dim=-1).to(projected.dtype)
            raised = factors(weights, dropout) if dropout else None
            group.put(_join(torch.bmm(_times(weights, raised), value)[None], group, heads), attended)
            if ctx.needs_input_grad[0]:
                kept += [parts, weights, raised]
        ctx.groups, ctx.heads = groups, heads
        ctx.save_for_backward(*kept)
        return attended

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None]:
        moved = gradient.new_zeros(len(gradient), 3 * gradient.shape[1])
        kept = iter(ctx.saved_tensors)
        for group, parts, weights, raised in zip(ctx.groups, kept, kept, kept, strict=True):
            query, key, value = parts
            (given,) = _split(group.spread(gradient), group, 1, ctx.heads)
            of_weights = _times(torch.bmm(given, value.transpose(1, 2)), raised)
            scores = _softmax_backward(of_weights, weights).mul_(_scale(query)).to(weights.dtype)
            of_parts = (
                torch.bmm(scores, key),
                torch.bmm(scores.transpose(1, 2), query),
                torch.bmm(_times(weights, raised).transpose(1, 2), given),
            )
            group.put(_join(torch.stack(of_parts), group, ctx.heads), moved)
        return moved, None, None, None


def _softmax_backward(gradient: Tensor, weights: Tensor) -> Tensor:
    """The gradient of scores, fp32, from that of their softmax and its weights."""
    return torch._softmax_backward_data(gradient.float(), weights.float(), -1, torch.float32)


def _scale(query: Tensor) -> float:
    return float(query.shape[-1] ** -0.5)


def _times(weights: Tensor, raised: Tensor | None) -> Tensor:
    return weights if raised is None else weights * raised


def _split(rows: Tensor, group: Group, parts: int, heads: int) -> Tensor:
    """Rows [batch x length, parts x hidden size] as [parts, batch x heads, length, size of a head]."""
    split = rows.view(group.batch, group.length, parts, heads, -1).permute(2, 0, 3, 1, 4)
    return split.reshape(parts, group.batch * heads, group.length, -1)


def _join(split: Tensor, group: Group, heads: int) -> Tensor:
    """The other way round."""
    joined = split.view(len(split), group.batch, heads, group.length, -1).permute(1, 3, 0, 2, 4)
    return joined.reshape(group.batch * group.length, -1)
