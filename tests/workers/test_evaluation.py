"""Measuring a column: many contestants at once, and every word of every item."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from adapters_zoo.backbone import Encoder
from adapters_zoo.heads import Head
from adapters_zoo.sources import check_encoder
from workers.corpora import open_corpora
from workers.corpora.types import Dataset
from workers.encoding import encode_items
from workers.evaluation import Contestant, evaluate
from workers.tasks.classification import LabelledText
from workers.tasks.scoring import Outcome
from workers.tasks.tagging import TaggedSentence

LABELS = ("black", "none", "white", "corner")


@pytest.fixture(scope="module")
def encoder(tiny_encoder_folder: Path) -> Encoder:
    encoder = Encoder(check_encoder(tiny_encoder_folder))
    torch.manual_seed(0)
    encoder.add_language_adapter("l", reduction=2)
    for name in ("t1", "t2", "t3"):
        encoder.add_task_adapter(name, reduction=4)
    for name in encoder.names:
        for weight in encoder.parameters_of(name).values():
            weight.normal_(0, 0.2)
    return encoder


@pytest.fixture(scope="module")
def contestants(encoder: Encoder) -> list[Contestant]:
    torch.manual_seed(1)
    return [Contestant(name, Head(encoder.hidden_size, LABELS)) for name in ("t1", "t2", "t3")]


@pytest.fixture(scope="module")
def data(tiny_corpora: Path) -> Callable[[str], Dataset]:
    corpora = open_corpora(tiny_corpora)
    return lambda task: corpora.dataset(task, "qac", "test")


def measure(
    encoder: Encoder, dataset: Dataset, contestants: list[Contestant], language: str | None = None
) -> list[list[Outcome]]:
    return evaluate(encoder, dataset, encode_items(encoder, dataset), language, contestants)


def always(encoder: Encoder, label: str) -> Contestant:
    """A contestant that gives one answer, whatever it reads."""
    head = Head(encoder.hidden_size, LABELS)
    with torch.no_grad():
        head.linear.weight.zero_()
        head.linear.bias.copy_(torch.tensor([float(one == label) for one in LABELS]))
    return Contestant("t1", head)


@pytest.mark.parametrize("language", [None, "l"])
@pytest.mark.parametrize("task", ["board", "corner"])
def test_contestants_at_once_equal_one_by_one(
    encoder: Encoder,
    data: Callable[[str], Dataset],
    contestants: list[Contestant],
    task: str,
    language: str | None,
) -> None:
    together = measure(encoder, data(task), contestants, language)
    assert together == [measure(encoder, data(task), [one], language)[0] for one in contestants]
    assert len({tuple(outcomes) for outcomes in together}) > 1


def test_outcomes_are_in_the_order_of_items(encoder: Encoder, data: Callable[[str], Dataset]) -> None:
    dataset = data("board")
    [outcomes] = measure(encoder, dataset, [always(encoder, "black")])
    tags = [item.tags for item in dataset.items if isinstance(item, TaggedSentence)]
    assert outcomes == [(one.count("black"), len(one)) for one in tags]


def test_classification_has_one_outcome_a_text(encoder: Encoder, data: Callable[[str], Dataset]) -> None:
    dataset = data("corner")
    [outcomes] = measure(encoder, dataset, [always(encoder, "corner")])
    labels = [item.label for item in dataset.items if isinstance(item, LabelledText)]
    assert outcomes == [(int(label == "corner"), 1) for label in labels]


def test_sentence_longer_than_the_encoder_is_scored_whole(encoder: Encoder, data: Callable[[str], Dataset]) -> None:
    dataset = data("board")
    items = [item for item in dataset.items if isinstance(item, TaggedSentence)]
    tokens = tuple(token for item in items for token in item.tokens)
    tags = tuple(tag for item in items for tag in item.tags)
    assert len(tokens) > 2 * encoder.max_length
    long = replace(dataset, items=(TaggedSentence("long", tokens, tags), items[0]))
    outcomes = measure(encoder, long, [always(encoder, "black")])[0]
    assert outcomes == [(tags.count("black"), len(tags)), (items[0].tags.count("black"), len(items[0].tags))]


def test_empty_text_is_answered_and_empty_sentence_counts_nothing(
    encoder: Encoder, data: Callable[[str], Dataset]
) -> None:
    blank = replace(data("corner"), items=(LabelledText("1", "", "none"), *data("corner").items[:1]))
    assert measure(encoder, blank, [always(encoder, "none")])[0][0] == (1, 1)
    silent = replace(data("board"), items=(TaggedSentence("1", (), ()), *data("board").items[:1]))
    assert measure(encoder, silent, [always(encoder, "black")])[0][0] == (0, 0)


def test_answers_do_not_depend_on_which_items_share_a_batch(
    encoder: Encoder, data: Callable[[str], Dataset], contestants: list[Contestant]
) -> None:
    dataset = data("board")
    together = measure(encoder, dataset, contestants, "l")
    alone = [measure(encoder, replace(dataset, items=(item,)), contestants, "l") for item in dataset.items[:6]]
    assert [outcomes[:6] for outcomes in together] == [[one[place][0] for one in alone] for place in range(3)]
