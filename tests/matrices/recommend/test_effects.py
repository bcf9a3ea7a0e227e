"""Whether a source helps: as the measure says where it can be computed, and what an answer advises."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from matrices.bundled import boxed
from matrices.cells import to_table
from matrices.measures.registry import measure
from matrices.recommend import Question, Recommendation, Verdicts, ask, recommend
from matrices.store import Store
from tests.answers import INTERFERENCE, ITEMS, MakeCell, drawn


def asked(store: Store, target: str = "yor") -> Recommendation:
    return ask(store, Question(task="pos", target=target, k=20))


@pytest.fixture
def store(tmp_path: Path, make_cell: MakeCell) -> Store:
    store = Store.open(tmp_path / "store", create=True)
    for target, shift in (("yor", 0.0), ("wol", 0.02), ("ibo", -0.03)):
        shares = {"deu": 0.7 + shift, "eng": 0.6, "hin": 0.5 - shift, "swa": 0.3, None: 0.5}
        store.append(drawn(make_cell, shares, target, **INTERFERENCE))
    return store


@pytest.mark.parametrize("target", ["yor", "wol", "ibo"])
def test_an_answer_and_the_measure_say_the_same_of_every_source(store: Store, target: str) -> None:
    rows = measure(store, INTERFERENCE["matrix"], "interference").to_pylist()
    said = {
        source.source: (source.effect.difference, *source.effect.interval, source.effect.q, source.effect.verdict)
        for source in asked(store, target).sources
        if source.effect is not None
    }
    assert said == {
        row["source"]: (row["delta"], row["low"], row["high"], row["q"], row["label"])
        for row in rows
        if row["target"] == target
    }


def test_the_verdict_names_the_language_that_helps_most_and_effects_are_counted(store: Store) -> None:
    answer = asked(store)
    assert answer.verdicts is not None
    assert (answer.verdicts.helps, answer.verdicts.harms) == (2, 1)
    assert (answer.verdict.sources[0], answer.verdict.of_this_run) == ("deu", True)


def test_where_no_language_helps_the_answer_says_so(tmp_path: Path, make_cell: MakeCell) -> None:
    store = Store.open(tmp_path / "store", create=True)
    store.append(drawn(make_cell, {"deu": 0.5, "eng": 0.3, "hin": 0.28, None: 0.52}, **INTERFERENCE))
    answer = asked(store)
    assert (answer.verdict.action, answer.verdict.sources) == ("no_evidence", ())
    assert answer.verdicts == Verdicts(helps=0, harms=2, neutral=0, undecided=1)
    # It stays ranked: it is the best there is to add, if one must be added.
    assert answer.sources[0].source == "deu"


def test_a_change_too_small_to_matter_is_neutral(make_cell: MakeCell) -> None:
    right = tuple(int(item % 2) for item in range(ITEMS))
    same = [
        make_cell(source=source, seed=seed, correct=right, total=(1,) * ITEMS, composition=composition, **INTERFERENCE)
        for source, composition in (("deu", "stack"), (None, "baseline"))
        for seed in range(3)
    ]
    answer = recommend(to_table(same), "yor")
    assert answer.sources[0].effect is not None
    assert answer.sources[0].effect.verdict == "neutral"
    assert (answer.verdict.action, answer.verdicts) == (
        "no_evidence",
        Verdicts(helps=0, harms=0, neutral=1, undecided=0),
    )


def test_transfer_is_held_against_the_constant_answer(tmp_path: Path, make_cell: MakeCell) -> None:
    store = Store.open(tmp_path / "store", create=True)
    store.append(drawn(make_cell, {"deu": 0.7, "eng": 0.31, "hin": 0.1, None: 0.3}))
    answer = asked(store)
    verdicts = {source.source: source.effect.verdict for source in answer.sources if source.effect}
    assert verdicts == {"deu": "helps", "eng": "undecided", "hin": "harms"}
    assert (answer.verdict.action, answer.verdict.sources) == ("recommend_one", ("deu",))


def test_where_no_source_beats_the_constant_answer_the_answer_says_so(tmp_path: Path, make_cell: MakeCell) -> None:
    store = Store.open(tmp_path / "store", create=True)
    store.append(drawn(make_cell, {"deu": 0.31, "hin": 0.1, None: 0.3}))
    answer = asked(store)
    assert (answer.verdict.action, answer.verdicts) == (
        "no_evidence",
        Verdicts(helps=0, harms=1, neutral=0, undecided=1),
    )


def test_without_a_baseline_nothing_is_said_of_help_or_harm(make_cell: MakeCell) -> None:
    answer = recommend(to_table(drawn(make_cell, {"deu": 0.7, "eng": 0.3})), "yor")
    assert answer.verdicts is None
    assert answer.sources[0].effect is None
    assert (answer.verdict.action, answer.verdict.sources) == ("recommend_one", ("deu",))


def test_without_outcomes_of_items_the_interval_alone_decides() -> None:
    box = boxed()
    assert box is not None
    matrix = next(info for info in box.matrices() if info.kind == "interference" and info.task == "pos")
    answer = ask(box, Question(task="pos", target="rus", matrix=matrix.matrix, k=20))
    effects = [source.effect for source in answer.sources if source.effect is not None]
    assert len(effects) == answer.ranked
    for effect in effects:
        assert effect.q is None
        low, high = effect.interval
        assert effect.verdict == ("helps" if low > 0 else "harms" if high < 0 else effect.verdict)
        assert (effect.verdict in ("helps", "harms")) == (not low <= 0 <= high)


@pytest.mark.parametrize("items", [0, 50])
def test_a_published_baseline_is_called_so_and_judged_where_items_are_known(make_cell: MakeCell, items: int) -> None:
    published = [
        replace(
            cell,
            score=score,
            correct=None,
            total=None,
            n_items=items,
            device="imported",
            provenance="imported from table.csv: Doe 2022",
        )
        for source, score in (("deu", 0.2), (None, 0.9))
        for cell in drawn(make_cell, {source: 0.5})[:1]
    ]
    answer = recommend(to_table(published), "yor")
    assert answer.verdict.action == ("no_evidence" if items else "recommend_one")
    assert answer.verdicts == (Verdicts(helps=0, harms=1, neutral=0, undecided=0) if items else None)
