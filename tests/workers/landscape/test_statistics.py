"""Curves with known answers: straight ones, convex and concave parabolas, and what a table of seeds makes of them."""

from __future__ import annotations

import pytest

from workers.landscape.numbers import SCHEMA, LandscapeNumber
from workers.landscape.statistics import barrier, linearity, slope, summarise
from workers.record_tables import to_table

ALPHAS = (-0.5, -0.25, 0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5)


def test_the_r2_of_a_straight_line_is_1() -> None:
    assert linearity(ALPHAS, [0.7 - 0.3 * alpha for alpha in ALPHAS]) == pytest.approx(1)


def test_only_points_between_the_ends_decide_how_straight_a_line_is() -> None:
    values = [0.7 - 0.3 * alpha if 0 <= alpha <= 1 else 99.0 for alpha in ALPHAS]
    assert linearity(ALPHAS, values) == pytest.approx(1)
    assert barrier(ALPHAS, values) == pytest.approx(0)


def test_the_r2_of_a_parabola_about_the_middle_is_0() -> None:
    assert linearity(ALPHAS, [(alpha - 0.5) ** 2 for alpha in ALPHAS]) == pytest.approx(0)


def test_a_constant_has_no_r2() -> None:
    assert linearity(ALPHAS, [0.5] * len(ALPHAS)) is None


def test_a_convex_parabola_has_no_barrier() -> None:
    assert barrier(ALPHAS, [3 * alpha**2 - alpha + 2 for alpha in ALPHAS]) == 0


def test_the_barrier_of_a_concave_parabola_is_its_height_over_the_chord() -> None:
    assert barrier(ALPHAS, [-2 * alpha**2 + 5 * alpha for alpha in ALPHAS]) == pytest.approx(0.5)


def test_the_slope_of_a_parabola_at_0_is_its_linear_term() -> None:
    assert slope(ALPHAS, [7 * alpha**2 - 0.4 * alpha + 1 for alpha in ALPHAS]) == pytest.approx(-0.4)


def of_seed(seed: int, steepness: float) -> list[LandscapeNumber]:
    return [
        LandscapeNumber(
            method="bottleneck",
            source="eng",
            toward="deu",
            seed=seed,
            point="line",
            measure="loss",
            language="deu",
            alpha=alpha,
            value=1 + steepness * alpha,
            n=10,
        )
        for alpha in reversed(ALPHAS)
    ]


def test_estimates_are_over_seeds_and_paired_by_them() -> None:
    summary = summarise(to_table([*of_seed(0, -0.2), *of_seed(1, -0.4), *of_seed(2, -0.6)], SCHEMA))
    found = summary.estimate("eng", "deu", "deu", "loss", "slope")
    assert found is not None
    # Student's t of two degrees of freedom is 4.303 at 97.5%; the standard deviation is 0.2.
    assert found.mean == pytest.approx(-0.4)
    assert found.high == pytest.approx(-0.4 + 4.303 * 0.2 / 3**0.5, abs=1e-3)
    assert summary.pairs == [("eng", "deu")]
    assert summary.estimate("eng", "deu", "eng", "loss", "slope") is None
