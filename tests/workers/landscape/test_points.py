"""What is read off points: the runs' own scores at the ends of a line, and losses that can be computed by hand."""

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from adapters_zoo.backbone import Encoder
from adapters_zoo.combination import combined, difference, inner
from adapters_zoo.heads import Head
from adapters_zoo.methods import add_untrained
from adapters_zoo.recipes import LowRankRecipe, TaskAdapterRecipe, TaskRecipe, TunedRecipe
from adapters_zoo.sources import check_encoder
from workers.corpora import open_corpora
from workers.corpora.types import Corpora, Dataset
from workers.encoding import encode_items
from workers.evaluation import Contestant, evaluate
from workers.hidden_states import CachedText
from workers.landscape.run import Exam, Reading, read_point
from workers.landscape.training import AVERAGED, AVERAGED_HALF, LAST, START, train_head, train_run
from workers.tasks.scoring import score

RECIPES: dict[str, TaskRecipe] = {
    "bottleneck": TaskAdapterRecipe(reduction=4, epochs=2, learning_rate=0.01),
    "lora": LowRankRecipe(rank=2, epochs=2, learning_rate=0.01),
    "full": TunedRecipe(epochs=2, learning_rate=0.002),
}


@pytest.fixture
def encoder(tiny_encoder_folder: Path) -> Encoder:
    return Encoder(check_encoder(tiny_encoder_folder))


@pytest.fixture(scope="module")
def corpora(tiny_corpora: Path) -> Corpora:
    return open_corpora(tiny_corpora)


def text_of(encoder: Encoder, dataset: Dataset) -> CachedText:
    return CachedText(encoder, [dataset], language=None, dropout=False)


def reading(encoder: Encoder, recipe: TaskRecipe, state: dict[str, Tensor], head: Head, dataset: Dataset) -> Reading:
    [found] = read_point(encoder, recipe, state, head, [Exam(dataset, text_of(encoder, dataset))])
    return found


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
@pytest.mark.parametrize("task", ["board", "corner"])
def test_the_ends_of_a_line_have_the_runs_own_scores(
    encoder: Encoder, corpora: Corpora, recipe: TaskRecipe, task: str
) -> None:
    train = {code: corpora.dataset(task, code, "train") for code in ("qaa", "qab")}
    texts = {code: text_of(encoder, one) for code, one in train.items()}
    labels = train["qaa"].labels
    head = train_head(encoder, recipe, texts["qaa"], labels, 9, None)
    ends = [train_run(encoder, recipe, texts["qaa"], beside, head, 0)[LAST] for beside in (None, texts["qab"])]
    test = corpora.dataset(task, "qac", "test")
    errors = []
    for at, end in enumerate(ends):
        add_untrained(encoder, "own", recipe)
        encoder.assign("own", end)
        [own] = evaluate(encoder, test, encode_items(encoder, test), None, [Contestant("own", head)])
        encoder.remove("own")
        found = score(own)
        assert found is not None
        at_the_end = reading(encoder, recipe, combined(zip(ends, [1.0 - at, float(at)], strict=True)), head, test)
        assert at_the_end.error == 1 - found
        assert at_the_end.n == len(test.items)
        errors.append(at_the_end)
    assert errors[0].loss != errors[1].loss


def constant_state(encoder: Encoder, recipe: TaskRecipe, vector: Tensor) -> dict[str, Tensor]:
    """An adapter that drowns whatever the last layer says in one long vector."""
    add_untrained(encoder, "made", recipe)
    state = {name: torch.zeros_like(weight) for name, weight in encoder.parameters_of("made").items()}
    encoder.remove("made")
    [last] = [name for name in state if f"layer.{encoder.layers - 1}." in name and name.endswith("adapter_up.bias")]
    state[last] = vector
    return state


def test_a_line_between_two_hand_made_states_has_losses_computed_by_hand(encoder: Encoder, corpora: Corpora) -> None:
    recipe, test = RECIPES["bottleneck"], corpora.dataset("board", "qac", "test")
    torch.manual_seed(4)
    # The last layer's norm follows, so that only the direction is left: e1 up to a mean and a scale.
    one, other = torch.zeros(encoder.hidden_size), torch.zeros(encoder.hidden_size)
    one[0], other[1] = 1e5, 1e5
    head = Head(encoder.hidden_size, test.labels).requires_grad_(False)
    ends = [constant_state(encoder, recipe, vector) for vector in (one, other)]
    last = f"encoder.layer.{encoder.layers - 1}.output.LayerNorm"
    [gain] = [weight for name, weight in encoder.own.items() if name.endswith(f"{last}.weight")]
    [shift] = [weight for name, weight in encoder.own.items() if name.endswith(f"{last}.bias")]
    counts = Counter(label for item in test.items for label in test.rules.gold(item))
    for alpha in (-0.5, 0.0, 0.25, 0.5, 1.0, 1.5):
        drowned = (1 - alpha) * one + alpha * other
        normed = (drowned - drowned.mean()) / drowned.std(correction=0) * gain + shift
        chances = functional.softmax(head.linear.weight @ normed + head.linear.bias, dim=0)
        by_hand = -sum(
            count * math.log(float(chances[test.labels.index(label)])) for label, count in counts.items()
        ) / sum(counts.values())
        found = reading(encoder, recipe, combined(zip(ends, [1 - alpha, alpha], strict=True)), head, test)
        assert found.loss == pytest.approx(by_hand, rel=1e-3)
        answer = test.labels[int(chances.argmax())]
        assert found.error == pytest.approx(1 - counts[answer] / sum(counts.values()))


def test_runs_of_a_seed_share_their_start_and_the_head_and_means_are_of_snapshots(
    encoder: Encoder, corpora: Corpora
) -> None:
    recipe, train = RECIPES["bottleneck"], corpora.dataset("corner", "qaa", "train")
    text = text_of(encoder, train)
    head = train_head(encoder, recipe, text, train.labels, 9, None)
    before = {name: weight.clone() for name, weight in head.state_dict().items()}
    one, two = (train_run(encoder, recipe, text, None, head, 0, snapshots=count) for count in (2, 4))
    control = train_run(encoder, recipe, text, text, head, 0)
    assert all(torch.equal(weight, before[name]) for name, weight in head.state_dict().items())
    for name, last in one[LAST].items():
        assert torch.equal(last, two[LAST][name])
        assert torch.equal(one[START][name], two[START][name])
        # Of two snapshots the later half is the last alone.
        assert torch.equal(one[AVERAGED_HALF][name], last)
    end = one[LAST]
    half = combined([(one[AVERAGED], 2), (end, -1)])
    third = combined([(two[AVERAGED_HALF], 2), (end, -1)])
    first = combined([(two[AVERAGED], 4), (half, -1), (third, -1), (end, -1)])
    states = [one[START], first, half, third, end]
    steps = [difference(later, state) for state, later in pairwise(states)]
    assert all(inner(step, step) > 0 for step in steps)
    # A quarter of the run is a smaller change than all of it.
    whole = difference(end, one[START])
    assert all(inner(step, step) < inner(whole, whole) for step in steps)
    assert any(not torch.equal(weight, one[LAST][name]) for name, weight in control[LAST].items())
