from __future__ import annotations

import numpy as np
import pytest

from matrices.recommend.predicted.acquisition import advise, gain, next_cells, spread_out, survey
from matrices.recommend.predicted.model import Predicted
from matrices.scores import ScoreTable

CODES = ("dan", "deu", "eng", "fin", "fra", "ita", "nld", "spa", "swe")


def predicted(mean: list[float], sd: list[float], measured: list[bool]) -> Predicted:
    n = len(mean)
    empty = np.zeros((n, 2))
    return Predicted(
        CODES[:n],
        np.array(mean),
        np.array(sd),
        np.array(sd),
        empty,
        np.array(measured),
        np.zeros(n),
        CODES[:1],
        0.0,
        empty.T,
    )


def test_the_gain_of_knowing_a_score_is_what_a_simulation_finds() -> None:
    found = predicted([70.0, 68.0, 50.0], [3.0, 5.0, 2.0], [False, False, False])

    draws = np.random.default_rng(0).normal(size=200_000)
    expected = [
        np.maximum(68, 70 + 3 * draws).mean() - 70,
        np.maximum(70, 68 + 5 * draws).mean() - 70,
        np.maximum(70, 50 + 2 * draws).mean() - 70,
    ]
    np.testing.assert_allclose(gain(found) * 70, expected, atol=0.03)


@pytest.fixture
def half() -> ScoreTable:
    """Half of the cells of nine languages on each other."""
    random = np.random.default_rng(0)
    scores = np.where(random.random((9, 9)) < 0.5, random.normal(60, 5, size=(9, 9)), np.nan)
    return ScoreTable(CODES, CODES, scores, np.full((9, 9), 2.0)).without_selves()


def test_what_was_measured_is_worth_nothing_more_unless_further_seeds_are_to_be_had(half: ScoreTable) -> None:
    known = np.isfinite(half.scores)

    assert (survey(half).gains[known] == -np.inf).all()

    again = np.zeros(known.shape, dtype=bool)
    again[:, 0] = known[:, 0]
    gains = survey(half, again=again).gains
    assert np.isfinite(gains[again]).all()
    assert (gains[known & ~again] == -np.inf).all()


def test_a_start_is_spread_over_all_targets_and_all_sources() -> None:
    empty = ScoreTable(CODES, CODES[:4], np.full((9, 4), np.nan))

    first = spread_out(empty)

    assert len(set(first)) == len(first)
    assert all(source != target for source, target in first)
    assert min(sum(cell[1] == target for cell in first) for target in CODES[:4]) >= 2
    assert {sum(cell[0] == source for cell in first) for source in CODES} == {2}


@pytest.mark.parametrize("share", [0.0, 0.3])
def test_cells_asked_for_are_open_different_and_as_many_as_the_budget_allows(share: float) -> None:
    random = np.random.default_rng(0)
    scores = np.where(random.random((9, 9)) < share, random.normal(size=(9, 9)), np.nan)
    table = ScoreTable(CODES, CODES, scores)

    cells = next_cells(table, 20)

    assert len(set(cells)) == len(cells) == 20
    assert all(source != target for source, target in cells)
    assert all(np.isnan(scores[CODES.index(source), CODES.index(target)]) for source, target in cells)
    assert cells == next_cells(table, 20)
    assert len({target for _, target in cells[:9]}) > 4


def test_a_full_matrix_leaves_nothing_to_measure() -> None:
    assert next_cells(ScoreTable(CODES, CODES, np.random.default_rng(0).normal(size=(9, 9))), 5) == []


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
