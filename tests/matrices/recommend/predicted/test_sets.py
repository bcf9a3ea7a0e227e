from __future__ import annotations

import numpy as np
import pytest

from matrices.recommend.predicted.sets import best_sets

CODES = ("deu", "eng", "fra", "hin")


def draws(covariance: np.ndarray, mean: np.ndarray) -> np.ndarray:
    return np.random.default_rng(0).multivariate_normal(mean, covariance, size=20_000)


def test_sources_that_fail_on_different_targets_make_the_better_set() -> None:
    mean = np.array([0.70, 0.69, 0.69, 0.2])
    covariance = np.diag([0.01, 0.01, 0.01, 0.0001])
    covariance[0, 1] = covariance[1, 0] = 0.0095  # English does as German does, whatever that is.

    pair, triple = best_sets(CODES, mean, draws(covariance, mean))

    assert pair.sources[0] in ("deu", "fra")
    assert "fra" in pair.sources
    # E max of two normals of nearly one mean: that, and theta phi(0), theta the deviation of their difference.
    assert pair.gain == pytest.approx(0.695 + 0.1414 * 0.3989 - 0.70, abs=0.005)
    assert set(triple.sources) == {"deu", "eng", "fra"}
    assert triple.score >= pair.score
    assert sum(pair.shares) == pytest.approx(1)


def test_where_one_is_beyond_doubt_the_best_nothing_is_gained() -> None:
    mean = np.array([0.9, 0.5, 0.4, 0.3])

    for found in best_sets(CODES, mean, draws(0.0001 * np.eye(4), mean)):
        assert found.gain == pytest.approx(0, abs=1e-9)
        assert found.sources[0] == "deu"
        assert found.shares[0] == pytest.approx(1 - 0.1 * (len(found.sources) - 1))


def test_of_a_single_source_there_is_no_set() -> None:
    assert best_sets(("deu",), np.array([0.5]), np.full((10, 1), 0.5)) == ()
