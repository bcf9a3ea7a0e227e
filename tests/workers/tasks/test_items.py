"""Items of rows: what is read as it stands, and what is refused with file, line and value."""

from collections.abc import Callable
from typing import Any

import pytest

from workers.rows import CorpusError, Said
from workers.tasks.choice import Choice
from workers.tasks.pairs import LabelledPair
from workers.tasks.qa import AnswerSpan, PassageQuestion

MakeItem = Callable[..., Any]
NLI = Said(labels=("entailment", "neutral", "contradiction"))
CONTEXT = "Anna Berg was born in Lund in 1901."


def test_a_pair_is_two_texts_and_a_label(item_of: MakeItem) -> None:
    pair = item_of("pairs", NLI, premise="It rains.", hypothesis="It is wet.", label="entailment")
    assert pair == LabelledPair("1", "It rains.", "It is wet.", "entailment")
    assert item_of("pairs", NLI, premise="a", hypothesis="b", label=2).label == "contradiction"


def test_a_pair_with_an_empty_side_is_refused_or_left_out(item_of: MakeItem) -> None:
    for side in ("premise", "hypothesis"):
        values = {"premise": "a", "hypothesis": "b", "label": "neutral", side: " "}
        with pytest.raises(CorpusError, match=f"file:7: an empty {side}"):
            item_of("pairs", NLI, **values)
        assert item_of("pairs", Said(labels=NLI.labels, repair=True), **values) is None


def test_a_label_that_a_map_misses_is_refused(item_of: MakeItem) -> None:
    said = Said(labels={"e": "entailment", "n": "neutral"})
    assert item_of("pairs", said, premise="a", hypothesis="b", label="e").label == "entailment"
    with pytest.raises(CorpusError, match=r"file:7: label 'c' is not one of e, n; `labels` does not say"):
        item_of("pairs", said, premise="a", hypothesis="b", label="c")


def test_a_number_as_a_label_wants_names(item_of: MakeItem) -> None:
    with pytest.raises(CorpusError, match=r"label 1 is a number; say what it means: `labels:"):
        item_of("classification", text="a", label=1)


def test_a_choice_is_made_of_columns_or_of_a_list(item_of: MakeItem) -> None:
    columns = item_of("choice", premise="p", question="cause", choice1="a", choice2="b", label=1)
    assert columns == Choice("1", "p", "cause", ("a", "b"), 1)
    listed = Said(columns={"alternatives": "endings", "question": None})
    assert item_of("choice", listed, premise="p", endings=["a", "b", "c"], label="2").right == 2


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"endings": ["a"]}, r"1 alternative\(s\); a choice has two or more"),
        ({"endings": ["a", " "]}, "alternative 1 is empty"),
        ({"endings": ["a", "b"], "label": 2}, "label '2' is none of the alternatives, 0 to 1"),
        ({"endings": ["a", "b"], "label": "x"}, "label 'x' is none of"),
    ],
)
def test_what_is_no_choice_is_refused(item_of: MakeItem, values: dict[str, Any], problem: str) -> None:
    said = Said(columns={"alternatives": "endings", "question": None})
    with pytest.raises(CorpusError, match=f"file:7: .*{problem}"):
        item_of("choice", said, **{"premise": "p", "label": 0, **values})


@pytest.mark.parametrize(
    "answers",
    [[{"text": "Lund", "answer_start": 22}], {"text": ["Lund"], "answer_start": [22]}],
    ids=["as SQuAD has them", "as the hub has them"],
)
def test_a_question_has_its_answers_where_they_stand(item_of: MakeItem, answers: Any) -> None:
    question = item_of("qa", question="Where?", context=CONTEXT, answers=answers)
    assert question == PassageQuestion("1", "Where?", CONTEXT, (AnswerSpan("Lund", 22),))


@pytest.mark.parametrize(
    ("answers", "problem"),
    [
        ([{"text": "Lund", "answer_start": 23}], "answer 'Lund' is not in its passage at 23, where 'und ' stands"),
        ([{"text": "Lund", "answer_start": -13}], "answer 'Lund' is not in its passage at -13"),
        ([{"text": "", "answer_start": 0}], "answer '' is not in its passage at 0"),
        ([{"text": "Lund"}], "give an object with `text` and `answer_start`"),
        ("Lund", "give a list of objects"),
        ([], r"a question without an answer; .*unanswerable: true"),
    ],
)
def test_an_answer_that_is_not_there_is_refused(item_of: MakeItem, answers: Any, problem: str) -> None:
    with pytest.raises(CorpusError, match=f"file:7: .*{problem}"):
        item_of("qa", question="Where?", context=CONTEXT, answers=answers)


def test_questions_may_be_without_an_answer_where_that_is_said(item_of: MakeItem) -> None:
    said = Said(unanswerable=True)
    assert item_of("qa", said, question="Why?", context=CONTEXT, answers=[]).unanswerable is True
    there = item_of("qa", said, question="W?", context=CONTEXT, answers=[{"text": "Lund", "answer_start": 22}])
    assert there.unanswerable is False
