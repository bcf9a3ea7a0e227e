from __future__ import annotations

import numpy as np
import pytest

from matrices.recommend.predicted.calibration import draws, mass, mass_needed, shares_of, shortlist, width


def test_widths_learned_from_some_targets_hold_the_stated_share_of_others() -> None:
    """Errors of a target share its luck, and are twice as large as the model believes."""
    random = np.random.default_rng(0)
    luck = random.normal(size=(400, 1))
    ratios = np.abs(2 * (luck + random.normal(size=(400, 30))) / np.sqrt(2))

    learned = width(list(ratios[:200]), 0.9)

    assert (ratios[200:] <= learned).mean() == pytest.approx(0.9, abs=0.03)


def test_widths_learned_from_few_targets_are_not_too_narrow_for_others() -> None:
    """What one target's errors share makes ten targets' quantile a guess, and mostly too small a one."""
    random = np.random.default_rng(0)
    held = []
    for _ in range(400):
        luck = random.normal(size=(30, 1))
        ratios = np.abs(luck + random.normal(size=(30, 30)))
        held.append((ratios[10:] <= width(list(ratios[:10]), 0.9)).mean())

    assert 0.9 <= np.mean(held) <= 0.94


def test_shortlists_learned_from_some_targets_hold_the_best_of_others() -> None:
    """The model believes in half the noise that there is."""
    random = np.random.default_rng(0)

    def target() -> tuple[np.ndarray, np.ndarray, int]:
        mean = random.normal(size=12)
        shares = shares_of(draws(mean, np.zeros((12, 12)), np.full(12, 0.25)))
        return shares, mean, int((mean + random.normal(size=12)).argmax())

    learned = mass([mass_needed(*target()) for _ in range(200)], 0.9)
    held = [best in shortlist(shares, mean, learned) for shares, mean, best in (target() for _ in range(200))]

    assert np.mean(held) == pytest.approx(0.9, abs=0.06)


def test_the_probability_of_being_best_is_that_of_the_draws() -> None:
    shares = shares_of(draws(np.array([1.0, 0.0, -9.0]), np.zeros((3, 3)), np.array([0.5, 0.5, 0.5])))

    assert shares[0] == pytest.approx(0.841, abs=0.05)
    assert shares[2] == 0


def test_sources_that_move_together_are_told_apart_by_their_means() -> None:
    shares = shares_of(draws(np.array([1.0, 0.0]), np.full((2, 2), 25.0), np.zeros(2)))

    assert shares.tolist() == [1, 0]


def test_of_too_few_targets_to_vouch_for_it_nobody_is_left_out() -> None:
    assert mass([0.2] * 8, 0.9) == 1
    assert mass([0.2] * 8 + [0.6], 0.9) == 0.6

    shares, mean = np.array([0.0, 0.99, 0.01, 0.0]), np.array([0.3, 0.9, 0.5, 0.1])
    assert shortlist(shares, mean, mass([0.2] * 8, 0.9)) == [1, 2, 0, 3]
