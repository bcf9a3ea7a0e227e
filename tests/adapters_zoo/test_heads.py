"""Units pooled from positions, and the one linear head over them: known answers."""

import torch

from adapters_zoo.heads import Head, group_loss, label_loss, pool

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


def test_the_first_position_of_a_unit_may_stand_for_it() -> None:
    unit_of = torch.tensor([[-1, 0, 0], [1, -1, 2]])
    assert pool(HIDDEN, unit_of, 4, "first").tolist() == [[2.0, 3.0], [6.0, 7.0], [10.0, 11.0], [0.0, 0.0]]
    repeated = torch.tensor([[2, 1, 1], [2, 0, -1]])
    assert pool(HIDDEN, repeated, 3, "first").tolist() == [[8.0, 9.0], [2.0, 3.0], [0.0, 1.0]]


def test_gradients_reach_the_positions_that_a_unit_is_made_of() -> None:
    hidden = HIDDEN.clone().requires_grad_(True)
    pool(hidden, torch.tensor([[-1, 0, 0], [1, -1, 2]]), 3, "first").sum().backward()
    assert hidden.grad is not None
    assert hidden.grad[..., 0].tolist() == [[0.0, 1.0, 0.0], [1.0, 0.0, 1.0]]


def test_loss_over_labels_is_of_each_unit_and_over_a_group_of_its_units() -> None:
    scores = torch.tensor([[2.0, 0.0], [0.0, 1.0], [3.0, 3.0]])
    by_hand = sum(-row.log_softmax(0)[at] for row, at in zip(scores, (0, 1, 1), strict=True)) / 3
    assert torch.isclose(label_loss(scores, [0, 1, 1]), by_hand)
    column = scores[:, 0]
    of_groups = (-column[:2].log_softmax(0)[1] - column[2:].log_softmax(0)[0]) / 2
    assert torch.isclose(group_loss(column, [2, 1], [1, 0]), of_groups)
