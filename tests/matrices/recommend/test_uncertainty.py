from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matrices.recommend.column import Column, Floats, Runs
from matrices.recommend.uncertainty import Uncertainty


def a_column(*, with_lists: bool = True, **correct: Floats) -> Column:
    """A column of 0/1 outcomes [seeds, items] a source."""
    runs = {
        source: Runs(
            source=source,
            seeds=tuple(range(len(outcomes))),
            scores=outcomes.mean(axis=1),
            correct=outcomes if with_lists else None,
            total=np.ones_like(outcomes) if with_lists else None,
        )
        for source, outcomes in correct.items()
    }
    n_items = next(iter(correct.values())).shape[1]
    return Column(
        target="yor", metric="accuracy", n_items=n_items, runs=dict(runs), failed=0, other_items=0, cell_ids=("a", "b")
    )


def simulated(random: np.random.Generator, abilities: list[float], seeds: int, items: int) -> list[Floats]:
    """Outcomes of sources that share the items' difficulty; each seed shifts a source by its own luck."""
    difficulty = random.normal(0, 1, items)
    return [
        (
            random.random((seeds, items)) < 1 / (1 + np.exp(difficulty - ability - random.normal(0, 0.3, (seeds, 1))))
        ).astype(float)
        for ability in abilities
    ]


def truth(ability: float) -> float:
    random = np.random.default_rng(1)
    luck, difficulty = random.normal(0, 0.3, 200_000), random.normal(0, 1, 200_000)
    return float((1 / (1 + np.exp(difficulty - ability - luck))).mean())


@pytest.mark.parametrize("with_lists", [True, False], ids=["items kept", "items dropped"])
def test_the_interval_of_three_seeds_covers_the_true_mean_about_as_often_as_it_says(with_lists: bool) -> None:
    random = np.random.default_rng(0)
    true = truth(0.8)
    intervals = [
        Uncertainty(a_column(deu=simulated(random, [0.8], 3, 120)[0], with_lists=with_lists), 200).interval("deu")
        for _ in range(300)
    ]

    covered = np.mean([low <= true <= high for low, high in intervals])

    assert 0.92 <= covered <= 1
    assert np.median([high - low for low, high in intervals]) < 0.35


def test_the_interval_of_a_difference_covers_the_true_one_about_as_often_as_it_says() -> None:
    random = np.random.default_rng(0)
    true = truth(1.0) - truth(0.5)
    differences = []
    for _ in range(300):
        deu, hin = simulated(random, [1.0, 0.5], 3, 120)
        differences.append(Uncertainty(a_column(deu=deu, hin=hin), 200).difference("deu", "hin").interval)

    assert 0.92 <= np.mean([low <= true <= high for low, high in differences]) <= 1


def test_two_equal_sources_are_called_different_about_one_time_in_twenty() -> None:
    random = np.random.default_rng(0)
    apart = 0
    for _ in range(300):
        deu, hin = simulated(random, [0.8, 0.8], 3, 120)
        apart += not Uncertainty(a_column(deu=deu, hin=hin), 200).difference("deu", "hin").undecided

    assert apart / 300 <= 0.08


def test_differences_are_paired_by_item() -> None:
    """Right on the same items, save ten that one alone gets right: each interval is wide, their difference is not."""
    worse = np.tile(np.arange(100) < 50, (1, 1)).astype(float)
    better = np.tile(np.arange(100) < 60, (1, 1)).astype(float)
    uncertainty = Uncertainty(a_column(deu=better, hin=worse))

    assert uncertainty.interval("deu")[0] < uncertainty.interval("hin")[1]
    assert not uncertainty.difference("deu", "hin").undecided
    assert uncertainty.difference("deu", "hin").mean == pytest.approx(0.1)


