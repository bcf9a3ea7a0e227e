from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matrices.arrays import Floats
from matrices.measures.ranks import ranks
from matrices.view import MatrixView, MeasureError

MakeView = Callable[..., MatrixView]


def drawn(world: int, chances: list[float], items: int = 400) -> Floats:
    random = np.random.default_rng(world)
    return (random.random((len(chances), 1, 3, items)) < np.array(chances)[:, None, None, None]).astype(float)


def test_what_differs_much_is_told_apart_and_what_hardly_does_is_tied(make_view: MakeView) -> None:
    correct = drawn(0, [0.2, 0.8, 0.5, 0.8])
    correct[3] = correct[1]
    correct[3, ..., :2] = 1
    rows = ranks(make_view(correct, np.zeros((1, 3, 400))), resamples=500).to_pydict()
    assert rows["source"] == ["s03", "s01", "s02", "s00"]
    assert rows["rank"] == [1, 2, 3, 4]
    assert (rows["rank_low"], rows["rank_high"]) == ([1, 1, 3, 4], [2, 2, 3, 4])
    assert rows["tied_with_best"] == [True, True, False, False]
    assert rows["behind"][0] == rows["behind_low"][0] == rows["behind_high"][0] == 0


def test_sources_that_answer_alike_are_tied(make_view: MakeView) -> None:
    correct = np.repeat(drawn(0, [0.5]), 3, axis=0)
    rows = ranks(make_view(correct, np.zeros((1, 3, 400))), resamples=50).to_pydict()
    assert (rows["rank_low"], rows["rank_high"]) == ([1, 1, 1], [3, 3, 3])


def test_the_target_itself_and_what_was_not_measured_are_left_out(make_view: MakeView) -> None:
    correct = drawn(0, [0.9, 0.5, 0.6])
    correct[1] = np.nan
    outcomes = make_view(correct, np.zeros((1, 3, 400)), sources=("wol", "yor", "zul"), targets=("wol",))
    assert ranks(outcomes, resamples=50)["source"].to_pylist() == ["zul"]


def test_a_seed_that_failed_stands_for_the_mean_of_the_others(make_view: MakeView) -> None:
    correct = drawn(0, [0.9, 0.3])
    correct[1, 0, 2] = np.nan
    rows = ranks(make_view(correct, np.zeros((1, 3, 400))), resamples=200).to_pydict()
    assert rows["rank_low"] == [1, 2]


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_a_rank_lies_within_its_bounds(make_view: MakeView, world: int) -> None:
    chances = np.random.default_rng(world).uniform(size=6).tolist()
    rows = ranks(make_view(drawn(world, chances, 40), np.zeros((1, 3, 40))), resamples=50).to_pydict()
    assert rows["rank"] == list(range(1, 7))
    for low, rank, high in zip(rows["rank_low"], rows["rank"], rows["rank_high"], strict=True):
        assert 1 <= low <= rank <= high <= 6


def test_without_a_language_on_another_there_is_nothing_to_rank(make_view: MakeView) -> None:
    selves = make_view(drawn(0, [0.5]), np.zeros((1, 3, 400)), sources=("deu",), targets=("deu",))
    with pytest.raises(MeasureError, match="nothing to rank"):
        ranks(selves)
