"""Outcomes of tags, spans and labels: their sums are the field's metrics; the baseline is the most frequent label."""

import warnings
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics import f1_score
from sklearn.metrics import accuracy_score

from workers.tasks import task_of
from workers.tasks.base import Item
from workers.tasks.classification import LabelledText
from workers.tasks.scoring import Outcome, score
from workers.tasks.tagging import TaggedSentence

IOB2 = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
Tags = tuple[str, ...]


def item_of(kind: str, labels: Sequence[str], number: int = 1) -> Item:
    if kind == "classification":
        return LabelledText(str(number), "", labels[0])
    return TaggedSentence(str(number), ("w",) * len(labels), tuple(labels))


def outcome(kind: str, gold: Sequence[str], answer: Sequence[str | None]) -> Outcome:
    return task_of(kind).outcome(item_of(kind, gold), answer, "yor")


def constant(kind: str, labels: Sequence[Tags]) -> list[Outcome]:
    return task_of(kind).constant([item_of(kind, tags, n) for n, tags in enumerate(labels)], "yor")


@st.composite
def pairs(draw: st.DrawFn, labels: Sequence[str], longest: int = 8) -> list[tuple[Tags, Tags]]:
    """Gold and predicted labels of some items, of equal length each."""
    label = st.sampled_from(labels)
    lengths = draw(st.lists(st.integers(0, longest), min_size=1, max_size=8))
    return [(draw(st.tuples(*[label] * n)), draw(st.tuples(*[label] * n))) for n in lengths]


@given(pairs(IOB2))
def test_spans_are_scored_as_seqeval_does(items: list[tuple[Tags, Tags]]) -> None:
    mine = score([outcome("spans", gold, predicted) for gold, predicted in items])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # seqeval warns where nothing was true or predicted, and says 0
        theirs = f1_score([list(gold) for gold, _ in items], [list(predicted) for _, predicted in items])
    assert (mine or 0) == pytest.approx(theirs)


@given(pairs(["NOUN", "VERB", "X"]))
def test_tags_are_scored_as_sklearn_does(items: list[tuple[Tags, Tags]]) -> None:
    gold = [tag for one, _ in items for tag in one]
    predicted = [tag for _, one in items for tag in one]
    mine = score([outcome("tagging", *item) for item in items])
    assert mine == (pytest.approx(accuracy_score(gold, predicted)) if gold else None)


@given(pairs(IOB2))
def test_spans_are_right_only_whole_and_of_their_type(items: list[tuple[Tags, Tags]]) -> None:
    for gold, predicted in items:
        correct, total = outcome("spans", gold, predicted)
        assert 0 <= correct <= total
        same = outcome("spans", gold, gold)
        assert same[0] == same[1]


def test_known_answers() -> None:
    gold = ("B-PER", "I-PER", "O", "B-LOC")
    assert outcome("spans", gold, gold) == (4, 4)
    assert outcome("spans", gold, ("B-PER", "O", "O", "B-LOC")) == (2, 4)
    assert outcome("spans", gold, ("O",) * 4) == (0, 2)
    assert outcome("tagging", gold, ("B-PER", "O", "O", "B-LOC")) == (3, 4)
    assert outcome("classification", ("sports",), ("sports",)) == (1, 1)


def test_unit_without_a_prediction_is_wrong() -> None:
    assert outcome("tagging", ("X", "X"), ("X", None)) == (1, 2)
    assert outcome("classification", ("sports",), (None,)) == (0, 1)
    assert outcome("spans", ("B-PER", "I-PER"), ("B-PER", None)) == (0, 2)


def test_predictions_of_another_length_are_an_error() -> None:
    with pytest.raises(ValueError, match="shorter"):
        outcome("tagging", ("X", "X"), ("X",))


def test_score_where_nothing_could_be_right_or_wrong_is_missing_not_zero() -> None:
    assert score([outcome("spans", ("O",), ("O",))]) is None
    assert score([]) is None
    assert score([(0, 3)]) == 0


LABELS = st.lists(st.lists(st.sampled_from("abcd"), min_size=1, max_size=5).map(tuple), min_size=1, max_size=12)


@given(LABELS, st.sampled_from(["tagging", "classification"]))
def test_no_constant_answer_beats_the_baseline(labels: list[Tags], kind: str) -> None:
    gold = [tags if kind == "tagging" else tags[:1] for tags in labels]
    every = [score([outcome(kind, tags, [constant] * len(tags)) for tags in gold]) for constant in "abcd"]
    assert score(constant(kind, gold)) == max(one for one in every if one is not None)


def test_baseline_does_not_depend_on_the_order_of_items() -> None:
    labels = [("b",), ("a",), ("b",), ("a",)]
    assert constant("classification", labels) == [(0, 1), (1, 1), (0, 1), (1, 1)]
    assert constant("classification", labels[::-1]) == [(1, 1), (0, 1), (1, 1), (0, 1)]


def test_baseline_of_spans_finds_none() -> None:
    assert constant("spans", [("B-PER",), ("O", "B-LOC"), ("O",)]) == [(0, 1), (0, 1), (0, 0)]
