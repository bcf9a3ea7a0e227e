"""Packing: what goes in comes out where it was, and gradients with it."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from adapters_zoo.packing import Layout


def of(lengths: list[int], length: int) -> tuple[Layout, Tensor]:
    mask = (torch.arange(length) < torch.tensor(lengths)[:, None]).long()
    return Layout.of(mask.shape, mask, torch.float64), mask.bool()


several = st.lists(st.integers(1, 40), min_size=1, max_size=12)


@given(several)
def test_tokens_come_back_where_they_were(lengths: list[int]) -> None:
    layout, there = of(lengths, max(lengths))
    padded = torch.rand(*there.shape, 3)
    packed = layout.pack(padded)
    assert torch.equal(layout.spread(packed)[:, : there.shape[1]][there], padded[there])
    assert torch.equal(layout.gather(layout.spread(packed)), packed)


@given(several)
def test_at_most_63_packed_tokens_are_padding_and_attention_sees_none(lengths: list[int]) -> None:
    layout, there = of(lengths, max(lengths))
    assert len(layout.pack(there)) - sum(lengths) < 64
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
    assert len({len(layout.place) for layout in layouts if layout.place is not None}) < 20
    assert {layout.length for layout in layouts} <= {64, 72, 80, 88, 96}


def test_gradients_go_back_to_the_tokens_they_are_of() -> None:
    layout, _ = of([30, 3, 17, 80, 1, 9, 40], 80)
    assert layout.place is not None
    assert len(layout.place) == 192 < 7 * 80
    packed = torch.rand(192, 2, dtype=torch.float64, requires_grad=True)
    weights = torch.rand(7, 80, 2, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda x: layout.gather(layout.spread(x) * weights), packed)


def test_without_padding_nothing_moves() -> None:
    layout = Layout.of(torch.Size((3, 5)), torch.ones(3, 5), torch.float32)
    padded = torch.rand(3, 5, 2)
    assert layout.place is None
    assert layout.bias is None
    assert layout.pack(padded).data_ptr() == layout.gather(padded).data_ptr() == padded.data_ptr()
    assert layout.spread(layout.pack(padded)).data_ptr() == padded.data_ptr()
