"""The plain types: digests of what a model sees, labels, and errors that travel."""

import copy
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matrices.items import Items
from workers.corpora.types import CorpusError, CorpusOrigin, Dataset, RawText
from workers.tasks.classification import LabelledText
from workers.tasks.tagging import TaggedSentence

HERE = CorpusOrigin("corpus", ("file",), None, None)
ITEMS = (TaggedSentence("1", ("a", "b"), ("X", "NOUN")),)
DATASET = Dataset("pos", "tagging", "yor", "train", ITEMS, HERE)


def test_digest_is_of_the_items_wherever_they_lie() -> None:
    moved = replace(
        DATASET, language="hau", split="test", provenance=CorpusOrigin("other", ("elsewhere",), "CC0", True)
    )
    assert moved.digest == DATASET.digest


@pytest.mark.parametrize(
    "other",
    [
        replace(DATASET, task="pud"),
        replace(DATASET, items=ITEMS * 2),
        replace(DATASET, items=(replace(ITEMS[0], id="2"),)),
        replace(DATASET, items=(replace(ITEMS[0], tokens=("ab", "")),)),
        replace(DATASET, items=(replace(ITEMS[0], tags=("X", "VERB")),)),
    ],
)
def test_digest_changes_with_what_a_model_sees(other: Dataset) -> None:
    assert other.digest != DATASET.digest


def test_passages_change_no_digest_as_no_model_sees_them() -> None:
    assert replace(DATASET, items=(replace(ITEMS[0], passage="news"),)).digest == DATASET.digest


def test_items_are_named_by_id_and_by_passage_where_there_are_passages() -> None:
    texts = tuple(LabelledText(id_, "t", "a") for id_ in "123")
    assert replace(DATASET, kind="classification", items=texts, parallel="sib").named == Items(
        ("1", "2", "3"), "sib", None
    )

    of_news = (replace(texts[0], passage="news"), texts[1], replace(texts[2], passage="news"))
    named = replace(DATASET, items=of_news).named
    assert named == Items(("1", "2", "3"), None, ("news", "2", "news"))
    assert named.first(2) == Items(("1", "2"), None, ("news", "2"))
    assert named.first(None) == named


def test_digest_of_text_knows_where_sentences_end() -> None:
    assert RawText("yor", ("ab", "c"), ()).digest != RawText("yor", ("a", "bc"), ()).digest


def test_labels_are_those_that_occur() -> None:
    assert DATASET.labels == ("NOUN", "X")
    texts = (LabelledText("1", "t", "b"), LabelledText("2", "t", "a"))
    assert replace(DATASET, kind="classification", items=texts).labels == ("a", "b")


FULL = Dataset("pos", "tagging", "yor", "dev", ITEMS * 5, HERE, parallel="pud", stated=frozenset({"X"}))


@given(st.integers(0, 7))
def test_a_data_set_cut_to_its_first_items_keeps_all_else(most: int) -> None:
    cut = FULL.first(most)

    assert cut.items == FULL.items[:most]
    for field in fields(Dataset):
        kept = getattr(FULL, field.name)
        assert kept != field.default, f"{field.name}: say it in FULL, or nothing is tested of it"
        assert field.name == "items" or getattr(cut, field.name) == kept


def test_a_data_set_that_is_not_cut_is_itself() -> None:
    assert FULL.first(None) is FULL.first(5) is FULL


@pytest.mark.parametrize(("line", "told"), [(3, "file:3: wrong"), (None, "file: wrong")])
def test_error_says_where_and_survives_the_way_between_processes(line: int | None, told: str) -> None:
    error = CorpusError("file", line, "wrong")
    assert str(error) == str(copy.copy(error)) == told
