"""Numbers computed from a whole matrix have the intervals that single changes have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from matrices.arrays import Floats
from matrices.measures.interference import interference
from matrices.uncertainty.matrix_bootstrap import MatrixBootstrap
from matrices.view import MatrixView

Simulate = Callable[..., tuple[MatrixView, Floats, Floats]]


def changes(scores: Floats, baseline: Floats) -> Floats:
    """Of every pair, in order of target, then source."""
    change = np.swapaxes(scores - baseline[..., None, :], -1, -2)
    return change.reshape(*change.shape[:-2], -1)


@pytest.mark.parametrize("world", [{}, {"seeds": 3, "by_seed": 0.5}, {"seeds": 1}])
def test_of_a_single_change_they_are_what_interference_says(simulate: Simulate, world: dict[str, Any]) -> None:
    outcomes, _, _ = simulate(np.random.default_rng(0), languages=4, **world)
    table = interference(outcomes)
    estimates = MatrixBootstrap(outcomes, resamples=10_000).estimate(changes)
    assert_allclose(estimates.value, table["delta"].to_numpy(), atol=1e-12)
    width = table["high"].to_numpy() - table["low"].to_numpy()
    assert_allclose(estimates.high - estimates.low, width, rtol=0.1)


def test_numbers_of_different_kinds_do_not_lend_one_another_their_seeds(simulate: Simulate) -> None:
    joint = MatrixBootstrap(simulate(np.random.default_rng(0), languages=4, seeds=3, by_seed=0.5)[0])

    def both(scores: Floats, baseline: Floats) -> Floats:
        change = changes(scores, baseline)
        return np.concatenate([change, 1000 * change], axis=-1)

    apart, alone = (joint.estimate(statistic, alike=False) for statistic in (both, changes))
    assert_allclose(apart.low[: len(alone.low)], alone.low)


def test_a_run_that_is_missing_narrows_nothing(simulate: Simulate) -> None:
    outcomes, _, _ = simulate(np.random.default_rng(0), languages=4)
    whole = MatrixBootstrap(outcomes).variances(of_changes=True)
    outcomes.scores[0, 0, 1:] = np.nan
    left = MatrixBootstrap(replace(outcomes))
    assert left.variances(of_changes=True)[0, 0] > whole[0, 0]


def test_a_cell_of_a_single_seed_costs_no_other_its_interval(simulate: Simulate) -> None:
    outcomes, _, _ = simulate(np.random.default_rng(0), languages=4, seeds=3, by_seed=0.5)
    whole = MatrixBootstrap(outcomes).estimate(changes)
    outcomes.scores[0, 1, 1:] = np.nan
    left = MatrixBootstrap(replace(outcomes))

    found = left.estimate(changes)

    assert np.isfinite(found.low).all()
    others = np.arange(len(found.low)) != 4
    assert_allclose((found.high - found.low)[others], (whole.high - whole.low)[others], rtol=0.2)
