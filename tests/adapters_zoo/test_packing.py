"""Packing: what goes in comes out where it was, and gradients with it."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from adapters_zoo.packing import Layout

CPU = torch.device("cpu")


def of(lengths: list[int], length: int) -> tuple[Layout, Tensor]:
    mask = (torch.arange(length) < torch.tensor(lengths)[:, None]).long()
    return Layout.of(mask.shape, mask, CPU), mask.bool()


several = st.lists(st.integers(1, 40), min_size=1, max_size=12)


@given(several)
def test_tokens_come_back_where_they_were(lengths: list[int]) -> None:
    layout, there = of(lengths, max(lengths))
    padded = torch.rand(*there.shape, 3)
    packed = layout.pack(padded)
    spread = layout.spread(packed)
    assert torch.equal(spread[there], padded[there])
    assert not spread[~there].any()
    assert torch.equal(layout.pack(spread), packed)


@given(several)
def test_at_most_31_packed_tokens_are_repeated_and_attention_sees_no_padding(lengths: list[int]) -> None:
    layout, there = of(lengths, max(lengths))
    assert len(layout.pack(there)) - sum(lengths) < 32
    if layout.bias is None:
        assert layout.place is None
        assert there.all()
    else:
        assert (layout.bias == 0).sum() == sum(lengths)
        assert layout.bias.shape == (layout.batch, 1, 1, layout.length)


def test_sizes_come_in_few_shapes() -> None:
    random = torch.Generator().manual_seed(0)
    drawn = [torch.randint(10, 90, (16,), generator=random).tolist() for _ in range(200)]
    layouts = [of(lengths, max(lengths))[0] for lengths in drawn]
    assert len({len(layout.place) for layout in layouts if layout.place is not None}) < 30


def test_gradients_go_back_to_the_tokens_they_are_of() -> None:
    layout, _ = of([30, 3, 17, 80, 1, 9, 40], 80)
    assert layout.place is not None
    assert len(layout.place) == 192 < 7 * 80
    packed = torch.rand(192, 2, dtype=torch.float64, requires_grad=True)
    weights = torch.rand(7, 80, 2, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda x: layout.pack(layout.spread(x) * weights), packed)


def test_without_padding_nothing_moves() -> None:
    layout = Layout.of(torch.Size((3, 5)), torch.ones(3, 5), CPU)
    padded = torch.rand(3, 5, 2)
    assert layout.place is None
    assert layout.bias is None
    assert layout.pack(padded).data_ptr() == padded.data_ptr()
    assert layout.spread(layout.pack(padded)).data_ptr() == padded.data_ptr()
