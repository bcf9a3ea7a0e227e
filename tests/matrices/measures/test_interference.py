from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import stats

from matrices.arrays import Floats
from matrices.items import Items
from matrices.measures.interference import interference, sure_pairs
from matrices.view import MatrixView, MeasureError

MakeView = Callable[..., MatrixView]


def drawn(seed: int, *shape: int, chance: float = 0.6) -> Floats:
    return (np.random.default_rng(seed).random(shape) < chance).astype(np.float64)


def rows(table: pa.Table) -> dict[tuple[str, str], dict[str, Any]]:
    return {(row["source"], row["target"]): row for row in table.to_pylist()}


def test_delta_is_the_mean_change_of_the_same_seeds(make_view: MakeView) -> None:
    correct = np.array([[[[1, 1, 1, 0], [1, 1, 0, 0]]]], float)
    baseline = np.array([[[1, 0, 0, 0], [1, 1, 0, 0]]], float)
    row = rows(interference(make_view(correct, baseline), resamples=50))["s00", "t00"]
    assert (row["score"], row["baseline"], row["delta"]) == (0.625, 0.375, 0.25)
    assert_allclose(row["relative"], 0.25 / 0.375)
    assert (row["seeds"], row["items"]) == (2, 4)


def test_only_seeds_with_a_baseline_count(make_view: MakeView) -> None:
    correct = np.array([[[[1, 1], [0, 0], [1, 0]]]], float)
    baseline = np.array([[[1, 0], [1, 1], [np.nan, np.nan]]])
    outcomes = make_view(correct, baseline)
    row = rows(interference(outcomes, resamples=50))["s00", "t00"]
    assert (row["score"], row["baseline"], row["seeds"]) == (0.5, 0.75, 2)


def test_spans_have_totals_of_their_own(make_view: MakeView) -> None:
    """F1: 2 x right over predicted + true, so that a run's totals depend on what it predicted."""
    random = np.random.default_rng(0)
    total, baseline_total = random.integers(1, 6, (1, 1, 2, 60)), random.integers(1, 6, (1, 2, 60))
    correct, baseline = random.binomial(total, 0.5), random.binomial(baseline_total, 0.4)
    outcomes = make_view(correct, baseline, total=total, baseline_total=baseline_total)
    row = rows(interference(outcomes, resamples=4000))["s00", "t00"]
    delta = (correct.sum(-1) / total.sum(-1)).mean() - (baseline.sum(-1) / baseline_total.sum(-1)).mean()
    assert_allclose(row["delta"], delta)
    again = random.integers(60, size=(4000, 60))
    ours, below = (
        (a[..., again].sum(-1) / b[..., again].sum(-1)).reshape(-1, 2, 4000).mean(1)
        for a, b in ((correct, total), (baseline, baseline_total))
    )
    freedom = stats.t.ppf(0.975, 59) / stats.t.ppf(0.975, 1e9)
    # The plain bootstrap of the ratio itself, seeds as they are: the width over items, which is nearly all here.
    assert_allclose((row["high"] - row["low"]) / 2, 1.96 * freedom * (ours - below).std(), rtol=0.15)


def test_one_seed_gives_the_paired_t_interval_of_items(make_view: MakeView) -> None:
    correct, baseline = drawn(0, 1, 1, 1, 80), drawn(1, 1, 1, 80, chance=0.4)
    row = rows(interference(make_view(correct, baseline), resamples=50))["s00", "t00"]
    theirs = stats.ttest_rel(correct.ravel(), baseline.ravel())
    low, high = theirs.confidence_interval(0.95)
    assert_allclose([row["low"], row["high"]], [low, high], rtol=1e-4)
    assert row["p"] >= theirs.pvalue * 0.999


def test_p_is_that_of_scipys_paired_permutation_test(make_view: MakeView) -> None:
    correct, baseline = drawn(3, 1, 1, 1, 30), drawn(5, 1, 1, 30, chance=0.5)
    row = rows(interference(make_view(correct, baseline), resamples=20_000))["s00", "t00"]
    theirs = stats.permutation_test(
        (correct.ravel(), baseline.ravel()),
        lambda a, b: np.mean(a - b),
        permutation_type="samples",
        n_resamples=20_000,
        rng=np.random.default_rng(0),
    )
    assert 0.02 < theirs.pvalue < 0.98
    assert_allclose(row["p_items"], theirs.pvalue, atol=0.015)


def test_beyond_the_permutations_drawn_p_is_bounded(make_view: MakeView) -> None:
    correct = np.ones((1, 1, 1, 60))
    baseline = np.zeros((1, 1, 60))
    baseline[..., :5] = 1
    row = rows(interference(make_view(correct, baseline), resamples=100))["s00", "t00"]
    # Exactly: 2 of the 2^55 ways to exchange the items that differ are as extreme. The bound is above it.
    assert 2**-54 < row["p_items"] <= 2 * np.exp(-55 / 2) * 1.001
    assert row["label"] == "helps"


def test_passages_count_as_one_observation_each(make_view: MakeView) -> None:
    correct, baseline = drawn(0, 1, 1, 1, 20, chance=0.8), drawn(1, 1, 1, 20, chance=0.4)
    alone = rows(interference(make_view(correct, baseline), resamples=2000))["s00", "t00"]
    outcomes = make_view(np.repeat(correct, 4, axis=-1), np.repeat(baseline, 4, axis=-1))
    passages = tuple(np.repeat(list("abcdefghijklmnopqrst"), 4).tolist())
    items = {"t00": Items(tuple(map(str, range(80))), None, passages)}
    row = rows(interference(replace(outcomes, items=items), resamples=2000))["s00", "t00"]
    for name in ("delta", "low", "high"):
        assert_allclose(row[name], alone[name], rtol=1e-4)
    assert_allclose(row["p_items"], alone["p_items"], atol=0.03)
    naive = rows(interference(outcomes, resamples=2000))["s00", "t00"]
    assert naive["high"] - naive["low"] < 0.6 * (row["high"] - row["low"])


