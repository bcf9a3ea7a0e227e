from __future__ import annotations

import numpy as np
import pytest

from matrices.recommend.predicted.bayesian_linear import Products, learn
from matrices.recommend.predicted.stacking import Cells, mix
from matrices.scores import Floats


def made(seed: int = 0) -> tuple[Floats, Floats]:
    """Thirty scores that the first three of nine columns explain."""
    random = np.random.default_rng(seed)
    columns = random.normal(size=(30, 9))
    return columns, columns[:, :3] @ [1.0, -0.7, 0.5] + 0.3 * random.normal(size=30)


SOURCES = np.tile(np.arange(10), 3)
"""Ten sources on three targets."""
GROUPS = ["says something"] * 3 + ["says nothing"] * 6


def products(columns: Floats, scores: Floats) -> Products:
    return Products(columns.T @ columns, columns.T @ scores, float(scores @ scores), len(scores))


def test_the_posterior_is_that_of_the_dense_gaussian_process() -> None:
    columns, scores = made()
    new = np.random.default_rng(1).normal(size=(5, 9))
    found = learn(products(columns, scores), GROUPS)

    prior = np.diag([found.variances[group] for group in GROUPS])
    kernel = columns @ prior @ columns.T + found.noise * np.eye(30)
    cross = new @ prior @ columns.T
    np.testing.assert_allclose(new @ found.mean, cross @ np.linalg.solve(kernel, scores), atol=1e-9)
    dense = new @ prior @ new.T - cross @ np.linalg.solve(kernel, cross.T)
    np.testing.assert_allclose(new @ found.covariance @ new.T, dense, atol=1e-9)
    log_likelihood = -0.5 * (np.linalg.slogdet(kernel)[1] + scores @ np.linalg.solve(kernel, scores))
    assert found.evidence == pytest.approx(log_likelihood)


def test_a_group_that_says_nothing_is_made_small_and_the_noise_is_found() -> None:
    found = learn(products(*made()), GROUPS)

    assert found.variances["says nothing"] < 0.01 * found.variances["says something"]
    assert found.noise == pytest.approx(0.09, rel=0.6)


def test_left_out_predictions_are_those_of_a_posterior_that_never_saw_the_target() -> None:
    columns, scores = made()
    spans = ((0, 10), (10, 20), (20, 30))
    found, left_out = mix(Cells(columns, scores, spans, SOURCES), GROUPS, GROUPS)
    weights = found.members[0].weights

    prior = np.diag([weights.variances[group] for group in GROUPS])
    seen, unseen = columns[10:], columns[:10]
    kernel = seen @ prior @ seen.T + weights.noise * np.eye(20)
    expected = unseen @ prior @ seen.T @ np.linalg.solve(kernel, scores[10:])
    np.testing.assert_allclose(left_out.mean[:10], expected, atol=1e-7)
    covariance = unseen @ prior @ unseen.T
    covariance -= unseen @ prior @ seen.T @ np.linalg.solve(kernel, seen @ prior @ unseen.T)
    np.testing.assert_allclose(left_out.covariances[0], covariance, atol=1e-7)


def test_left_out_predictions_are_those_of_a_posterior_that_never_saw_the_source() -> None:
    columns, scores = made()
    spans = ((0, 10), (10, 20), (20, 30))
    centred = columns - np.repeat(columns.reshape(3, 10, 9).mean(axis=1), 10, axis=0)
    less = scores - np.repeat(scores.reshape(3, 10).mean(axis=1), 10)
    found, left_out = mix(Cells(centred, less, spans, SOURCES), GROUPS, GROUPS)
    weights = found.members[0].weights

    prior = np.diag([weights.variances[group] for group in GROUPS])
    others = SOURCES != 4
    means = columns[others].reshape(3, 9, 9).mean(axis=1)
    seen = columns[others] - np.repeat(means, 9, axis=0)
    rest = scores[others] - np.repeat(scores[others].reshape(3, 9).mean(axis=1), 9)
    kernel = seen @ prior @ seen.T + weights.noise * np.eye(27)
    unseen = columns[~others] - means
    cross = unseen @ prior @ seen.T
    np.testing.assert_allclose(left_out.of_sources[~others], cross @ np.linalg.solve(kernel, rest), atol=1e-7)
    variance = np.diag(unseen @ prior @ unseen.T - cross @ np.linalg.solve(kernel, cross.T))
    np.testing.assert_allclose(left_out.variance_of_sources[~others], variance, atol=1e-7)
