from __future__ import annotations

import numpy as np
import pytest

from matrices.recommend.advice import advise
from matrices.scores import ScoreTable

SOURCES = ("ces", "dan", "deu", "fra", "ita", "nld", "pol", "rus")


@pytest.fixture
def table() -> ScoreTable:
    """Eight sources on six targets, a fifth of them not measured."""
    random = np.random.default_rng(0)
    scores = random.uniform(0.3, 0.7, (8, 6))
    scores[random.uniform(size=scores.shape) < 0.2] = np.nan
    return ScoreTable(SOURCES, ("bul", "nob", "por", "spa", "swe", "ukr"), scores)


def test_advice_is_of_cells_without_a_score_and_says_what_to_expect(table: ScoreTable) -> None:
    advice = advise(table, 3)

    assert len(advice) == 3
    for one in advice:
        assert np.isnan(table.scores[table.sources.index(one.source), table.targets.index(one.target)])
        assert one.interval is not None
        assert one.score is not None
        assert one.interval[0] <= one.score <= one.interval[1]
        assert 0 <= (one.probability_best or 0) <= 1
    assert advise(table, 3) == advice


def test_it_is_among_the_cells_that_can_be_measured(table: ScoreTable) -> None:
    among = {("dan", "isl"), ("fra", "isl"), ("hau", "swe"), ("deu", "nob")}

    chosen = {(one.source, one.target) for one in advise(table, 10, among)}

    measured = {("deu", "nob")} if np.isfinite(table.scores[2, 1]) else set()
    assert chosen == among - measured


def test_where_nothing_was_measured_it_begins_with_the_most_alike() -> None:
    empty = ScoreTable((), (), np.empty((0, 0)))
    among = {(source, target) for source in ("deu", "hau", "rus") for target in ("ukr", "nld")}

    first = advise(empty, 2, among)

    assert {(one.source, one.target) for one in first} == {("rus", "ukr"), ("deu", "nld")}
    assert first[0].score is first[0].probability_best is None


def test_where_everything_was_measured_there_is_nothing_to_advise() -> None:
    assert advise(ScoreTable(("deu",), ("yor",), np.array([[0.5]])), 5) == []
