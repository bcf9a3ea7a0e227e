"""Attention by groups: what the fused kernel computes in fp32, with its gradients, whatever lies beside a sequence."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from adapters_zoo.attention import attend
from adapters_zoo.packing import Layout

HEADS, HIDDEN = 2, 32
several = st.lists(st.integers(1, 200), min_size=1, max_size=12)


def of(lengths: list[int]) -> Layout:
    mask = (torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]).long()
    return Layout.of(mask.shape, mask, torch.device("cpu"))


def tokens(layout: Layout, seed: int = 0) -> Tensor:
    size = sum(layout.lengths) if layout.place is None else len(layout.place)
    return torch.randn(size, 3 * HIDDEN, generator=torch.Generator().manual_seed(seed)).bfloat16()


def with_gradient(projected: Tensor, layout: Layout, given_back: Tensor) -> tuple[Tensor, Tensor]:
    leaf = projected.clone().requires_grad_()
    attended = attend(leaf, layout, HEADS)
    (gradient,) = torch.autograd.grad(attended, leaf, given_back.to(attended.dtype))
    return attended.detach().float(), gradient.float()


@given(several)
@settings(max_examples=40, deadline=None)
def test_it_is_what_the_fused_kernel_computes_in_fp32(lengths: list[int]) -> None:
    layout, own = of(lengths), sum(lengths)
    projected = tokens(layout)
    given_back = torch.randn(len(projected), HIDDEN, generator=torch.Generator().manual_seed(1))
    given_back[own:] = 0  # What stands behind the tokens means nothing, so nothing is read of it.
    attended, gradient = with_gradient(projected, layout, given_back)
    expected, its_gradient = with_gradient(projected.float(), layout, given_back)
    torch.testing.assert_close(attended[:own], expected[:own], rtol=0.02, atol=0.02)
    torch.testing.assert_close(gradient[:own], its_gradient[:own], rtol=0.05, atol=0.05)
    assert not gradient[own:].any()


def test_groups_hold_every_sequence_once_and_in_order() -> None:
    lengths = [250, 250, 200, 90, 88, 85, 40, 39, 38, 38, 7, 7, 3, 1]
    groups = of(lengths).groups
    assert [group.batch for group in groups] == [1, 1, 1, 8, 3]
    assert [group.length for group in groups] == [250, 250, 200, 90, 7]
    assert [group.start for group in groups] == [0, 250, 500, 700, 1125]
    assert [group.stop for group in groups] == [250, 500, 700, 1125, 1136]
    assert [group.kept is None for group in groups] == [True, True, True, False, False]


def test_a_sequence_attends_to_itself_alone() -> None:
    layout = of([30, 28, 9])
    projected = tokens(layout)
    before = attend(projected, layout, HEADS)
    projected[30:58] = tokens(layout, seed=2)[30:58]
    after = attend(projected, layout, HEADS)
    assert torch.equal(before[:30], after[:30])
    assert torch.equal(before[58:67], after[58:67])
    assert not torch.equal(before[30:58], after[30:58])


@pytest.mark.parametrize("lengths", [[64] * 4, [64, 50, 20]])
def test_dropout_leaves_the_share_out_and_raises_the_rest(lengths: list[int]) -> None:
    torch.manual_seed(0)
    layout, own = of(lengths), sum(lengths)
    projected = tokens(layout)
    projected[:, 2 * HIDDEN :] = 1  # Every value is 1: what is gathered is the sum of the weights.
    gathered = torch.stack([attend(projected, layout, HEADS, 0.25)[:own].float() for _ in range(40)])
    assert gathered.std() > 0.02
    assert abs(float(gathered.mean()) - 1) < 0.01


def test_gradients_go_through_what_dropout_left() -> None:
    torch.manual_seed(0)
    layout = of([40, 33])
    leaf = tokens(layout).requires_grad_()
    attended = attend(leaf, layout, HEADS, 0.5)
    given_back = torch.randn_like(attended)
    (gradient,) = torch.autograd.grad(attended, leaf, given_back)
    # What is gathered is linear in the values, so along them the gradient adds up to it.
    along = (gradient[:73, 2 * HIDDEN :].float() * leaf[:73, 2 * HIDDEN :].float()).sum()
    torch.testing.assert_close(along, (attended[:73].float() * given_back[:73].float()).sum(), rtol=0.02, atol=0.2)
