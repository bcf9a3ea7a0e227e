"""The axioms of hat_r, on samples of items whose probabilities are known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import expit

from matrices.arrays import Floats
from matrices.measures.profile import Profile, ProfileSettings, binned, rotations
from matrices.uncertainty.resampling import ItemSample

K = 10
NOMINAL = ProfileSettings(normaliser="nominal")
"""The naive estimator: bins of luck taken for bins of hardness."""


def profile_of(bins: NDArray[Any], ceiling: NDArray[Any], outcome: NDArray[Any], k: int = K) -> Profile:
    """Of counts of successes in k samples [I] each."""
    return Profile(binned(bins[None], ceiling[None] / k, outcome[None, None] / k, k + 1).sum(axis=-1))


def hat(profile: Profile, recipe: ProfileSettings | None = None, chance: float = 0.0) -> float:
    return float(profile.hat_r(recipe or ProfileSettings(), chance)[0])


def drawn(p_source: Floats, p_target: Floats, seed: int, k: int = K) -> Profile:
    """Independent samples of both, and further ones of the source."""
    random = np.random.default_rng(seed)
    return profile_of(*(random.binomial(k, p) for p in (p_source, p_source, p_target)), k=k)


def source_of(ability: float, items: int = 40_000) -> Floats:
    """Success probabilities of a model so able, on items whose difficulty has a standard deviation of 2 logits."""
    p: Floats = expit(ability + 2 * np.random.default_rng(7).standard_normal(items))
    return p


abilities = st.floats(-3, 3)
seeds = st.integers(0, 2**32 - 1)


@st.composite
def samples(draw: st.DrawFn) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Successes by item in samples of the source, further ones, and ones of the target; every bin has an item."""
    items = draw(st.integers(K + 1, 60))
    random = np.random.default_rng(draw(seeds))
    bins = np.concatenate([np.arange(K + 1), random.integers(K + 1, size=items - K - 1)])
    return bins, random.integers(1, K + 1, size=items), random.integers(K + 1, size=items)


class TestAxioms:
    @settings(max_examples=20, deadline=None)
    @given(abilities, abilities, st.floats(0.1, 1), seeds)
    def test_a_more_able_model_that_transfers_as_well_has_the_same_hat_r(
        self, one: float, other: float, rate: float, seed: int
    ) -> None:
        for ability in (one, other):
            p = source_of(ability)
            assert hat(drawn(p, rate * p, seed)) == pytest.approx(rate, abs=0.05)

    @settings(max_examples=20, deadline=None)
    @given(st.floats(-3, -2), st.floats(2, 3), st.floats(0.3, 1), seeds)
    def test_the_naive_estimator_does_not(self, weak: float, strong: float, rate: float, seed: int) -> None:
        """Not even where transfer is the same share of every item: the model's luck moves its items into bins."""
        few, many = (hat(drawn(p, rate * p, seed), NOMINAL) for p in (source_of(weak), source_of(strong)))
        assert many - few > 0.1 * rate

    def test_nor_does_the_transfer_ratio_where_easy_items_transfer_better(self) -> None:
        """Of the same profile: hat_r moves a quarter as far as the ratio of accuracies."""

        def both(ability: float) -> tuple[float, float]:
            p = source_of(ability)
            q = expit(np.log(p / (1 - p)) - 1)
            return hat(drawn(p, q, 1)), float(q.mean() / p.mean())

        (weak, weak_ratio), (strong, strong_ratio) = both(-3), both(3)
        assert strong - weak < 0.25 * (strong_ratio - weak_ratio)

    @settings(max_examples=50, deadline=None)
    @given(samples(), st.floats(0, 0.09))
    def test_a_target_at_chance_has_none(self, sampled: tuple[Any, ...], chance: float) -> None:
        bins, ceiling, _ = sampled
        profile = profile_of(bins, ceiling, np.full(len(bins), chance * K))
        assert hat(profile, chance=chance) == pytest.approx(0, abs=1e-6)

    @settings(max_examples=50, deadline=None)
    @given(samples(), st.floats(0, 0.09))
    def test_a_target_that_answers_as_the_source_has_one(self, sampled: tuple[Any, ...], chance: float) -> None:
        bins, ceiling, _ = sampled
        assert hat(profile_of(bins, ceiling, ceiling), chance=chance) == pytest.approx(1)

    @settings(max_examples=50, deadline=None)
    @given(samples(), seeds)
    def test_more_success_in_the_target_never_lowers_it(self, sampled: tuple[Any, ...], seed: int) -> None:
        bins, ceiling, outcome = sampled
        more = np.maximum(outcome, np.random.default_rng(seed).integers(K + 1, size=len(outcome)))
        assert hat(profile_of(bins, ceiling, more)) >= hat(profile_of(bins, ceiling, outcome)) - 1e-9

    @settings(max_examples=50, deadline=None)
    @given(samples(), seeds, st.integers(1, 4))
    def test_the_order_of_items_and_their_duplication_change_nothing(
        self, sampled: tuple[Any, ...], seed: int, times: int
    ) -> None:
        order = np.random.default_rng(seed).permutation(np.tile(np.arange(len(sampled[0])), times))
        assert hat(profile_of(*(one[order] for one in sampled))) == pytest.approx(hat(profile_of(*sampled)))

    def test_nothing_is_clipped(self) -> None:
        full = np.arange(K + 1)
        assert hat(profile_of(full, np.full(K + 1, 5), np.full(K + 1, 10))) == pytest.approx(2)
        assert hat(profile_of(full, np.full(K + 1, 5), np.full(K + 1, 1)), chance=0.25) == pytest.approx(-0.6)


