from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import special

from matrices.uncertainty.components import Spread, own_prior, parts, parts_of_pairs, spread, trigamma_inverse
from matrices.uncertainty.resampling import ItemSample


def sample(items: int) -> ItemSample:
    return ItemSample(np.arange(items), 10, 0)


def test_mean_squares_are_those_of_a_two_way_layout() -> None:
    """By hand, of the textbook's table: N items by K seeds, one observation a place."""
    values = np.random.default_rng(0).normal(size=(1, 4, 30))
    means = values.mean(axis=2)
    found = parts((values - means[..., None]).astype(np.float32), means, np.ones((1, 4), bool), sample(30))
    table = values[0]
    residual = table - table.mean(axis=0) - table.mean(axis=1, keepdims=True) + table.mean()
    assert_allclose(found.items, table.mean(axis=0).var(ddof=1) / 30, rtol=1e-5)
    assert_allclose(found.between, table.mean(axis=1).var(ddof=1) / 4, rtol=1e-5)
    assert_allclose(found.disagreement, (residual**2).sum() / (3 * 29) / (4 * 30), rtol=1e-4)
    assert (found.item_freedom, found.seed_freedom) == (29, 3)


def test_a_seed_that_failed_is_left_out() -> None:
    random = np.random.default_rng(0)
    values = random.normal(size=(1, 3, 20)).astype(np.float32)
    means = values.mean(axis=2)
    influence = values - means[..., None]
    two = parts(influence[:, :2], means[:, :2], np.ones((1, 2), bool), sample(20))
    influence[:, 2], means[:, 2] = 0, 0
    three = parts(influence, means, np.array([[True, True, False]]), sample(20))
    for name in ("items", "between", "disagreement", "seed_freedom"):
        assert_allclose(getattr(three, name), getattr(two, name), rtol=1e-5)


def test_differences_of_pairs_are_those_of_their_values() -> None:
    random = np.random.default_rng(0)
    values = random.normal(size=(3, 4, 25)).astype(np.float32)
    means = values.mean(axis=2, dtype=np.float64)
    influence = values - means[..., None].astype(np.float32)
    first, second = np.triu_indices(3, 1)
    known = np.ones((3, 4), bool)
    found = parts_of_pairs(influence / np.float32(25), means, known, sample(25))
    direct = parts(influence[first] - influence[second], means[first] - means[second], known, sample(25))
    for name in ("items", "between", "disagreement", "item_freedom", "seed_freedom"):
        assert_allclose(getattr(found, name), getattr(direct, name), rtol=1e-3, atol=1e-9)


def of_variances(between: list[float], freedom: float) -> Spread:
    """Cells whose seeds alone vary: variances of single seeds ``between``."""
    found = np.array(between)
    values = np.random.default_rng(0).normal(size=(len(found), int(freedom) + 1))
    values *= np.sqrt(found / values.var(axis=1, ddof=1))[:, None]
    influence = np.zeros((*values.shape, 2), np.float32)
    mean_squares = parts(influence, values, np.ones(values.shape, bool), sample(2))
    return spread(mean_squares, own_prior(mean_squares))


def test_variances_over_seeds_that_differ_by_chance_alone_are_pooled() -> None:
    random = np.random.default_rng(1)
    found = of_variances((random.chisquare(4, 400) / 4).tolist(), 4)
    assert_allclose(found.seeds * 5, 1, rtol=0.3)
    assert found.freedom.min() > 20


def test_few_variances_have_no_more_freedom_pooled_than_they_have_together() -> None:
    assert of_variances([1.0, 1.0, 1.0, 1.0], 4).freedom.tolist() == [16, 16, 16, 16]


def test_variances_over_seeds_that_truly_differ_are_left_to_each_cell() -> None:
    random = np.random.default_rng(1)
    true = np.exp(random.normal(0, 4, 400))
    found = of_variances((true * random.chisquare(4, 400) / 4).tolist(), 4)
    assert np.corrcoef(np.log(found.seeds), np.log(true))[0, 1] > 0.95
    assert found.freedom.max() < 6


def test_the_prior_is_the_one_variances_were_drawn_from() -> None:
    """Variances drawn as s0^2 d0 / chi2(d0), seen with 4 degrees of freedom: the posterior's freedom is d0 + 4."""
    random = np.random.default_rng(2)
    true = 3 * 8 / random.chisquare(8, 20_000)
    found = of_variances((true * random.chisquare(4, 20_000) / 4).tolist(), 4)
    assert_allclose(np.median(found.freedom), 12, rtol=0.1)


@pytest.mark.parametrize("value", [1e-4, 0.1, 1.0, 30.0, 1e6])
def test_trigamma_is_inverted(value: float) -> None:
    assert_allclose(special.polygamma(1, trigamma_inverse(value)), value, rtol=1e-6)


def test_where_nothing_varies_only_nothing_is_certain() -> None:
    still = of_variances([0.0, 0.0, 0.0], 2)
    assert still.half_width().tolist() == [0, 0, 0]
    assert still.p(np.array([0.0, 0.1, 0.0])).tolist() == [1, 0, 1]
    assert still.joint_half_width(float("nan")).tolist() == [0, 0, 0]
