"""Dropout by few random bits: the share that is dropped, what is left, and that places are dropped independently."""

from __future__ import annotations

import pytest
import torch

from adapters_zoo.attention import drop, factors


@pytest.mark.parametrize("share", [0.1, 0.25, 0.5])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_share_is_dropped_and_others_are_raised(share: float, dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    drawn = factors(torch.ones(1001, 777, dtype=dtype), share)
    count = drawn.numel()
    # Four standard errors of a share of so many places.
    assert abs(float((drawn == 0).double().mean()) - share) < 4 * (share * (1 - share) / count) ** 0.5
    assert drawn.dtype == dtype
    assert set(drawn.unique().tolist()) == {0.0, torch.tensor(1 / (1 - share), dtype=dtype).item()}


def test_places_are_independent_of_those_of_the_same_random_number() -> None:
    torch.manual_seed(1)
    dropped = (factors(torch.ones(4 * 50_000), 0.5) == 0).double().view(-1, 4)
    correlations = torch.corrcoef(dropped.T) - torch.eye(4)
    assert correlations.abs().max() < 4 * 50_000**-0.5


def test_a_seed_decides_what_is_dropped() -> None:
    def drawn(seed: int) -> torch.Tensor:
        torch.manual_seed(seed)
        return factors(torch.ones(64, 3), 0.3)

    assert torch.equal(drawn(7), drawn(7))
    assert not torch.equal(drawn(7), drawn(8))


def test_gradients_pass_where_states_did() -> None:
    torch.manual_seed(0)
    states = torch.randn(40, 8, requires_grad=True)
    dropped = drop(states, 0.5)
    dropped.sum().backward()
    assert states.grad is not None
    assert torch.equal(states.grad * states.detach(), dropped.detach())
