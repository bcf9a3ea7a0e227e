from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from matrices.cells import Cell, to_table
from matrices.recommend.prediction import ExpectedSet
from matrices.recommend.sets import best_sets, one_is_enough, sets_of

PAIR = ExpectedSet(sources=("deu", "nld"), score=0.8, gain=0.02, shares=(0.6, 0.4))


def test_what_was_measured_of_a_set_stands_beside_what_is_expected(make_cell: Callable[..., Cell]) -> None:
    together = {"target": "yor", "total": (1, 1, 1, 1)}
    cells = [
        make_cell(source="deu", correct=(1, 1, 0, 0), **together),
        make_cell(source="nld+deu", composition="multi", correct=(1, 1, 1, 0), **together),
        make_cell(source="nld+deu", composition="fuse", correct=(1, 0, 0, 0), **together),
        make_cell(source="eng+deu", composition="multi", correct=(0, 0, 0, 0), **together),
        make_cell(source="fra+deu", composition="multi", correct=(1, 1, 1, 1), target="wol", total=(1, 1, 1, 1)),
    ]

    first, other = sets_of([PAIR], to_table(cells), "yor", best=0.5)

    assert (first.sources, first.score, first.shares) == (("deu", "nld"), 0.8, (0.6, 0.4))
    assert (first.composition, first.measured, first.measured_gain) == ("multi", 0.75, 0.25)
    assert (other.sources, other.score, other.measured, other.measured_gain) == (("deu", "eng"), None, 0.0, -0.5)


def test_one_source_is_enough_where_no_set_gains_a_hundredth() -> None:
    small = ExpectedSet(sources=("deu", "nld"), score=0.8, gain=0.007, shares=(0.6, 0.4))

    assert one_is_enough([small]) is True
    assert one_is_enough([small, PAIR]) is False
    assert one_is_enough([]) is None


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
