"""One target's sources beside each other: what is said of their scores, ties and the best, and what is not."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from matrices.items import Items
from matrices.measures.ranks import ranked, ranks
from matrices.uncertainty.comparison import TargetRuns
from matrices.uncertainty.components import SeedVariance
from matrices.uncertainty.resampling import Resamples
from matrices.view import MatrixView

MakeView = Callable[..., MatrixView]
STUDY: dict[str, Any] = runpy.run_path(str(Path(__file__).parents[3] / "studies" / "coverage.py"))


def runs_on(view: MatrixView, target: str = "t00") -> TargetRuns:
    return TargetRuns(view, target, Resamples(view), SeedVariance(view))


@pytest.fixture
def view_of(make_view: MakeView) -> Callable[..., MatrixView]:
    """``view_of([0.7, 0.5], seeds=3, items=200)``: sources right so often on the same 0/1 items of one target."""

    def make(shares: list[float], seeds: int = 3, items: int = 200, **given: Any) -> MatrixView:
        random = np.random.default_rng(0)
        ease = random.random(items)
        noise = random.normal(0, 0.1, (len(shares), 1, seeds, items))
        correct = (ease + noise < np.array(shares)[:, None, None, None]).astype(float)
        return make_view(correct, np.full((1, seeds, items), np.nan), **given)

    return make


@pytest.mark.parametrize("world", STUDY["WORLDS"])
def test_answers_hold_as_often_as_they_say(world: str) -> None:
    """Within what 150 targets can show; `python studies/coverage.py` draws 2,000."""
    found = STUDY["judge"](STUDY["WORLDS"][world], 150)
    assert found["scores"] >= 0.92
    assert found["tied"] >= 0.95
    if np.isfinite(found["best_said"]):
        assert found["best_said"] <= found["best_right"] + 0.1
    else:
        assert found["claims"] == 0


def test_of_one_seed_no_source_is_called_worse_and_none_given_a_chance(view_of: Callable[..., MatrixView]) -> None:
    view = view_of([0.9, 0.89, 0.2], seeds=1)
    runs, order = runs_on(view), ranked(view, "t00")
    assert runs.ties(order) == ["tied", "tied", "unknown"]
    assert runs.probabilities_best(order) is None
    assert ranks(view)["tied_with_best"].to_pylist() == [True, True, None]


def test_of_several_seeds_the_same_is_beyond_doubt(view_of: Callable[..., MatrixView]) -> None:
    view = view_of([0.9, 0.89, 0.2], seeds=3)
    assert runs_on(view).ties(ranked(view, "t00")) == ["tied", "tied", "worse"]


def test_a_run_of_one_seed_has_the_variance_over_seeds_of_the_others(make_view: MakeView) -> None:
    random = np.random.default_rng(0)
    chance = np.clip(random.normal(0.5, 0.2, (4, 5, 3, 1)), 0, 1)
    correct = (random.random((4, 5, 3, 300)) < chance).astype(float)
    whole = make_view(correct, np.full((5, 3, 300), np.nan))
    whole.scores[0, 0, 1:] = np.nan
    part = replace(whole)
    low, high = runs_on(part).intervals()
    assert high[0] - low[0] > 1.3 * (high[1:4] - low[1:4]).mean()


def test_of_unlike_seeds_each_source_brings_its_own(view_of: Callable[..., MatrixView]) -> None:
    view = view_of([0.9, 0.2], seeds=4)
    view.scores[0, 0, :2], view.scores[1, 0, 2:] = np.nan, np.nan
    view = replace(view)
    assert runs_on(view).ties(ranked(view, "t00")) == ["tied", "worse"]


def test_documents_count_as_they_do_in_measures(view_of: Callable[..., MatrixView]) -> None:
    view = view_of([0.7, 0.6], items=50)
    tenfold = np.repeat(np.arange(50), 10)
    outcomes = view.by_item()[0]
    repeated = replace(
        outcomes,
        correct=outcomes.correct[..., tenfold],
        total=outcomes.total[..., tenfold],
        baseline_correct=outcomes.baseline_correct[..., tenfold],
        baseline_total=outcomes.baseline_total[..., tenfold],
    )
    items = Items(tuple(map(str, range(500))), None, tuple(map(str, tenfold)))
    copied = replace(view, n_items=np.array([500]), read_outcomes=lambda _: repeated, items={"t00": items})
    for one, other in zip(runs_on(view).intervals(), runs_on(copied).intervals(), strict=True):
        assert_allclose(one[:2], other[:2], atol=1e-6)
    order = ranked(view, "t00")
    assert_allclose(runs_on(view).compared(order).error, runs_on(copied).compared(order).error, atol=1e-6)


@pytest.mark.parametrize(("metric", "known"), [("accuracy", True), ("f1", False)])
def test_without_outcomes_ties_cannot_be_told(view_of: Callable[..., MatrixView], metric: str, known: bool) -> None:
    view = replace(view_of([0.9, 0.2]), read_outcomes=lambda _: None, metric=metric)
    runs, order = runs_on(view), ranked(view, "t00")
    low, high = runs.intervals()
    assert runs.ties(order) == ["tied", "unknown"]
    assert runs.probabilities_best(order) is None
    assert ((low[0], high[0]) != (0, 1)) == known


def test_differences_are_paired_by_item(view_of: Callable[..., MatrixView]) -> None:
    """Right on the same items, save ten that one alone gets right: each interval is wide, their difference is not."""
    view = view_of([0.6, 0.5])
    right = np.stack([np.tile(np.arange(200) < count, (3, 1)) for count in (120, 100)]).astype(np.float32)
    outcomes = replace(view.by_item()[0], correct=right)
    view = replace(view, scores=right.mean(axis=-1)[:, None], read_outcomes=lambda _: outcomes)
    low, high = runs_on(view).intervals()
    assert low[0] < high[1]
    assert runs_on(view).ties(ranked(view, "t00")) == ["tied", "worse"]


def test_all_right_is_no_proof_of_always_right(view_of: Callable[..., MatrixView]) -> None:
    low, high = runs_on(view_of([2.0], items=20)).intervals()
    assert high[0] == 1
    assert 0.7 < low[0] < 0.95


def test_of_one_item_nothing_is_known(view_of: Callable[..., MatrixView]) -> None:
    view = view_of([2.0, -1.0], items=1)
    low, high = runs_on(view).intervals()
    assert (low[0], high[0], low[1], high[1]) == (0, 1, 0, 1)
    assert runs_on(view).ties(ranked(view, "t00")) == ["tied", "unknown"]
