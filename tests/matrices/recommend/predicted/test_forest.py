from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from matrices.recommend.predicted.design_matrix import design
from matrices.recommend.predicted.ensemble import Learned, learn
from matrices.recommend.predicted.forest import SourceAverages, grow
from matrices.recommend.predicted.target_scale import columns, stretch
from matrices.scores import ScoreTable

SOURCES = ("ces", "dan", "deu", "fin", "fra", "hin", "ita", "nld", "pol", "por", "rus", "spa", "swe", "tur")
TARGETS = ("afr", "bul", "cat", "eng", "est", "glg", "hrv", "isl", "nob", "ron", "slk", "ukr", "urd", "vie")


@pytest.fixture
def table() -> ScoreTable:
    """What no line can say: an overlap of 0.3 to 0.7 helps much, any other does not."""
    random = np.random.default_rng(0)
    overlap = random.random((len(SOURCES), len(TARGETS)))
    scores = 10.0 * (np.abs(overlap - 0.5) < 0.2) + random.normal(size=overlap.shape)
    return ScoreTable(SOURCES, TARGETS, scores, pair_features={"overlap": overlap})


def learned(table: ScoreTable) -> Learned:
    scaled = columns(table.scores)
    stretched = stretch(scaled.standard).of(scaled.standard)
    several = np.flatnonzero(np.isfinite(table.scores).sum(axis=0) > 1)
    return learn(design(table, stretched), scaled.standard, stretched, several)[0]


def test_what_is_no_line_is_predicted(table: ScoreTable) -> None:
    both = learned(table)
    scores = both.cells.scores

    assert ((scores - both.forest.left_out) ** 2).mean() < 0.7 * scores.var()


def test_left_out_cells_do_not_depend_on_the_scores_of_their_target(table: ScoreTable) -> None:
    both, standard = learned(table), columns(table.scores).standard
    begin, end = both.cells.spans[3]
    other, changed = standard.copy(), both.cells.scores.copy()
    other[:, 3] = changed[begin:end] = np.linspace(-2, 2, end - begin)

    found, _ = grow(both.design, other, replace(both.cells, scores=changed), np.arange(len(TARGETS)))

    np.testing.assert_array_equal(found.left_out[begin:end], both.forest.left_out[begin:end])
    assert (found.left_out != both.forest.left_out).any()


def test_what_is_expected_is_what_the_targets_add_together(table: ScoreTable) -> None:
    both = learned(table)

    parts = both.forest.parts(SOURCES, "sco", SOURCES[:5], both.cells)

    assert parts.shape == (5, len(TARGETS))
    np.testing.assert_allclose(parts.sum(axis=1), both.forest.mean(SOURCES[:5], "sco"), atol=1e-9)


def test_two_forests_are_the_same(table: ScoreTable) -> None:
    one, two = learned(table).forest, learned(table).forest

    np.testing.assert_array_equal(one.mean(SOURCES, "sco"), two.mean(SOURCES, "sco"))
    np.testing.assert_array_equal(one.left_out, two.left_out)


def test_of_a_single_target_nothing_is_predicted_from_others() -> None:
    single = ScoreTable(("deu", "eng", "fra"), ("nld",), np.array([[3.0], [2.0], [1.0]]))

    found = learned(single).forest
    assert found.left_out.tolist() == [0, 0, 0]
    assert np.isfinite(found.mean(("deu", "ita"), "afr")).all()


def test_of_no_source_there_are_no_parts(table: ScoreTable) -> None:
    both = learned(table)

    assert both.forest.parts(SOURCES, "sco", (), both.cells).shape == (0, len(TARGETS))


NAN = float("nan")
AVERAGES = SourceAverages(
    ("deu", "fra", "jpn"),
    ("nld", "ita", "spa"),
    np.array([[2.0, -1.0, NAN], [-1.0, 1.0, 2.0], [NAN, NAN, NAN]]),
)


def test_a_source_stands_by_its_means_over_all_relatives_and_the_nearest() -> None:
    everywhere, family, genus = AVERAGES.of(["deu"], ["por"])[0, 0]

    assert everywhere == pytest.approx((2.0 - 1.0) / 2.5)
    assert family == pytest.approx((2.0 - 1.0) / 2.5)
    assert genus == pytest.approx(-1.0 / 1.5)


def test_what_a_source_does_on_a_target_does_not_count_there() -> None:
    found = AVERAGES.of(["fra"], ["spa", "por"])[0, :, 2]

    assert found == pytest.approx([1.0 / 1.5, (1.0 + 2.0) / 2.5])


def test_a_source_that_was_not_measured_stands_as_those_like_it() -> None:
    likes = AVERAGES.of(["afr", "ron", "jpn"], ["nld"])[:, 0, 0]
    deu, fra = AVERAGES.of(["deu", "fra"], ["nld"])[:, 0, 0]

    assert deu < likes[0] < (deu + fra) / 2
    assert (deu + fra) / 2 < likes[1] < fra
    assert deu < likes[2] < fra
