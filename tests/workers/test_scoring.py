"""Outcomes of items: their sums are the field's metrics, and the baseline is the best constant answer."""

import warnings
from collections.abc import Sequence
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics import f1_score
from sklearn.metrics import accuracy_score

from workers.corpora.types import Dataset, LabelledText, Provenance, TaggedSentence
from workers.scoring import METRICS, constant_outcomes, outcome, score

HERE = Provenance("corpus", (), None, None)
IOB2 = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
Tags = tuple[str, ...]


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


def test_every_kind_of_task_has_a_metric() -> None:
    assert METRICS == {"tagging": "accuracy", "classification": "accuracy", "spans": "f1"}


def dataset(kind: Literal["tagging", "spans", "classification"], labels: Sequence[Tags]) -> Dataset:
    if kind == "classification":
        items = tuple(LabelledText(str(n), "", label) for n, (label, *_) in enumerate(labels))
        return Dataset("t", kind, "yor", "test", items, HERE)
    sentences = tuple(TaggedSentence(str(n), ("w",) * len(tags), tags) for n, tags in enumerate(labels))
    return Dataset("t", kind, "yor", "test", sentences, HERE)


LABELS = st.lists(st.lists(st.sampled_from("abcd"), min_size=1, max_size=5).map(tuple), min_size=1, max_size=12)


@given(LABELS, st.sampled_from(["tagging", "classification"]))
def test_no_constant_answer_beats_the_baseline(labels: list[Tags], kind: Literal["tagging", "classification"]) -> None:
    data = dataset(kind, labels)
    gold = [tags if kind == "tagging" else tags[:1] for tags in labels]
    every = [score([outcome(kind, tags, [constant] * len(tags)) for tags in gold]) for constant in "abcd"]
    assert score(constant_outcomes(data)) == max(one for one in every if one is not None)


def test_baseline_does_not_depend_on_the_order_of_items() -> None:
    labels = [("b",), ("a",), ("b",), ("a",)]
    assert constant_outcomes(dataset("classification", labels)) == [(0, 1), (1, 1), (0, 1), (1, 1)]
    assert constant_outcomes(dataset("classification", labels[::-1])) == [(1, 1), (0, 1), (1, 1), (0, 1)]


def test_baseline_of_spans_finds_none() -> None:
    assert constant_outcomes(dataset("spans", [("B-PER",), ("O", "B-LOC"), ("O",)])) == [(0, 1), (0, 1), (0, 0)]
