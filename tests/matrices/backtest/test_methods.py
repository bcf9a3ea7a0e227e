from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from matrices.backtest import Forecast, methods_for
from matrices.backtest.learned import langrank
from matrices.backtest.methods import sprachbund
from matrices.cells import Cell
from matrices.recommend.predictor import predictor
from matrices.scores import ScoreTable, scores_of
from matrices.store import Store
from tests.conftest import MakeCell


def scores(answer: np.ndarray | Forecast) -> np.ndarray:
    return answer.scores if isinstance(answer, Forecast) else answer


@pytest.mark.parametrize(
    "name",
    list(
        methods_for(
            ScoreTable(
                ("eng",),
                ("yor",),
                np.zeros((1, 1)),
                pair_features={"GENETIC": np.zeros((1, 1)), "Word overlap": np.zeros((1, 1))},
            )
        )[0]
    ),
)
@pytest.mark.parametrize("target", ["dan", "yor"])
def test_no_ranking_of_a_hidden_language_depends_on_its_scores(related: ScoreTable, name: str, target: str) -> None:
    method = methods_for(related)[0][name]
    other = related.scores.copy()
    other[:, related.targets.index(target)] = np.linspace(1, 0, len(related.sources))
    if target in related.sources:
        other[related.sources.index(target)] = np.linspace(0, 1, len(related.targets))
    changed = replace(related, scores=other)

    np.testing.assert_array_equal(
        scores(method(related.hide(target), target)), scores(method(changed.hide(target), target))
    )


def test_english_comes_first_and_the_others_tie(related: ScoreTable) -> None:
    ranking = methods_for(related)[0]["english"](related, "yor")

    assert related.sources[int(np.argmax(ranking))] == "eng"
    assert len(set(ranking)) == 2


def test_the_most_popular_source_is_the_one_that_is_good_elsewhere(related: ScoreTable) -> None:
    ranking = methods_for(related)[0]["popularity"](related.hide("yor"), "yor")

    assert related.sources[int(np.argmax(ranking))] == "deu"


def test_relatives_come_first_and_the_popular_among_them(related: ScoreTable) -> None:
    methods = methods_for(related)[0]
    nearest = methods["nearest_family"](related.hide("ukr"), "ukr")
    popular = methods["popular_in_family"](related.hide("ukr"), "ukr")

    slavic = {"ces", "pol", "rus", "ukr"}
    assert {source for source, value in zip(related.sources, nearest, strict=True) if value == 2} == slavic
    assert related.sources[int(np.argmax(methods["popular_in_family"](related.hide("swe"), "swe")))] == "deu"
    assert min(popular[[related.sources.index(code) for code in sorted(slavic - {"ukr"})]]) > max(
        value for source, value in zip(related.sources, popular, strict=True) if source not in slavic
    )


@pytest.mark.parametrize("name", ["uriel_lightgbm", "langrank"])
def test_a_learned_ranking_finds_what_distance_says(related: ScoreTable, name: str) -> None:
    rankings = methods_for(related)[0][name](related.hide("ukr"), "ukr")

    assert len(rankings) * len(related.targets) >= 100
    for ranking in rankings:
        order = [related.sources[index] for index in np.argsort(-ranking) if related.sources[index] != "ukr"]
        assert set(order[:3]) <= {"ces", "pol", "rus", "deu"}


def test_where_there_is_nothing_to_learn_from_no_source_comes_before_another() -> None:
    codes = ("deu", "eng", "fra")
    three = ScoreTable(codes, codes, np.arange(9.0).reshape(3, 3), pair_features={"Word overlap": np.eye(3)})

    np.testing.assert_array_equal(langrank(three.hide("fra"), "fra"), np.zeros(3))


def test_what_a_table_does_not_allow_is_skipped_with_its_reason(related: ScoreTable) -> None:
    bare = ScoreTable(("deu", "nld"), ("yor",), np.zeros((2, 1)))
    methods, skipped = methods_for(bare)

    reasons = {one.method: one.reason for one in skipped}
    assert reasons["english"] == "English is not among the sources"
    assert "no features of corpora" in reasons["langrank"]
    assert not reasons.keys() & methods.keys()


def test_without_lightgbm_the_other_methods_remain(related: ScoreTable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    methods, skipped = methods_for(related)

    assert {"random", "popularity", "nearest_family"} <= methods.keys()
    assert {one.method for one in skipped if "sprachbund[backtest]" in one.reason} == {
        "uriel_lightgbm",
        "uriel_popularity_lightgbm",
        "langrank",
    }


CODES = ("deu", "eng", "fin", "hin", "jpn", "swa", "tam", "tur", "yor")
MATRIX = "zero_shot-pos-tiny"


@pytest.fixture(scope="module")
def store(make_cell: MakeCell, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Every language on every other but ``yor``, two seeds each, one pair in six not measured."""
    random = np.random.default_rng(0)
    store = Store.open(tmp_path_factory.mktemp("store"), create=True)
    cells: list[Cell] = []
    for source in CODES:
        for target in CODES[:-1]:
            if random.random() < 1 / 6:
                continue
            right = [tuple(random.binomial(10, random.uniform(0.3, 0.7), 12).tolist()) for _ in range(2)]
            cells += [
                make_cell(source=source, target=target, seed=seed, correct=of, total=(10,) * 12)
                for seed, of in enumerate(right)
            ]
    store.append(cells)
    return store


@pytest.mark.parametrize("target", ["yor", "zul", "qaa"], ids=["a source alone", "new", "known to no database"])
def test_what_a_backtest_says_of_a_target_is_what_an_answer_says(store: Store, target: str) -> None:
    table = scores_of(store, MATRIX)
    judged = sprachbund(table, target)

    served = predictor(store, MATRIX, store.version, "stack", "last", target)(target, table.sources)

    at = [table.sources.index(one.source) for one in served.expected]
    assert len(at) >= len(CODES) - 1
    assert [one.score for one in served.expected] == judged.scores[at].tolist()
    intervals = [one.interval for one in served.expected]
    assert_array_equal(intervals, judged.intervals[at].clip(0, 1))
    assert set(served.shortlist) == set(judged.shortlist)
