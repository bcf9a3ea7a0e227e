"""Choosing a source on one half of the items: what that flatters, where the truth is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from matrices.items import Items
from matrices.measures.splits import splits_table
from matrices.view import MatrixView, MeasureError

MakeView = Callable[..., MatrixView]
Answers = NDArray[Any]
SOURCES = tuple(f"s{at:02}" for at in range(20))


@pytest.fixture
def rows(make_view: MakeView) -> Callable[..., list[dict[str, Any]]]:
    """The rows of answers [S, T, K, N]."""

    def make(correct: Answers, items: dict[str, Items] | None = None, **given: Any) -> list[dict[str, Any]]:
        halvings = given.pop("halvings", 200)
        outcomes = make_view(correct, np.zeros(correct.shape[1:]), **given)
        found: list[dict[str, Any]] = splits_table(replace(outcomes, items=items or {}), halvings=halvings).to_pylist()
        return found

    return make


def drawn(p: Answers, targets: int, items: int, seed: int = 0) -> Answers:
    """Answers [S, T, 1, N] of sources that are right as often as p says."""
    random = np.random.default_rng(seed)
    return (random.random((len(p), targets, 1, items)) < p[:, None, None, None]).astype(float)


def test_among_equal_sources_the_choice_is_worth_no_more_than_any(rows: Callable[..., list[dict[str, Any]]]) -> None:
    """Twenty sources, all right half of the time: the best of a half looks better, and is not on the other."""
    found = rows(drawn(np.full(20, 0.5), targets=40, items=200))
    naive, score = (np.mean([row[name] for row in found]) for name in ("naive_score", "score"))
    # The expected maximum of 20 normals is 1.87 standard deviations, here of a share of 100.
    assert naive == pytest.approx(0.5 + 1.87 * 0.05, abs=0.015)
    assert score == pytest.approx(0.5, abs=0.01)


def test_a_source_that_is_far_better_is_chosen_and_costs_nothing(rows: Callable[..., list[dict[str, Any]]]) -> None:
    (row,) = rows(drawn(np.array([0.2, 0.9, 0.3]), targets=1, items=200))
    assert (row["chosen"], row["chosen_share"], row["sources"], row["items"], row["seeds"]) == ("s01", 1, 3, 200, 1)
    assert row["regret_at_1"] == 0
    assert row["naive_score"] == pytest.approx(row["score"], abs=1e-6) == pytest.approx(0.9, abs=0.05)


def test_regret_is_what_the_choice_was_thought_to_be_better_than_it_is(
    rows: Callable[..., list[dict[str, Any]]],
) -> None:
    for row in rows(drawn(np.linspace(0.4, 0.6, 20), targets=5, items=100)):
        assert row["regret_at_1"] > 0
        assert row["regret_at_1"] == pytest.approx(row["naive_score"] - row["score"])


def test_two_items_by_hand(rows: Callable[..., list[dict[str, Any]]]) -> None:
    """Each source knows one item: whichever is ranked, its winner knows nothing of the other."""
    (row,) = rows(np.array([[[[1, 0]]], [[[0, 1]]]]))
    assert (row["naive_score"], row["score"], row["regret_at_1"], row["score_sd"]) == (1, 0, 1, 0)


def test_scores_are_ratios_of_sums_and_means_over_seeds(rows: Callable[..., list[dict[str, Any]]]) -> None:
    """Two passages of the same two sentences: every half scores 4/6 with the first seed and 2/6 with the second."""
    correct = np.array([[[[3, 1], [1, 1]]], [[[1, 0], [2, 1]]]], dtype=float)
    total = np.broadcast_to(np.array([4.0, 2.0]), correct.shape)
    (row,) = rows(np.tile(correct, 2), {"t00": passages("abba")}, total=np.tile(total, 2))
    assert row["naive_score"] == row["score"] == pytest.approx(np.mean([4 / 6, 2 / 6]))


def passages(names: str) -> Items:
    return Items(tuple(map(str, range(len(names)))), None, tuple(names))


def test_passages_stay_whole(rows: Callable[..., list[dict[str, Any]]]) -> None:
    """A source that knows one of two passages is as bad on the other half as can be; item by item it is as good."""
    correct = np.zeros((2, 1, 1, 40))
    correct[0, 0, 0, :20] = correct[1, 0, 0, 20:] = 1
    (apart,), (whole,) = rows(correct), rows(correct, {"t00": passages("a" * 20 + "b" * 20)})
    assert apart["score"] > 0.4
    assert (whole["score"], whole["naive_score"]) == (0, 1)


def test_a_target_is_no_source_for_itself(rows: Callable[..., list[dict[str, Any]]]) -> None:
    correct = drawn(np.array([0.99, 0.5, 0.4]), targets=3, items=100)
    found = rows(correct, sources=("deu", "hin", "yor"), targets=("deu", "hin", "yor"))
    assert [(row["target"], row["chosen"]) for row in found] == [("deu", "hin"), ("hin", "deu"), ("yor", "deu")]
    assert {row["sources"] for row in found} == {2}


def test_sources_are_compared_with_the_same_seeds(rows: Callable[..., list[dict[str, Any]]]) -> None:
    correct = np.repeat(drawn(np.array([0.9, 0.5, 0.4]), targets=1, items=100), 3, axis=2)
    correct[0, 0, 1] = np.nan
    (row,) = rows(correct)
    assert (row["sources"], row["seeds"], row["chosen"]) == (2, 3, "s01")


def test_nothing_to_choose_from_is_an_error(rows: Callable[..., list[dict[str, Any]]]) -> None:
    with pytest.raises(MeasureError, match="no target has two sources to choose from"):
        rows(drawn(np.array([0.5]), targets=2, items=100))
    with pytest.raises(MeasureError, match="no target has two sources to choose from"):
        rows(drawn(np.array([0.5, 0.5]), targets=1, items=1))


def test_sentences_of_a_single_passage_are_halved(rows: Callable[..., list[dict[str, Any]]]) -> None:
    correct = drawn(np.array([0.5, 0.5]), targets=1, items=4)
    assert rows(correct, {"t00": passages("aaaa")}) == rows(correct)
