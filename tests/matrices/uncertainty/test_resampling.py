from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from matrices.items import Items
from matrices.uncertainty.resampling import ItemSample, Resamples
from matrices.view import MatrixView, MeasureError

MakeView = Callable[..., MatrixView]


@pytest.fixture
def outcomes(make_view: MakeView) -> MatrixView:
    random = np.random.default_rng(0)
    return make_view(random.integers(0, 2, (2, 3, 5, 40)), random.integers(0, 2, (3, 5, 40)))


def test_deviations_have_the_unbiased_variance_of_a_mean() -> None:
    values = np.random.default_rng(1).normal(size=50)
    deviations = ItemSample(np.arange(50), 20_000, 0).deviations(values - values.mean())
    assert_allclose(deviations.var(), values.var(ddof=1) / 50, rtol=0.05)


def test_a_passage_is_drawn_whole() -> None:
    values = np.repeat(np.random.default_rng(1).normal(size=10), 5)
    passages = np.repeat(np.arange(10), 5)
    deviations = ItemSample(passages, 20_000, 0).deviations(values - values.mean())
    assert_allclose(deviations.var(), values[::5].var(ddof=1) / 10, rtol=0.05)


def test_a_single_passage_says_nothing_of_others() -> None:
    assert not ItemSample(np.zeros(3, np.int64), 10, 0).deviations(np.array([1.0, 0, -1])).any()


def test_in_turn_each_mean_moves_as_it_would_alone() -> None:
    sample, values = ItemSample(np.repeat(np.arange(10), 5), 200, 0), np.random.default_rng(1).normal(size=(4, 3, 50))
    centred = values - values.mean(axis=-1, keepdims=True)
    alone, turn = sample.deviations(centred), np.arange(200) % 3
    assert_allclose(sample.deviations_in_turn(centred), alone[np.arange(200), :, turn], atol=1e-6)
    assert not ItemSample(np.zeros(50, np.int64), 9, 0).deviations_in_turn(centred).any()


def test_seeds_have_the_unbiased_variance_of_a_mean(outcomes: MatrixView) -> None:
    values = np.array([0.3, 0.1, 0.5, 0.4, 0.9])
    weights = Resamples(outcomes, 50_000).seeds
    assert_allclose(weights.sum(axis=1), 0, atol=1e-12)
    assert_allclose((weights @ values).var(), values.var(ddof=1) / 5, rtol=0.05)


def test_draws_are_the_same_every_time_and_differ_between_targets(outcomes: MatrixView) -> None:
    values = np.random.default_rng(1).normal(size=40)
    one, again = Resamples(outcomes, 50).of("t00"), Resamples(outcomes, 50).of("t00")
    assert_array_equal(one.deviations(values), again.deviations(values))
    assert_array_equal(one.deviations(values), one.deviations(values))
    assert (one.deviations(values) != Resamples(outcomes, 50).of("t01").deviations(values)).any()


def test_translations_are_drawn_together(outcomes: MatrixView) -> None:
    ids = tuple(map(str, range(40)))
    items = {"t00": Items(ids, "sib200"), "t01": Items(ids, "sib200"), "t02": Items(ids)}
    samples, values = Resamples(replace(outcomes, items=items), 50), np.random.default_rng(1).normal(size=40)
    assert_array_equal(samples.of("t00").deviations(values), samples.of("t01").deviations(values))
    assert (samples.of("t00").deviations(values) != samples.of("t02").deviations(values)).any()


def test_of_a_single_passage_its_sentences_are_drawn(outcomes: MatrixView) -> None:
    ids, values = tuple(map(str, range(40))), np.random.default_rng(1).normal(size=40)
    one = Resamples(replace(outcomes, items={"t00": Items(ids, None, ("a",) * 40)}), 50).of("t00")
    assert_array_equal(one.deviations(values), Resamples(outcomes, 50).of("t00").deviations(values))


def test_items_that_were_not_scored_are_refused(outcomes: MatrixView) -> None:
    with pytest.raises(MeasureError, match="t00: 40 items were scored, and 2 are named"):
        Resamples(replace(outcomes, items={"t00": Items(("a", "b"))}), 50).of("t00")
    with pytest.raises(ValueError, match="resamples: 1; two or more"):
        Resamples(outcomes, 1)
