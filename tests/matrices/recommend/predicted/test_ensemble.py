from __future__ import annotations

import numpy as np
import pytest

from matrices.languages import kinship
from matrices.recommend.predicted.design_matrix import design
from matrices.recommend.predicted.ensemble import Learned, learn
from matrices.recommend.predicted.stacking import LeaveOneOut
from matrices.recommend.predicted.target_scale import columns, stretch
from matrices.scores import ScoreTable

SOURCES = ("ces", "dan", "deu", "fra", "ita", "nld", "pol", "rus", "spa", "swe")
TARGETS = ("afr", "bul", "cat", "eng", "glg", "hrv", "isl", "nob", "por", "ron", "slk", "ukr")


@pytest.fixture(scope="module")
def learned() -> tuple[Learned, LeaveOneOut]:
    random = np.random.default_rng(3)
    kin = np.array([[kinship(source, target) for target in TARGETS] for source in SOURCES])
    scaled = columns(3.0 * kin + random.normal(size=(len(SOURCES), 1)) + random.normal(size=kin.shape))
    stretched = stretch(scaled.standard).of(scaled.standard)
    table = ScoreTable(SOURCES, TARGETS, stretched)
    return learn(design(table, stretched), scaled.standard, stretched, np.arange(len(TARGETS)))


def test_what_is_expected_is_halfway_between_the_two(learned: tuple[Learned, LeaveOneOut]) -> None:
    both, _ = learned
    found, _ = both.expected(SOURCES, "fao", SOURCES)

    rows, grown = both.design.rows(SOURCES, "fao"), both.forest.mean(SOURCES, "fao")
    line = both.mixture.mean(rows - rows.mean(axis=0))
    np.testing.assert_allclose(found, (line + grown - grown.mean()) / 2, atol=1e-12)


def test_what_is_expected_of_a_source_does_not_depend_on_who_else_is_asked_about(
    learned: tuple[Learned, LeaveOneOut],
) -> None:
    both, _ = learned
    of_all, spread = both.expected(SOURCES, "fao", SOURCES)
    of_one, alone = both.expected(SOURCES[4:5], "fao", SOURCES)

    assert of_one == pytest.approx(of_all[4:5])
    assert alone == pytest.approx(spread[4:5, 4:5])


def test_sources_differ_by_what_the_targets_add(learned: tuple[Learned, LeaveOneOut]) -> None:
    both, _ = learned
    found, _ = both.expected(SOURCES, "fao", SOURCES)
    added = both.parts(SOURCES, "fao", SOURCES).sum(axis=1)

    np.testing.assert_allclose(np.diff(added), np.diff(found), atol=1e-9)


def test_errors_of_targets_left_out_are_as_large_as_stated(learned: tuple[Learned, LeaveOneOut]) -> None:
    both, left_out = learned
    stated = both.noise + np.concatenate([np.diag(one) for one in left_out.covariances]).mean()

    assert ((both.cells.scores - left_out.mean) ** 2).mean() <= stated * (1 + 1e-9)
    np.testing.assert_array_equal(left_out.mean, both.left_out)
