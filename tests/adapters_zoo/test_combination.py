"""Weighted sums of states: computed by hand, of LoRA's products, of heads, and standing in an encoder."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from adapters_zoo.backbone import Encoder
from adapters_zoo.combination import (
    CombinationError,
    add_state,
    combined,
    combined_heads,
    difference,
    effect,
    inner,
    random_direction,
    standing,
)
from adapters_zoo.heads import Head
from adapters_zoo.methods import add_untrained
from adapters_zoo.recipes import LowRankRecipe, TaskAdapterRecipe, TaskRecipe, TunedRecipe
from adapters_zoo.sources import check_encoder

RECIPES: dict[str, TaskRecipe] = {
    "bottleneck": TaskAdapterRecipe(reduction=4),
    "lora": LowRankRecipe(rank=2, alpha=6),
    "full": TunedRecipe(leave_out=1),
}
IDS = torch.tensor([[0, 7, 9, 30, 11, 2]])


@pytest.fixture
def encoder(tiny_encoder_folder: Path) -> Encoder:
    return Encoder(check_encoder(tiny_encoder_folder))


def states(encoder: Encoder, recipe: TaskRecipe, count: int) -> list[dict[str, Tensor]]:
    """States far from untrained ones."""
    torch.manual_seed(0)
    found = []
    for _ in range(count):
        add_untrained(encoder, "one", recipe)
        own = encoder.parameters_of("one")
        found.append({name: weight + 0.2 * torch.randn_like(weight) for name, weight in own.items()})
        encoder.remove("one")
    return found


def test_a_sum_is_that_of_the_weights_each_times_its_coefficient() -> None:
    one, other = {"a": torch.tensor([1.0, 2.0])}, {"a": torch.tensor([5.0, -2.0])}
    assert combined([(one, 0.75), (other, 0.25)])["a"].tolist() == [2.0, 1.0]
    assert combined([(one, 1.5), (other, -0.5)])["a"].tolist() == [-1.0, 4.0]


def test_a_sum_is_exact_however_many_states_it_is_of() -> None:
    third = {"a": torch.tensor([1.0, 0.3])}
    assert torch.equal(combined([(third, 1 / 3)] * 3)["a"], third["a"])


def test_where_no_coefficient_counts_there_is_no_sum() -> None:
    with pytest.raises(CombinationError, match="every coefficient is 0"):
        combined([({"a": torch.ones(1)}, 0.0)])


def test_products_of_factors_are_added_not_factors() -> None:
    one = {"x.lora_A": torch.tensor([[1.0, 0.0]]), "x.lora_B": torch.tensor([[2.0], [0.0]])}
    other = {"x.lora_A": torch.tensor([[0.0, 3.0]]), "x.lora_B": torch.tensor([[0.0], [1.0]])}
    middle = combined([(one, 0.5), (other, 0.5)])
    assert (middle["x.lora_B"] @ middle["x.lora_A"]).tolist() == [[1.0, 0.0], [0.0, 1.5]]
    recipe = LowRankRecipe(rank=1, alpha=4)
    assert effect(middle, recipe)["x.product"].tolist() == [[4.0, 0.0], [0.0, 6.0]]


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_the_ends_of_a_line_are_the_states_bit_by_bit(encoder: Encoder, recipe: TaskRecipe) -> None:
    ends = states(encoder, recipe, 2)
    for at, end in enumerate(ends):
        point = combined(zip(ends, [1.0 - at, float(at)], strict=True))
        assert point.keys() == end.keys()
        assert all(torch.equal(point[name], weight) for name, weight in end.items())


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_the_line_is_straight_in_its_effect(encoder: Encoder, recipe: TaskRecipe) -> None:
    one, other = states(encoder, recipe, 2)
    point, ends = effect(combined([(one, 0.7), (other, 0.3)]), recipe), [effect(end, recipe) for end in (one, other)]
    for name, tensor in point.items():
        torch.testing.assert_close(tensor, 0.7 * ends[0][name] + 0.3 * ends[1][name])


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_a_state_that_stands_is_what_passes_read_and_is_gone_afterwards(encoder: Encoder, recipe: TaskRecipe) -> None:
    one, other = states(encoder, recipe, 2)
    same = combined([(one, 0.5), (one, 0.5)])
    add_untrained(encoder, "own", recipe)
    encoder.assign("own", one)
    with standing(encoder, "point", recipe, same):
        torch.testing.assert_close(encoder.hidden(IDS, task="point"), encoder.hidden(IDS, task="own"))
    with standing(encoder, "point", recipe, other):
        assert not torch.allclose(encoder.hidden(IDS, task="point"), encoder.hidden(IDS, task="own"), atol=1e-3)
    assert encoder.names == ("own",)


@pytest.mark.parametrize("fast", [True, False], ids=["engine", "library"])
def test_a_sum_of_low_rank_additions_is_read_as_the_sum_of_what_they_add(tiny_encoder_folder: Path, fast: bool) -> None:
    encoder, recipe = Encoder(check_encoder(tiny_encoder_folder), fast=fast), RECIPES["lora"]
    one, other = states(encoder, recipe, 2)
    add_state(encoder, "one", recipe, one)
    # The same factor stands before the product as before those it is the sum of: of one alone nothing changes.
    add_state(encoder, "same", recipe, combined([(one, 0.25), (one, 0.75)]))
    add_state(encoder, "mean", recipe, combined([(one, 0.25), (other, 0.75)]))
    own = encoder.hidden(IDS, task="one")
    torch.testing.assert_close(encoder.hidden(IDS, task="same"), own, atol=1e-5, rtol=1e-5)
    assert not torch.allclose(encoder.hidden(IDS, task="mean"), own, atol=1e-4)


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_a_sum_is_saved_and_read_again(encoder: Encoder, recipe: TaskRecipe, tmp_path: Path) -> None:
    one, other = states(encoder, recipe, 2)
    add_state(encoder, "mean", recipe, combined([(one, 0.5), (other, 0.5)]))
    encoder.save("mean", tmp_path)
    encoder.load("read", tmp_path)
    assert torch.equal(encoder.hidden(IDS, task="read"), encoder.hidden(IDS, task="mean"))


def test_heads_are_averaged_and_those_of_other_labels_refused() -> None:
    one, two, other = Head(4, ("a", "b")), Head(4, ("a", "b")), Head(4, ("a", "c"))
    averaged = combined_heads([(one, 0.5), (two, 0.5)])
    torch.testing.assert_close(averaged.linear.weight, (one.linear.weight + two.linear.weight) / 2)
    assert averaged.labels == ("a", "b")
    with pytest.raises(CombinationError, match="heads of other labels have no mean"):
        combined_heads([(one, 0.5), (other, 0.5)])


def test_what_stands_moves_no_random_draw(encoder: Encoder) -> None:
    [one] = states(encoder, RECIPES["bottleneck"], 1)
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    with standing(encoder, "point", RECIPES["bottleneck"], one):
        assert torch.equal(torch.rand(4), expected)


def test_unlike_states_are_refused(encoder: Encoder) -> None:
    [one] = states(encoder, RECIPES["bottleneck"], 1)
    [other] = states(encoder, TaskAdapterRecipe(reduction=8), 1)
    with pytest.raises(CombinationError, match="several shapes"):
        combined([(one, 0.5), (other, 0.5)])
    with pytest.raises(CombinationError, match="are not in all of them"):
        combined([(one, 0.5), ({"a": torch.zeros(1)}, 0.5)])
    add_untrained(encoder, "own", RECIPES["bottleneck"])
    with pytest.raises(ValueError, match="weights of another"):
        encoder.assign("own", {"a": torch.zeros(1)})


def test_the_inner_product_is_that_of_all_weights_in_a_row() -> None:
    one, other = (
        {"a": torch.tensor([[1.0, 2.0]]), "b": torch.tensor([3.0])},
        {"a": torch.ones(1, 2), "b": torch.ones(1)},
    )
    assert inner(one, other) == 6
    assert inner(difference(one, other), difference(one, other)) == 0 + 1 + 4


def test_every_filter_of_a_random_direction_is_as_long_as_what_it_is_like() -> None:
    like = {"matrix": torch.tensor([[3.0, 4.0], [0.0, 0.0]]), "vector": torch.tensor([1.0, 2.0, 2.0])}
    drawn = random_direction(like, seed=0)
    assert drawn["matrix"].norm(dim=1).tolist() == pytest.approx([5.0, 0.0])
    assert float(drawn["vector"].norm()) == pytest.approx(3.0)
    assert torch.equal(drawn["vector"], random_direction(like, seed=0)["vector"])
    assert not torch.equal(drawn["vector"], random_direction(like, seed=1)["vector"])
