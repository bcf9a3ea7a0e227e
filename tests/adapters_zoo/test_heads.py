"""Units pooled from positions, and the one linear head over them: known answers."""

import torch

from adapters_zoo.heads import Head, pool

HIDDEN = torch.arange(12, dtype=torch.float32).reshape(2, 3, 2)


def test_a_unit_is_the_mean_of_its_positions() -> None:
    unit_of = torch.tensor([[-1, 0, 0], [1, -1, 2]])
    assert pool(HIDDEN, unit_of, 3).tolist() == [[3.0, 4.0], [6.0, 7.0], [10.0, 11.0]]


def test_positions_of_a_unit_need_not_be_neighbours_nor_in_one_row() -> None:
    unit_of = torch.tensor([[0, -1, 1], [1, -1, 0]])
    assert pool(HIDDEN, unit_of, 2).tolist() == [[5.0, 6.0], [5.0, 6.0]]


def test_a_unit_without_positions_is_zero_rather_than_nan() -> None:
    assert pool(HIDDEN, torch.full((2, 3), -1), 1).tolist() == [[0.0, 0.0]]


def test_sums_are_made_in_fp32_whatever_the_encoder_computes_in() -> None:
    many = torch.ones(1, 1000, 2, dtype=torch.bfloat16)
    pooled = pool(many, torch.zeros(1, 1000, dtype=torch.long), 1)
    assert pooled.dtype == torch.float32
    assert pooled.tolist() == [[1.0, 1.0]]


def test_head_gives_a_score_a_label() -> None:
    head = Head(2, ["b", "a", "c"])
    with torch.no_grad():
        head.linear.weight.copy_(torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]))
        head.linear.bias.copy_(torch.tensor([0.0, 0.0, -1.0]))
    assert head.labels == ("b", "a", "c")
    assert head(torch.tensor([[2.0, 3.0]], dtype=torch.bfloat16)).tolist() == [[2.0, 3.0, 4.0]]
