from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from matrices.arrays import Floats
from matrices.measures.donors import donors
from matrices.measures.ratios import ratios
from matrices.uncertainty.matrix_bootstrap import MatrixBootstrap
from matrices.view import MatrixView, MeasureError

MakeView = Callable[..., MatrixView]
CODES = ("deu", "eng", "wol")
SCORES = np.array([[0.8, 0.4, 0.2], [0.5, 0.8, 0.1], [0.4, 0.3, 0.4]])
"""Sources down, targets across: in-language .8, .8 and .4."""


def outcomes_of(
    make_view: MakeView, scores: Floats, baseline: Floats, *, seeds: int = 2, items: int = 100, **given: object
) -> MatrixView:
    """Runs that answer the first items right, as many as their score says."""
    first = np.arange(items) < np.round(scores * items)[..., None, None]
    below = np.arange(items) < np.round(baseline * items)[..., None, None]
    s, t = scores.shape
    correct = np.broadcast_to(first, (s, t, seeds, items)).astype(float)
    about = {"sources": CODES[:s], "targets": CODES[:t], "kind": "zero_shot"} | given
    return make_view(correct, np.broadcast_to(below, (t, seeds, items)).astype(float), **about)


def test_donor_and_recipient_scores_are_those_of_the_paper_by_hand(make_view: MakeView) -> None:
    table = donors(MatrixBootstrap(outcomes_of(make_view, SCORES, np.full(3, 0.1)), resamples=50)).to_pydict()
    assert table["language"] == list(CODES)
    assert_allclose(table["donor"], [0.4 / 0.8 + 0.2 / 0.4 - 2, 0.5 / 0.8 + 0.1 / 0.4 - 2, 0.4 / 0.8 + 0.3 / 0.8 - 2])
    assert_allclose(table["recipient"], [0.9 / 0.8 - 2, 0.7 / 0.8 - 2, 0.3 / 0.4 - 2])
    assert table["type"] == ["neither"] * 3
    # XTREME's gap: the score at home less the mean abroad.
    assert_allclose(table["gap"], [0.8 - 0.3, 0.8 - 0.3, 0.4 - 0.35])


def test_in_an_interference_matrix_the_reference_is_the_baseline(make_view: MakeView) -> None:
    scores = np.array([[0.9, 0.6, 0.3], [0.4, 0.9, 0.3], [0.6, 0.5, 0.9]])
    outcomes = outcomes_of(make_view, scores, np.array([0.5, 0.5, 0.2]), kind="interference")
    table = donors(MatrixBootstrap(outcomes, resamples=50)).to_pydict()
    assert_allclose(table["donor"], [0.2 + 0.5, -0.2 + 0.5, 0.2 + 0.0], atol=1e-12)
    assert_allclose(table["recipient"], [-0.2 + 0.2, 0.2, 1.0], atol=1e-12)
    assert table["type"] == ["gives", "gives and takes", "gives and takes"]
    assert table["gap"] == [None] * 3


def test_a_language_that_is_no_target_takes_nothing(make_view: MakeView) -> None:
    outcomes = outcomes_of(make_view, SCORES[:, :2], np.full(2, 0.1))
    row = donors(MatrixBootstrap(outcomes, resamples=50)).to_pylist()[2]
    assert (row["language"], row["given_to"]) == ("wol", 2)
    assert_allclose(row["donor"], 0.4 / 0.8 + 0.3 / 0.8 - 2)
    assert {row[name] for name in ("recipient", "recipient_low", "taken_from", "gap", "type", "sure")} == {None}


def test_pairs_that_were_not_measured_are_left_out_not_nought(make_view: MakeView) -> None:
    scores = SCORES.copy()
    scores[0, 2] = np.nan
    first = np.arange(100) < np.round(np.nan_to_num(scores) * 100)[..., None, None]
    correct = np.where(np.isnan(scores)[..., None, None], np.nan, first)
    outcomes = make_view(correct, np.full((3, 1, 100), 0.1), sources=CODES, targets=CODES, kind="zero_shot")
    table = donors(MatrixBootstrap(outcomes, resamples=50)).to_pydict()
    assert_allclose(table["donor"][0], 0.4 / 0.8 - 1)
    assert table["given_to"] == [1, 2, 2]
    assert table["taken_from"] == [2, 2, 1]


def test_scores_without_outcomes_have_no_intervals(make_view: MakeView) -> None:
    whole = outcomes_of(make_view, SCORES, np.full(3, 0.1))
    table = donors(MatrixBootstrap(replace(whole, read_outcomes=lambda target: None), resamples=50)).to_pydict()
    assert table["donor_low"] == [None] * 3
    assert table["sure"] == [None] * 3
    assert table["type"] == ["neither"] * 3


def test_an_interval_covers_items_and_seeds(make_view: MakeView) -> None:
    random = np.random.default_rng(0)
    alike = (random.random((3, 3, 1, 400)) < SCORES[..., None, None]).astype(float)
    baseline = np.zeros((3, 4, 400))
    same = make_view(np.tile(alike, (1, 1, 4, 1)), baseline, sources=CODES, targets=CODES, kind="zero_shot")
    moved = np.tile(alike, (1, 1, 4, 1))
    moved[:, :, 0, :80], moved[:, :, 1, :80] = 1, 0
    other = make_view(moved, baseline, sources=CODES, targets=CODES, kind="zero_shot")
    narrow, wide = (donors(MatrixBootstrap(one, resamples=400)).to_pydict() for one in (same, other))
    for low, high, wider_low, wider_high in zip(
        *(table[name] for table in (narrow, wide) for name in ("donor_low", "donor_high")), strict=True
    ):
        assert 0 < high - low < wider_high - wider_low


def test_ratios_by_row_and_by_column_by_hand(make_view: MakeView) -> None:
    outcomes = outcomes_of(make_view, SCORES, np.array([0.2, 0.2, 0.1]))
    rows = {(row["source"], row["target"]): row for row in ratios(MatrixBootstrap(outcomes, resamples=50)).to_pylist()}
    assert len(rows) == 6
    row = rows["deu", "wol"]
    assert_allclose([row["score"], row["to_source"], row["to_target"]], [0.2, 0.2 / 0.8, 0.2 / 0.4])
    assert_allclose(row["above_constant"], (0.2 - 0.1) / (0.4 - 0.1))
    assert row["to_source_low"] < row["to_source"] < row["to_source_high"]


def test_ratios_are_refused_where_no_source_was_trained_on_the_task(make_view: MakeView) -> None:
    outcomes = outcomes_of(make_view, SCORES, np.full(3, 0.1), kind="interference")
    with pytest.raises(MeasureError, match="no source was trained on the task"):
        ratios(MatrixBootstrap(outcomes, resamples=50))


@given(st.integers(0, 2**32 - 1), st.floats(0.5, 1))
@settings(max_examples=20, deadline=None)
def test_harder_targets_change_neither_donors_nor_recipients(make_view: MakeView, world: int, share: float) -> None:
    """A target on which every source loses the same share of its score is as much a recipient as before."""
    scores = np.random.default_rng(world).uniform(0.2, 1, (3, 3))
    harder = scores * np.array([1, 1, share])
    one, other = (
        donors(
            MatrixBootstrap(outcomes_of(make_view, given, np.zeros(3), items=5000, seeds=1), resamples=2)
        ).to_pydict()
        for given in (scores, harder)
    )
    for name in ("donor", "recipient"):
        assert_allclose(one[name], other[name], atol=0.02)
