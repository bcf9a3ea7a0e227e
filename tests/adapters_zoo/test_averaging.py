"""Means of weights: those computed by hand, and of low-rank additions the mean of what they add."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from adapters_zoo.averaging import AveragingError, Shared, add_mean, mean, mean_head
from adapters_zoo.backbone import Encoder
from adapters_zoo.heads import Head
from adapters_zoo.methods import add_untrained
from adapters_zoo.recipes import LowRankRecipe, TaskAdapterRecipe, TaskRecipe, TunedRecipe
from adapters_zoo.sources import check_encoder

IDS = torch.tensor([[0, 17, 40, 23, 9, 2]])
LORA = LowRankRecipe(rank=2, alpha=6)
RECIPES = [TaskAdapterRecipe(reduction=4), TunedRecipe(leave_out=1), LORA]


@pytest.fixture
def encoder(tiny_encoder_folder: Path) -> Encoder:
    return Encoder(check_encoder(tiny_encoder_folder))


def add_drawn(encoder: Encoder, name: str, recipe: TaskRecipe, seed: int) -> None:
    """Add an adapter whose weights are all drawn: what is untrained adds nothing."""
    add_untrained(encoder, name, recipe)
    generator = torch.Generator().manual_seed(seed)
    moved = {
        key: value + 0.05 * torch.randn(value.shape, generator=generator)
        for key, value in encoder.parameters_of(name).items()
    }
    encoder.assign(name, moved)


def members(encoder: Encoder, shares: dict[str, float]) -> list[Shared]:
    return [(encoder.parameters_of(name), share) for name, share in shares.items()]


def states(encoder: Encoder, task: str) -> Tensor:
    with torch.no_grad():
        return encoder.hidden(IDS, task=task)


def test_a_mean_is_that_computed_by_hand() -> None:
    found = mean([({"w": torch.tensor([1.0, 2.0])}, 0.25), ({"w": torch.tensor([3.0, 10.0])}, 0.75)])
    assert found["w"].tolist() == [2.5, 8.0]


@pytest.mark.parametrize("recipe", RECIPES[:2], ids=["bottleneck", "full"])
def test_an_averaged_adapter_has_the_mean_of_each_weight(encoder: Encoder, recipe: TaskRecipe) -> None:
    add_drawn(encoder, "one", recipe, 1)
    add_drawn(encoder, "two", recipe, 2)
    add_mean(encoder, "mean", members(encoder, {"one": 0.25, "two": 0.75}), recipe)
    one, two, averaged = (encoder.parameters_of(name) for name in ("one", "two", "mean"))
    for key, value in averaged.items():
        # Fine-tuned layers are kept as a difference in bf16.
        torch.testing.assert_close(value, 0.25 * one[key] + 0.75 * two[key], atol=2e-3, rtol=0)
    assert len(averaged) == len(one) > 0


@pytest.mark.parametrize("fast", [True, False], ids=["engine", "library"])
def test_of_low_rank_additions_the_products_are_averaged(tiny_encoder_folder: Path, fast: bool) -> None:
    encoder = Encoder(check_encoder(tiny_encoder_folder), fast=fast)
    add_drawn(encoder, "one", LORA, 1)
    add_drawn(encoder, "two", LORA, 2)
    one, two = encoder.parameters_of("one"), encoder.parameters_of("two")
    add_mean(encoder, "mean", members(encoder, {"one": 0.25, "two": 0.75}), LORA)
    averaged = encoder.parameters_of("mean")
    firsts = [key for key in one if key.endswith("lora_A")]
    assert firsts
    for key in firsts:
        other = key.removesuffix("A") + "B"
        wanted = 0.25 * one[other] @ one[key] + 0.75 * two[other] @ two[key]
        torch.testing.assert_close(averaged[other] @ averaged[key], wanted)
        of_means = (0.25 * one[other] + 0.75 * two[other]) @ (0.25 * one[key] + 0.75 * two[key])
        assert not torch.allclose(wanted, of_means, atol=1e-3)
    # The same factor stands before the product as before those it is the mean of: of one alone nothing changes.
    add_mean(encoder, "same", [(one, 0.5), (one, 0.5)], LORA)
    torch.testing.assert_close(states(encoder, "same"), states(encoder, "one"), atol=1e-5, rtol=1e-5)
    assert not torch.allclose(states(encoder, "mean"), states(encoder, "one"), atol=1e-4)


@pytest.mark.parametrize("recipe", RECIPES, ids=["bottleneck", "full", "lora"])
def test_an_averaged_adapter_is_saved_and_read_again(encoder: Encoder, recipe: TaskRecipe, tmp_path: Path) -> None:
    add_drawn(encoder, "one", recipe, 1)
    add_drawn(encoder, "two", recipe, 2)
    add_mean(encoder, "mean", members(encoder, {"one": 0.5, "two": 0.5}), recipe)
    encoder.save("mean", tmp_path)
    encoder.load("read", tmp_path)
    assert torch.equal(states(encoder, "read"), states(encoder, "mean"))


def test_nothing_is_drawn_for_a_mean(encoder: Encoder) -> None:
    add_drawn(encoder, "one", LORA, 1)
    before = torch.get_rng_state()
    add_mean(encoder, "mean", members(encoder, {"one": 1.0}), LORA)
    assert torch.equal(torch.get_rng_state(), before)


def test_adapters_of_unlike_shapes_have_no_mean(encoder: Encoder) -> None:
    add_drawn(encoder, "one", TaskAdapterRecipe(reduction=4), 1)
    add_drawn(encoder, "two", TaskAdapterRecipe(reduction=8), 2)
    with pytest.raises(AveragingError, match="weights of unlike shapes have no mean"):
        add_mean(encoder, "mean", members(encoder, {"one": 0.5, "two": 0.5}), TaskAdapterRecipe(reduction=4))


def test_heads_are_averaged_and_those_of_other_labels_refused() -> None:
    one, two, other = Head(4, ("a", "b")), Head(4, ("a", "b")), Head(4, ("a", "c"))
    averaged = mean_head([(one, 0.5), (two, 0.5)])
    torch.testing.assert_close(averaged.linear.weight, (one.linear.weight + two.linear.weight) / 2)
    assert averaged.labels == ("a", "b")
    with pytest.raises(AveragingError, match="heads of other labels have no mean"):
        mean_head([(one, 0.5), (other, 0.5)])
