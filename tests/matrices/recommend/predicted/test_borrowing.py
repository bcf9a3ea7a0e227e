"""What another matrix tells is used where it has proved itself, and changes nothing where it has not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from matrices.recommend.predicted import fit, fit_borrowing
from matrices.recommend.predicted.explain import outlook
from matrices.scores import Floats, ScoreTable

LANGUAGES = """
afr bul ces dan deu eng est fin fra hin ita nld pol por rus spa swe tur ukr urd
"""
CODES = tuple(LANGUAGES.split())
NAME = "ner scores of other"


@pytest.fixture
def table() -> ScoreTable:
    """Which source suits which target is a matter of chance: no likeness of languages tells it."""
    return ScoreTable(CODES, CODES, 50 + 5 * np.random.default_rng(0).normal(size=(20, 20)))


@pytest.fixture
def alike(table: ScoreTable) -> ScoreTable:
    """The same chance in another unit, a little blurred; and two sources more: ``eus`` does well, ``kat`` badly."""
    random = np.random.default_rng(1)
    own = np.array([[60.0], [-60.0]]) + random.normal(size=(2, 20))
    scores = np.concatenate([3 * table.scores + 5 * random.normal(size=(20, 20)), 150 + own])
    return ScoreTable((*CODES, "eus", "kat"), CODES, scores)


@pytest.fixture
def unlike() -> ScoreTable:
    return ScoreTable(CODES, CODES, np.random.default_rng(2).normal(size=(20, 20)))


def follows(mean: Floats, table: ScoreTable, target: str, sources: tuple[str, ...]) -> float:
    truth = [table.scores[CODES.index(code), CODES.index(target)] for code in sources]
    return float(np.corrcoef(mean, truth)[0, 1])


def test_a_matrix_that_tells_of_this_one_is_believed(table: ScoreTable, alike: ScoreTable) -> None:
    hidden = table.hide("nld")

    alone = fit(hidden).predict("nld")
    borrowing = fit_borrowing(replace(hidden, related={NAME: alike})).predict("nld")

    assert follows(alone.mean, table, "nld", alone.sources) < 0.5
    assert follows(borrowing.mean, table, "nld", borrowing.sources) > 0.9
    assert borrowing.sd.mean() < 0.7 * alone.sd.mean()


def test_an_answer_that_rests_on_another_matrix_says_so(table: ScoreTable, alike: ScoreTable) -> None:
    found = outlook(fit_borrowing(replace(table.hide("nld"), related={NAME: alike})), "nld", ["kat", "glg"])

    assert found.features[0].feature == NAME
    known = {one.source: one.knowledge.known for one in found.expected}
    assert "other matrices" in known["deu"]
    assert "other matrices" in known["kat"]
    assert "other matrices" not in known["glg"]


def test_a_source_of_another_matrix_alone_is_judged_by_that(table: ScoreTable, alike: ScoreTable) -> None:
    found = fit_borrowing(replace(table.hide("nld"), related={NAME: alike})).predict("nld", ["eus", "kat"])

    assert not found.measured.any()
    assert found.mean[0] > found.mean[1] + found.sd.max()


def test_a_matrix_that_tells_nothing_changes_nothing(table: ScoreTable, unlike: ScoreTable) -> None:
    hidden = table.hide("nld")

    one, two = fit(hidden).predict("nld"), fit_borrowing(replace(hidden, related={NAME: unlike})).predict("nld")

    np.testing.assert_array_equal(one.mean, two.mean)
    np.testing.assert_array_equal(one.intervals, two.intervals)
    assert one.shortlist == two.shortlist
