"""The transformer: causal, and of the size that is said."""

from __future__ import annotations

import torch

from workers.othello.model import Transformer


def small() -> Transformer:
    torch.manual_seed(0)
    return Transformer(tokens=25, outputs=25, room=12, layers=3, width=64, heads=4)


def test_nothing_sees_what_comes_behind_it() -> None:
    model = small()
    ids = torch.randint(1, 25, (2, 12), generator=torch.Generator().manual_seed(0))
    changed = ids.clone()
    changed[:, 7:] = 0
    assert torch.allclose(model(ids)[:, :7], model(changed)[:, :7], atol=1e-6)
    assert not torch.allclose(model(ids)[:, 7:], model(changed)[:, 7:], atol=1e-3)


def test_the_small_model_has_154_thousand_parameters() -> None:
    assert small().parameters_in_all == 154_048


def test_there_is_a_state_behind_the_embedding_and_every_block() -> None:
    assert [tuple(states.shape) for states in small().states(torch.ones(2, 5, dtype=torch.long))] == [(2, 5, 64)] * 4