def test_labels_speak_of_the_interval_the_rate_and_the_margin(make_view: MakeView) -> None:
    baseline = np.tile(drawn(0, 1, 1, 2000, chance=0.5), (1, 3, 1))
    better, worse, same, unsure = (np.tile(baseline, (1, 1, 1)) for _ in range(4))
    better[..., :300], worse[..., :300] = 1, 0
    unsure[..., :900] = drawn(7, 1, 3, 900, chance=0.5)
    correct = np.stack([better, worse, same, unsure])
    table = rows(interference(make_view(correct, baseline), resamples=500))
    assert [table[f"s{at:02}", "t00"]["label"] for at in range(4)] == ["helps", "harms", "neutral", "undecided"]
    wide = rows(interference(make_view(correct, baseline), resamples=500, margin=0.2))
    assert wide["s03", "t00"]["label"] == "neutral"
    assert (table["s02", "t00"]["p"], table["s02", "t00"]["low"]) == (1, 0)


def test_bands_are_wider_than_intervals_where_there_are_many_cells(make_view: MakeView) -> None:
    table = interference(make_view(drawn(0, 8, 4, 3, 60), drawn(1, 4, 3, 60)), resamples=500)
    interval = table["high"].to_numpy() - table["low"].to_numpy()
    band = table["band_high"].to_numpy() - table["band_low"].to_numpy()
    assert (band > 1.2 * interval).all()


def test_unseen_languages_are_marked_where_they_are_known(make_view: MakeView) -> None:
    outcomes = make_view(drawn(0, 2, 1, 1, 20), drawn(1, 1, 1, 20))
    assert interference(outcomes, resamples=50)["source_unseen"].to_pylist() == [None, None]
    table = interference(outcomes, resamples=50, unseen={"s01"})
    assert table["source_unseen"].to_pylist() == [False, True]
    assert table["target_unseen"].to_pylist() == [False, False]


def test_without_a_baseline_there_is_nothing_to_measure(make_view: MakeView) -> None:
    outcomes = make_view(drawn(0, 2, 1, 1, 20), np.full((1, 1, 20), np.nan))
    with pytest.raises(MeasureError, match="has no baseline"):
        interference(outcomes, resamples=50)


def test_sure_pairs_are_sorted_by_the_nearer_end_of_their_interval(make_view: MakeView) -> None:
    baseline = np.tile(drawn(0, 1, 1, 500, chance=0.5), (1, 3, 1))
    correct = np.stack([baseline] * 5)
    for at, (items, right) in enumerate([(100, 1), (200, 1), (100, 0), (200, 0)]):
        correct[at, ..., :items] = right
    pairs = sure_pairs(interference(make_view(correct, baseline), resamples=500))
    assert list(zip(pairs["label"].to_pylist(), pairs["source"].to_pylist(), strict=True)) == [
        *(("helps", "s01"), ("helps", "s00")),
        *(("harms", "s03"), ("harms", "s02")),
    ]


worlds = st.integers(0, 2**32 - 1)
NUMBERS = ("delta", "low", "high", "relative", "relative_low", "relative_high")


@given(worlds)
@settings(max_examples=15, deadline=None)
def test_exchanging_source_and_baseline_turns_the_sign(make_view: MakeView, world: int) -> None:
    correct, baseline = drawn(world, 1, 1, 3, 25), drawn(world + 1, 1, 3, 25)
    there = rows(interference(make_view(correct, baseline), resamples=50))["s00", "t00"]
    back = rows(interference(make_view(baseline[None], correct[0]), resamples=50))["s00", "t00"]
    assert_allclose(
        [there[name] for name in ("delta", "low", "high")],
        [-back[name] for name in ("delta", "high", "low")],
        atol=1e-6,
    )
    assert_allclose(there["p_items"], back["p_items"])


@given(worlds)
@settings(max_examples=15, deadline=None)
def test_order_of_items_and_names_of_seeds_do_not_matter(make_view: MakeView, world: int) -> None:
    correct, baseline = drawn(world, 2, 2, 3, 25), drawn(world + 1, 2, 3, 25)
    random = np.random.default_rng(world)
    items, seeds = random.permutation(25), random.permutation(3)
    one = interference(make_view(correct, baseline), resamples=50)
    other = interference(
        make_view(correct[..., items][:, :, seeds], baseline[..., items][:, seeds], seeds=(7, 8, 9)), resamples=50
    )
    for name in NUMBERS:
        assert_allclose(one[name].to_numpy(), other[name].to_numpy(), atol=1e-5)


@given(worlds)
@settings(max_examples=15, deadline=None)
def test_more_right_answers_never_lower_delta(make_view: MakeView, world: int) -> None:
    correct, baseline = drawn(world, 1, 1, 3, 25), drawn(world + 1, 1, 3, 25)
    more = np.maximum(correct, drawn(world + 2, 1, 1, 3, 25, chance=0.2))
    one, other = (
        rows(interference(make_view(given, baseline), resamples=50))["s00", "t00"] for given in (correct, more)
    )
    assert other["delta"] >= one["delta"]