class TestBins:
    def test_by_hand(self) -> None:
        """Two samples, three bins: tau 0, 3/4, 1/2 and sigma 0, 1/2, 1."""
        profile = profile_of(*map(np.array, ([0, 1, 1, 2], [0, 1, 1, 2], [0, 2, 1, 1])), k=2)
        assert profile.counts.tolist() == [1, 2, 1]
        assert profile.tau[0].tolist() == [0, 0.75, 0.5]
        assert profile.sigma.tolist() == [0, 0.5, 1]
        assert hat(profile) == pytest.approx(1.25 / 1.5)
        assert hat(profile, chance=0.25) == pytest.approx((1.25 / 3 - 0.25) / (1.5 / 3 - 0.25))
        assert hat(profile, ProfileSettings(weights=(0, 0, 3))) == pytest.approx(0.5)
        assert hat(profile, ProfileSettings(normaliser="nominal", weights=(1, 3, 0))) == pytest.approx(0.75 / 0.5)
        assert hat(profile, ProfileSettings(normaliser="none"), chance=0.25) == pytest.approx(1.25 / 3 - 0.25)

    def test_a_bin_without_items_is_interpolated_and_its_weight_told(self) -> None:
        """Bins 0 and 3 of 0..4 have items: tau 0 and .6 there, so .2 and .4 between, and .6 beyond."""
        profile = profile_of(*map(np.array, ([0, 3], [0, 4], [0, 2.4])), k=4)
        assert profile.extrapolated(ProfileSettings()) == pytest.approx(3 / 5)
        assert profile.extrapolated(ProfileSettings(weights=(1, 1, 0, 1, 1))) == pytest.approx(2 / 4)
        assert hat(profile, ProfileSettings(normaliser="none")) == pytest.approx((0 + 0.2 + 0.4 + 0.6 + 0.6) / 5)
        assert hat(profile, ProfileSettings(normaliser="none", weights=(0, 1, 0, 0, 0))) == pytest.approx(0.2)

    def test_a_source_no_better_than_chance_has_nothing_to_transfer(self) -> None:
        profile = profile_of(np.arange(3), np.ones(3), np.ones(3), k=2)
        assert hat(profile, chance=0.5) == np.inf

    @pytest.mark.parametrize("weights", [(1.0, 1.0), (1.0, -1.0, 1.0), (0.0, 0.0, 0.0)])
    def test_weights_that_are_none_are_an_error(self, weights: tuple[float, ...]) -> None:
        with pytest.raises(ValueError, match="3 numbers, none below 0"):
            ProfileSettings(weights=weights).weights_of(3)


class TestSeeds:
    def test_each_seed_is_left_out_in_turn(self) -> None:
        answers = np.array([[1, 1, 0], [1, 0, 0], [1, 1, 0], [1, 0, 1]])
        assert rotations(answers).tolist() == [[3, 1, 1], [3, 2, 1], [3, 1, 1], [3, 2, 0]]

    def test_of_shares_the_successes_of_the_others_are_rounded(self) -> None:
        assert rotations(np.array([[0.9, 0.2], [0.8, 0.3], [0.9, 0.4]]))[0].tolist() == [2, 1]

    @pytest.mark.parametrize("ability", [-2, 0, 2])
    def test_with_five_seeds_it_is_what_independent_samples_of_four_would_give(self, ability: float) -> None:
        """Although the seeds of source and target are the same models, which answer alike."""
        p = source_of(ability)
        q = expit(np.log(p / (1 - p)) - 1)
        independent = hat(drawn(p, q, 2, k=4))

        few = [np.random.default_rng([at, 3]).integers(len(p), size=400) for at in range(150)]
        estimates = [seeded(p[items], q[items], at) for at, items in enumerate(few)]

        error = np.std(estimates) / np.sqrt(len(estimates))
        assert np.mean(estimates) == pytest.approx(independent, abs=3.5 * error + 0.005)

    def test_a_seed_must_not_both_bin_items_and_score_them(self) -> None:
        """All five for both: the luck that put an item into a bin is found there again, but not in the target."""
        p = source_of(-2)
        random = np.random.default_rng(1)
        source, target = random.random((5, len(p))) < p, random.random((5, len(p))) < 0.5 * p

        both = profile_of(source.sum(axis=0), source.sum(axis=0), target.sum(axis=0), k=5)
        in_turn = Profile(binned(rotations(source.astype(float)), source, target[None], 5).sum(axis=-1))

        assert hat(both) < 0.45
        assert hat(in_turn) == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("ability", [-2, 0, 2])
def test_intervals_hold_the_truth_about_as_often_as_they_say(ability: float) -> None:
    """Of five seeds on 380 items; 19 in 20 of 200 samples, within the error of counting 200."""
    p = source_of(ability)
    q = expit(np.log(p / (1 - p)) - 1)
    truth = hat(drawn(p, q, 2, k=4))
    held = []
    for at in range(200):
        items = np.random.default_rng([at, 4]).integers(len(p), size=380)
        by_item = seeded_sums(p[items], q[items], at)
        resampled = Profile(ItemSample(np.arange(380), 400, at).totals(by_item)).hat_r(ProfileSettings(), 0)
        low, high = np.quantile(resampled, [0.025, 0.975])
        held.append(low <= truth <= high)
    assert 0.90 <= np.mean(held) <= 0.99


def seeded_sums(p: Floats, q: Floats, seed: int) -> NDArray[Any]:
    """Five seeds' answers in source and target, an item's two answers by a seed as alike as they can be."""
    luck = np.random.default_rng(seed).random((5, len(p)))
    source, target = (luck < p).astype(float), (luck < q).astype(float)
    return binned(rotations(source), source, target[None], 5)


def seeded(p: Floats, q: Floats, seed: int) -> float:
    return hat(Profile(seeded_sums(p, q, seed).sum(axis=-1)))
