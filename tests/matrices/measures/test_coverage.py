"""Do intervals hold the truth as often as they say? Of matrices drawn from a known world; `-s` prints the shares."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pytest

from matrices.arrays import Floats
from matrices.measures.donors import donors
from matrices.measures.interference import interference, sure_pairs
from matrices.measures.ranks import ranks
from matrices.uncertainty.matrix_bootstrap import MatrixBootstrap
from matrices.view import MatrixView

Simulate = Callable[..., tuple[MatrixView, Floats, Floats]]
WORLDS: dict[str, dict[str, Any]] = {
    "as a rule": {},
    "few seeds": {"seeds": 3},
    "few items": {"items": 50},
    "seeds take to sources differently": {"by_seed": 0.5, "seeds": 3},
    "seeds matter for the baseline alone": {"by_seed": 0.0, "of_seed": 0.5},
}


@pytest.mark.parametrize("world", WORLDS)
def test_intervals_of_interference_hold_the_truth(simulate: Simulate, world: str) -> None:
    random, held, all_held = np.random.default_rng(1), [], []
    for _ in range(20):
        outcomes, truth, _ = simulate(random, **WORLDS[world])
        table, true = interference(outcomes, resamples=500), truth.T.ravel()
        held.append(((table["low"].to_numpy() <= true) & (true <= table["high"].to_numpy())).mean())
        inside = (table["band_low"].to_numpy() <= true) & (true <= table["band_high"].to_numpy())
        all_held.append(inside.all())
    print(f"{world}: 95% intervals hold {np.mean(held):.1%} of 2,000 cells, bands all of {np.mean(all_held):.0%} of 20")
    assert 0.93 <= np.mean(held) <= 0.98
    assert np.mean(all_held) >= 0.8


def test_where_nothing_helps_or_harms_hardly_a_matrix_has_a_discovery(simulate: Simulate) -> None:
    random = np.random.default_rng(2)
    nothing, found = {"effect": 0, "by_item": 0, "by_seed": 0}, 0
    for _ in range(40):
        found += sure_pairs(interference(simulate(random, **nothing)[0], resamples=500)).num_rows > 0
    print(f"{found} of 40 matrices without any change have a discovery")
    assert found <= 5


def test_discoveries_are_real_but_for_their_rate(simulate: Simulate) -> None:
    random, wrong, made, there = np.random.default_rng(3), 0, 0, 0
    for _ in range(10):
        outcomes, truth, _ = simulate(random, effect=0.4)
        label, true = interference(outcomes, resamples=500)["label"].to_numpy(zero_copy_only=False), truth.T.ravel()
        made += np.isin(label, ["helps", "harms"]).sum()
        wrong += ((label == "helps") & (true <= 0)).sum() + ((label == "harms") & (true >= 0)).sum()
        there += (np.abs(true) > 0.06).sum()
    print(f"{made} discoveries of about {there} changes beyond 6 points, {wrong} of the wrong sign")
    assert wrong <= 0.05 * made
    assert made > 0.6 * there


@pytest.mark.parametrize("world", WORLDS)
def test_intervals_of_donor_and_recipient_scores_hold_the_truth(simulate: Simulate, world: str) -> None:
    random, held = np.random.default_rng(4), []
    for _ in range(20):
        outcomes, truth, baseline = simulate(random, **WORLDS[world])
        table = donors(MatrixBootstrap(outcomes, resamples=500))
        for name, axis in (("donor", 1), ("recipient", 0)):
            rows, gain = table.filter(pc.is_valid(table[name])), (truth / baseline).sum(axis=axis)
            low, high = (rows[f"{name}_{end}"].to_numpy() for end in ("low", "high"))
            held.append(((low <= gain) & (gain <= high)).mean())
    print(f"{world}: 95% intervals hold {np.mean(held):.1%} of 400 donor and recipient scores")
    assert 0.9 <= np.mean(held) <= 0.985


def test_ranks_hold_the_true_rank_and_the_tied_set_the_true_best(simulate: Simulate) -> None:
    random, held, best = np.random.default_rng(5), [], []
    for _ in range(20):
        outcomes, truth, _ = simulate(random, effect=0.4)
        table = ranks(outcomes, resamples=500).to_pandas()
        for place, target in enumerate(outcomes.targets):
            rows = table[table["target"] == target].set_index("source").loc[list(outcomes.sources)]
            true = (-truth[:, place]).argsort().argsort() + 1
            held.append(((rows["rank_low"] <= true) & (true <= rows["rank_high"])).all())
            best.append(rows["tied_with_best"].iloc[truth[:, place].argmax()])
    print(
        f"rank bounds hold all sources of {np.mean(held):.1%} of 200 targets, "
        f"tied with the best is the true best of {np.mean(best):.1%}"
    )
    assert np.mean(held) >= 0.93
    assert np.mean(best) >= 0.95
