from __future__ import annotations

from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from matrices.backtest.ranking_metrics import ndcg, regret

TRUTH = np.array([0.9, 0.8, 0.7, 0.6, 0.5])

scores = arrays(np.float64, st.integers(2, 6), elements=st.sampled_from([0.1, 0.2, 0.3, 0.4, 0.5]))


def exponential(relevance: int, place: int) -> float:
    return (2**relevance - 1) / np.log2(place + 1)


def test_ndcg_gives_the_ten_best_relevance_ten_to_one_with_exponential_gain() -> None:
    truth = np.arange(20, 0, -1.0)  # The first source is the best.
    predicted = np.zeros(20)
    predicted[[4, 0, 15]] = 3, 2, 1  # The fifth, then the best, then one beyond the tenth.

    got = exponential(6, 1) + exponential(10, 2) + exponential(0, 3)
    best = exponential(10, 1) + exponential(9, 2) + exponential(8, 3)
    assert ndcg(truth, predicted) == pytest.approx(got / best)


def test_linear_ndcg_is_that_of_scikit_learn() -> None:
    from sklearn.metrics import ndcg_score

    random = np.random.default_rng(0)
    truth, predicted = random.permutation(30) / 30, random.normal(size=30).round(1)
    relevance = np.maximum(10 - (-truth).argsort().argsort(), 0)

    expected = ndcg_score([relevance], [predicted], k=3)
    assert ndcg(truth, predicted, linear=True) == pytest.approx(expected)


def test_regret_is_the_share_of_the_best_score_that_is_lost() -> None:
    predicted = np.array([0, 1, 3, 2, 0.5])

    assert regret(TRUTH, predicted, 1) == pytest.approx((0.9 - 0.7) / 0.9)
    assert regret(TRUTH, predicted, 3) == pytest.approx((0.9 - 0.8) / 0.9)
    assert regret(TRUTH, predicted, 5) == 0
    assert regret(TRUTH, predicted, 50) == 0


def test_the_perfect_ranking_is_perfect() -> None:
    assert (ndcg(TRUTH, TRUTH), ndcg(TRUTH, TRUTH, linear=True), regret(TRUTH, TRUTH, 1)) == (1, 1, 0)


@pytest.mark.parametrize("k", [1, 2, 3])
def test_what_a_method_cannot_tell_apart_is_taken_in_random_order(k: int) -> None:
    predicted = np.array([1.0, 0, 1, 1, 0])
    orders = [first + last for first in permutations((0, 2, 3)) for last in permutations((1, 4))]

    truths = [TRUTH[list(order)] for order in orders]
    gains = {score: 2.0 ** (10 - place) - 1 for place, score in enumerate(TRUTH)}
    dcg = [sum(gains[score] / np.log2(place + 2) for place, score in enumerate(truth[:k])) for truth in truths]
    best = sum(gains[score] / np.log2(place + 2) for place, score in enumerate(TRUTH[:k]))
    assert ndcg(TRUTH, predicted, k) == pytest.approx(np.mean(dcg) / best)
    assert regret(TRUTH, predicted, k) == pytest.approx(np.mean([(0.9 - truth[:k].max()) / 0.9 for truth in truths]))


@given(scores, st.integers(1, 4))
def test_knowing_nothing_is_drawing_k_at_random(truth: np.ndarray, k: int) -> None:
    k = min(k, len(truth))
    drawn = [max(draw) for draw in combinations(truth.tolist(), k)]

    assert regret(truth, np.zeros(len(truth)), k) == pytest.approx(1 - np.mean(drawn) / truth.max())


@given(scores, st.randoms(use_true_random=False))
def test_the_order_of_sources_in_a_file_changes_nothing(truth: np.ndarray, random) -> None:
    predicted = np.round(truth[::-1] * 3)
    order = random.sample(range(len(truth)), len(truth))

    for linear in (False, True):
        assert ndcg(truth[order], predicted[order], linear=linear) == pytest.approx(
            ndcg(truth, predicted, linear=linear)
        )
    assert regret(truth[order], predicted[order], 2) == pytest.approx(regret(truth, predicted, 2))


@given(scores)
def test_sources_that_truly_tie_are_worth_the_same(truth: np.ndarray) -> None:
    assert ndcg(truth, truth) == pytest.approx(1)
    for index, score in enumerate(truth):
        for other in np.flatnonzero(truth == score):
            first, second = np.zeros(len(truth)), np.zeros(len(truth))
            first[index], second[other] = 1, 1
            assert ndcg(truth, first, 1) == pytest.approx(ndcg(truth, second, 1))


def test_a_target_without_a_score_above_nought_has_no_regret() -> None:
    assert np.isnan(regret(np.zeros(3), np.arange(3.0), 1))
    assert np.isnan(regret(np.zeros(0), np.zeros(0), 1))
    assert np.isnan(ndcg(np.zeros(0), np.zeros(0)))
