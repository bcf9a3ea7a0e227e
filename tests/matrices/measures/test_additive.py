from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from matrices.arrays import Floats
from matrices.measures.additive import additive, summary
from matrices.uncertainty.matrix_bootstrap import MatrixBootstrap
from matrices.view import MatrixView, MeasureError

MakeView = Callable[..., MatrixView]


def matrix(make_view: MakeView, scores: Floats, baseline: Floats | None = None, **given: object) -> MatrixView:
    """A matrix of these exact scores, without outcomes of items; languages l0, l1... on both sides."""
    s, t = scores.shape
    names = {"sources": tuple(f"l{at}" for at in range(s)), "targets": tuple(f"l{at}" for at in range(t))}
    whole = make_view(np.zeros((s, t, 1, 1)), np.zeros((t, 1, 1)), **{"kind": "zero_shot", **names, **given})
    baseline = np.zeros(t) if baseline is None else baseline
    return replace(whole, scores=scores[..., None], baseline=baseline[:, None], read_outcomes=lambda target: None)


def effects(outcomes: MatrixView) -> dict[tuple[str, str], float]:
    return {(row["role"], row["language"]): row["effect"] for row in additive(MatrixBootstrap(outcomes)).to_pylist()}


def statistics(outcomes: MatrixView) -> dict[str, float]:
    return {row["statistic"]: row["value"] for row in summary(MatrixBootstrap(outcomes)).to_pylist()}


worlds = st.integers(0, 2**32 - 1)


@given(worlds)
@settings(max_examples=20, deadline=None)
def test_a_matrix_that_is_additive_is_taken_apart_exactly(make_view: MakeView, world: int) -> None:
    random = np.random.default_rng(world)
    alpha, beta = random.normal(size=5), random.normal(size=5)
    alpha, beta = alpha - alpha.mean(), beta - beta.mean()
    scores = 0.5 + alpha[:, None] + beta
    scores[random.integers(5), random.integers(5)] = np.nan
    outcomes = matrix(make_view, scores)
    found = effects(outcomes)
    assert_allclose([found["source", f"l{at}"] for at in range(5)], alpha, atol=1e-9)
    assert_allclose([found["target", f"l{at}"] for at in range(5)], beta, atol=1e-9)
    assert_allclose(statistics(outcomes)["share_of_interaction"], 0, atol=1e-9)


@given(worlds)
@settings(max_examples=20, deadline=None)
def test_shares_of_variance_sum_to_one(make_view: MakeView, world: int) -> None:
    found = statistics(matrix(make_view, np.random.default_rng(world).normal(size=(4, 6))))
    shares = [value for name, value in found.items() if name.startswith("share_of")]
    assert_allclose(sum(shares), 1, atol=0.2)
    assert min(shares) >= 0


def test_effects_are_least_squares(make_view: MakeView) -> None:
    scores = np.random.default_rng(0).normal(size=(4, 5))
    found = effects(matrix(make_view, scores, targets=tuple(f"m{at}" for at in range(5))))
    assert_allclose([found["source", f"l{at}"] for at in range(4)], scores.mean(axis=1) - scores.mean())
    assert_allclose([found["target", f"m{at}"] for at in range(5)], scores.mean(axis=0) - scores.mean())


def test_noise_is_told_from_interaction(make_view: MakeView) -> None:
    random = np.random.default_rng(0)
    only_noise = make_view((random.random((6, 6, 2, 100)) < 0.5).astype(float), np.zeros((6, 2, 100)), kind="zero_shot")
    found = statistics(only_noise)
    assert found["share_of_interaction"] < 0.25
    assert found["share_of_noise"] > 0.5
    scores = np.where(random.random((6, 6)) < 0.5, 0.2, 0.8)[..., None, None]
    pairs = make_view((random.random((6, 6, 2, 400)) < scores).astype(float), np.zeros((6, 2, 400)), kind="zero_shot")
    assert statistics(pairs)["share_of_interaction"] > 0.5
    assert statistics(pairs)["share_of_noise"] < 0.05


def test_what_source_and_baseline_share_is_no_noise_in_a_change(make_view: MakeView) -> None:
    """Easy and hard items move a score and its baseline alike."""
    random = np.random.default_rng(0)
    baseline = np.repeat((random.random((6, 1, 300)) < 0.5).astype(float), 3, axis=1)
    correct = np.tile(baseline, (6, 1, 1, 1))
    for source, target in zip(*np.nonzero(random.random((6, 6)) < 0.5), strict=True):
        correct[source, target, :, :40] = 1
    found = statistics(make_view(correct, baseline))
    assert found["share_of_interaction"] > 0.5
    assert found["share_of_noise"] < 0.2


def test_asymmetry_is_nought_of_a_symmetric_matrix_and_one_of_its_opposite(make_view: MakeView) -> None:
    random = np.random.default_rng(0)
    values = random.normal(size=(5, 5))
    assert_allclose(statistics(matrix(make_view, values + values.T))["asymmetry"], 0, atol=1e-12)
    assert_allclose(statistics(matrix(make_view, values - values.T))["asymmetry"], 1)
    by_hand = np.array([[9, 0.2, 0.3], [0.4, 9, 0.1], [0.3, 0.5, 9]])
    assert_allclose(statistics(matrix(make_view, by_hand))["asymmetry"], (0.2 + 0 + 0.4) / (0.6 + 0.6 + 0.6))


def test_means_and_shares_below_the_baseline_are_of_pairs_of_two_languages(make_view: MakeView) -> None:
    scores, baseline = np.array([[0.9, 0.2], [0.6, 0.9]]), np.array([0.5, 0.4])
    with_change = statistics(
        matrix(make_view, np.array([[0.9, 0.2, 0.7], [0.6, 0.9, 0.3]]), np.array([0.5, 0.4, 0.5]), kind="interference")
    )
    assert_allclose(with_change["below_baseline"], 2 / 4)
    assert_allclose(with_change["mean"], np.mean([0.2 - 0.4, 0.7 - 0.5, 0.6 - 0.5, 0.3 - 0.5]))
    with pytest.raises(MeasureError, match="too few pairs"):
        statistics(matrix(make_view, scores, baseline))
