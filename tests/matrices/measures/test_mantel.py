from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
from numpy.testing import assert_allclose
from scipy import stats

from matrices.arrays import Floats
from matrices.measures.mantel import correlations, mantel
from matrices.view import MatrixView

MakeView = Callable[..., MatrixView]


def symmetric(random: np.random.Generator, languages: int) -> Floats:
    points = random.normal(size=(languages, 2))
    likeness: Floats = -np.linalg.norm(points[:, None] - points, axis=-1)
    np.fill_diagonal(likeness, np.nan)
    return likeness


def test_the_correlation_is_spearmans_over_pairs_both_know() -> None:
    random = np.random.default_rng(0)
    transfer, likeness = random.normal(size=(7, 7)), symmetric(random, 7)
    np.fill_diagonal(transfer, np.nan)
    transfer[0, 3] = np.nan
    both = np.isfinite(transfer) & np.isfinite(likeness)
    found, _ = mantel(transfer, likeness, 10)
    assert_allclose(
        found,
        stats.spearmanr(stats.rankdata(transfer, nan_policy="omit", axis=None)[both.ravel()], likeness[both])[0],
        atol=0.01,
    )


def test_p_is_the_share_of_all_permutations_as_far_from_nought() -> None:
    random = np.random.default_rng(1)
    transfer, likeness = random.normal(size=(5, 5)), symmetric(random, 5)
    transfer = transfer + 0.5 * likeness
    off = ~np.eye(5, dtype=bool)
    ranked = stats.rankdata(likeness, nan_policy="omit", axis=None).reshape(5, 5)
    ours = stats.rankdata(transfer, nan_policy="omit", axis=None).reshape(5, 5)[off]
    every = [
        np.corrcoef(ours, ranked[np.ix_(order, order)][off])[0, 1]
        for order in map(list, itertools.permutations(range(5)))
    ]
    found, p = mantel(transfer, likeness, 20_000)
    exact = np.mean(np.abs(every) >= abs(found) - 1e-12)
    assert_allclose(p, exact, atol=0.01)


def test_chance_is_not_taken_for_a_finding_as_independent_cells_would() -> None:
    """Languages that transfer well to and from all, unlike the others: no pair's likeness has to do with it."""
    random, naive, found = np.random.default_rng(2), 0, 0
    for _ in range(200):
        likeness = symmetric(random, 12)
        quality = random.normal(size=12)
        transfer = quality[:, None] + 0.1 * random.normal(size=(12, 12))
        np.fill_diagonal(transfer, np.nan)
        off = ~np.eye(12, dtype=bool)
        naive += stats.spearmanr(transfer[off], likeness[off])[1] < 0.05
        found += mantel(transfer, likeness, 199)[1] <= 0.05
    assert found <= 20
    assert naive > 40


def test_what_does_not_vary_or_is_too_little_says_nothing() -> None:
    random = np.random.default_rng(0)
    assert np.isnan(mantel(random.normal(size=(3, 3)), symmetric(random, 3), 10)).all()
    assert np.isnan(mantel(random.normal(size=(6, 6)), np.zeros((6, 6)), 10)).all()
    assert np.isnan(mantel(random.normal(size=(6, 6)), np.full((6, 6), np.nan), 10)).all()


def test_hard_targets_do_not_count_as_bad_transfer(make_view: MakeView) -> None:
    random = np.random.default_rng(3)
    codes = ("ces", "deu", "eng", "fra", "pol", "spa")
    likeness = symmetric(random, 6)
    pair = 0.5 + 0.05 * np.nan_to_num(likeness)
    ease = np.array([0.0, 0.3, 0.1, 0.35, 0.2, 0.05])
    scores = pair + ease
    items = np.arange(1000) < np.round(1000 * scores)[..., None, None]
    outcomes = make_view(items.astype(float), np.zeros((6, 1, 1000)), sources=codes, targets=codes, kind="zero_shot")
    (row,) = correlations(outcomes, {"nearness": likeness}, permutations=999).to_pylist()
    assert row["likeness"] == "nearness"
    assert row["pairs"] == 30
    assert row["correlation"] > 0.7
    assert row["p"] < 0.05
