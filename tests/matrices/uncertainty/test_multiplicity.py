from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose
from scipy import stats

from matrices.uncertainty.multiplicity import benjamini_hochberg, max_t, max_t_of_pairs

P = arrays(np.float64, st.integers(1, 30), elements=st.floats(0, 1))


@given(P)
def test_q_values_are_scipys(p: np.ndarray) -> None:
    assert_allclose(benjamini_hochberg(p), stats.false_discovery_control(p))


def test_a_q_value_is_the_least_rate_at_which_a_p_value_is_a_discovery() -> None:
    # By hand: 0.04 x 4/3 is more than 0.045 x 4/4, which is a discovery of less.
    assert_allclose(benjamini_hochberg(np.array([[0.01, 0.04], [0.045, 0.02]])), [[0.04, 0.045], [0.045, 0.04]])


@given(P)
def test_what_was_not_tested_counts_for_nothing(p: np.ndarray) -> None:
    q = benjamini_hochberg(np.stack([p, np.full_like(p, np.nan)]))
    assert np.isnan(q[1]).all()
    assert_allclose(q[0], benjamini_hochberg(p))


def test_a_band_of_one_cell_is_its_interval_and_of_many_that_of_their_maximum() -> None:
    deviations = np.random.default_rng(0).normal(size=(100_000, 20)).astype(np.float32)
    assert_allclose(max_t(deviations[:, :1], np.ones(1), 0.95), 1.96, atol=0.02)
    # Of independent cells: the maximum of 20 is below c where each is.
    assert_allclose(max_t(deviations, np.ones(20), 0.95), stats.norm.isf((1 - 0.95 ** (1 / 20)) / 2), atol=0.02)


def test_cells_that_do_not_vary_are_left_out_of_a_band() -> None:
    deviations = np.random.default_rng(0).normal(size=(1000, 2)).astype(np.float32)
    assert max_t(deviations, np.array([1.0, 0.0]), 0.95) == max_t(deviations[:, :1], np.ones(1), 0.95)
    assert np.isnan(max_t(deviations, np.zeros(2), 0.95))


def test_a_band_of_all_pairs_is_that_of_their_differences() -> None:
    moved = np.random.default_rng(0).normal(size=(500, 9)).astype(np.float32)
    moved[:, 4] = moved[:, 3]  # Two that never differ are no pair that varies.
    first, second = np.triu_indices(9, 1)
    apart = moved[:, first] - moved[:, second]

    assert_allclose(max_t_of_pairs(moved, 0.95), max_t(apart, apart.std(axis=0), 0.95), rtol=1e-5)
    assert np.isnan(max_t_of_pairs(np.repeat(moved[:, :1], 3, axis=1), 0.95))