def test_without_items_the_same_difference_is_undecided_as_nothing_pairs_them() -> None:
    worse = np.tile(np.arange(100) < 50, (1, 1)).astype(float)
    better = np.tile(np.arange(100) < 60, (1, 1)).astype(float)
    uncertainty = Uncertainty(a_column(deu=better, hin=worse, with_lists=False))

    assert uncertainty.method == "normal_approximation"
    assert uncertainty.difference("deu", "hin").undecided


def test_seeds_that_disagree_widen_the_interval() -> None:
    random = np.random.default_rng(0)
    agree = np.tile(random.random(200) < 0.7, (3, 1)).astype(float)
    disagree = np.stack([random.random(200) < share for share in (0.5, 0.7, 0.9)]).astype(float)

    def width(outcomes: Floats) -> float:
        low, high = Uncertainty(a_column(deu=outcomes)).interval("deu")
        return high - low

    assert width(disagree) > 2 * width(agree)


def test_all_right_is_no_proof_of_always_right() -> None:
    low, high = Uncertainty(a_column(deu=np.ones((3, 20)))).interval("deu")

    assert high == 1
    assert 0.7 < low < 0.95


def test_of_one_item_nothing_is_known() -> None:
    uncertainty = Uncertainty(a_column(deu=np.ones((3, 1)), hin=np.zeros((3, 1))))

    assert uncertainty.interval("deu") == (0, 1)
    assert uncertainty.difference("deu", "hin").interval == (-1, 1)


def test_items_without_anything_to_find_do_not_break_a_resample() -> None:
    """Span F1 of sentences, most of which have no span and were given none."""
    correct, total = np.zeros((1, 12)), np.zeros((1, 12))
    correct[0, :2], total[0, :3] = 2, 2
    runs = {"deu": Runs("deu", (0,), np.array([4 / 6]), correct, total)}
    column = Column(target="yor", metric="f1", n_items=12, runs=dict(runs), failed=0, other_items=0, cell_ids=("a",))

    low, high = Uncertainty(column).interval("deu")

    assert 0 <= low < 4 / 6 < high <= 1


def test_seeds_that_differ_between_sources_are_compared_unpaired() -> None:
    random = np.random.default_rng(0)
    deu, hin = simulated(random, [2.0, -1.0], 3, 200)
    column = a_column(deu=deu, hin=hin)
    column.runs["hin"] = Runs("hin", (0, 7), hin[:2].mean(axis=1), hin[:2], np.ones((2, 200)))

    difference = Uncertainty(column).difference("deu", "hin")

    assert difference.mean == pytest.approx(deu.mean() - hin[:2].mean())
    assert difference.interval[0] > 0


outcomes = st.integers(0, 2**32 - 1).map(lambda seed: (np.random.default_rng(seed).random((3, 40)) < 0.6).astype(float))


@settings(max_examples=25, deadline=None)
@given(deu=outcomes, hin=outcomes)
def test_differences_are_antisymmetric_and_agree_with_the_means(deu: Floats, hin: Floats) -> None:
    uncertainty = Uncertainty(a_column(deu=deu, hin=hin), 200)

    there, back = uncertainty.difference("deu", "hin"), uncertainty.difference("hin", "deu")

    assert there.mean == pytest.approx(deu.mean() - hin.mean())
    assert there.interval == pytest.approx((-back.interval[1], -back.interval[0]))
    assert there.interval[0] <= there.mean <= there.interval[1]


@settings(max_examples=25, deadline=None)
@given(deu=outcomes, order=st.permutations(range(40)))
def test_the_order_of_items_matters_no_more_than_another_resample(deu: Floats, order: list[int]) -> None:
    one = Uncertainty(a_column(deu=deu), 1000).interval("deu")
    other = Uncertainty(a_column(deu=deu[:, order]), 1000).interval("deu")

    assert other == pytest.approx(one, abs=0.03)


def test_the_same_column_has_the_same_interval_to_the_last_bit() -> None:
    deu = (np.random.default_rng(0).random((3, 40)) < 0.6).astype(float)

    assert Uncertainty(a_column(deu=deu)).interval("deu") == Uncertainty(a_column(deu=deu)).interval("deu")
