"""Checks across languages: what no fair matrix can be made of is refused before any training."""

import pytest

from workers.corpora.checks import Facts, check, facts_of
from workers.corpora.types import CorpusError, CorpusOrigin, Dataset, Item, Split
from workers.tasks.classification import LabelledText
from workers.tasks.tagging import TaggedSentence


def topics(language: str, *labels: str, split: Split = "train") -> Facts:
    return _dataset(
        "topic", "classification", language, split, [LabelledText(str(n), "t", label) for n, label in enumerate(labels)]
    )


def tagged(language: str, *tags: str, kind: str = "tagging", split: Split = "train") -> Facts:
    return _dataset("task", kind, language, split, [TaggedSentence("1", ("t",) * len(tags), tags)])


def _dataset(task: str, kind: str, language: str, split: Split, items: list[Item]) -> Facts:
    provenance = CorpusOrigin("corpus", (f"{language}/{split}",), None, None)
    return facts_of(Dataset(task, kind, language, split, tuple(items), provenance))


def test_equal_label_sets_pass() -> None:
    check([topics("yor", "a", "b"), topics("hau", "b", "a"), topics("wol", "a", split="test")], minimum_items=1)


def test_language_may_lack_a_rare_label() -> None:
    check([topics("yor", "a", "b", "rare"), topics("hau", "a", "b")], minimum_items=1)


@pytest.mark.parametrize("order", [1, -1])
def test_one_topic_under_two_names_is_an_error_that_says_where_and_what(order: int) -> None:
    datasets = [topics("yor", "health", "sports"), topics("hau", "health", "sports"), topics("wol", "health", "sport")]
    with pytest.raises(CorpusError) as caught:
        check(datasets[::order], minimum_items=1)
    assert str(caught.value) == (
        "wol/train: label 'sport' (1 in the train split of topic) occurs in wol only; the labels of hau are "
        "health, sports; nearest: sports; rename it, or leave the language out"
    )


def test_label_of_a_test_split_that_no_train_split_has_is_an_error() -> None:
    with pytest.raises(CorpusError, match=r"label 'c' \(1 in the test split"):
        check([topics("yor", "a", "b"), topics("hau", "a", "c", split="test")], minimum_items=1)


def test_test_splits_alone_are_compared_among_themselves() -> None:
    with pytest.raises(CorpusError, match="label 'sport' "):
        check([topics("wol", "sport", split="test"), topics("yor", "a", "sports", split="test")], minimum_items=1)


def test_span_types_are_compared_without_their_position() -> None:
    check([tagged("yor", "B-PER", "I-PER", kind="spans"), tagged("hau", "B-PER", "O", kind="spans")], minimum_items=1)


def test_span_type_that_differs_is_an_error() -> None:
    with pytest.raises(CorpusError, match=r"label 'PERS' .* nearest: PER"):
        check([tagged("yor", "B-PER", "B-LOC", kind="spans"), tagged("hau", "B-PERS", kind="spans")], minimum_items=1)


def test_languages_use_different_parts_of_speech() -> None:
    check([tagged("yor", "NOUN", "PART"), tagged("hau", "NOUN", "DET"), tagged("wol", "SYM", split="test")], 1)


def test_other_tags_must_occur_in_a_train_split() -> None:
    with pytest.raises(CorpusError, match=r"label 'blck' .* nearest: black"):
        check([tagged("qaa", "black", "white"), tagged("qab", "blck", split="test")], minimum_items=1)


def test_tasks_are_not_compared_with_each_other() -> None:
    check([topics("yor", "a"), tagged("yor", "B-PER", kind="spans")], minimum_items=1)


@pytest.mark.parametrize(("labels", "minimum", "found"), [(("a", "b"), 3, 2), ((), 0, 0)], ids=["few", "empty"])
def test_too_few_items_are_an_error_with_both_numbers(labels: tuple[str, ...], minimum: int, found: int) -> None:
    with pytest.raises(CorpusError, match=f"yor/dev: {found} items in the dev split of topic in yor; the minimum is"):
        check([topics("yor", *labels, split="dev")], minimum)
