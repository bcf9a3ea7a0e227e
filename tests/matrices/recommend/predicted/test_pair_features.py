"""A distance that likeness tells anyway counts once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from matrices.likeness.typology import available
from matrices.recommend.predicted import fit
from matrices.recommend.predicted.pair_features import pairs
from matrices.scores import ScoreTable

SOURCES = ("ces", "deu", "fra", "hin", "nld", "rus", "spa", "swe")
TARGETS = ("afr", "bul", "cat", "dan", "deu", "ita", "pol", "urd")
RANDOM = np.random.default_rng(0)
SCORES, OVERLAP = RANDOM.normal(size=(8, 8)), RANDOM.random((8, 8))
URIEL = ("GENETIC", "SYNTACTIC", "FEATURAL", "PHONOLOGICAL", "INVENTORY", "GEOGRAPHIC")
DISTANCES = {name: RANDOM.random((8, 8)) for name in URIEL}
TABLE = ScoreTable(SOURCES, TARGETS, SCORES, pair_features={"Word overlap": OVERLAP, **DISTANCES})

needs_uriel = pytest.mark.skipif(not available(), reason="needs lang2vec: pip install 'sprachbund[typology]'")


def names(table: ScoreTable) -> set[str]:
    return {feature.name for feature in pairs(table).features}


@needs_uriel
def test_distances_of_uriel_are_left_out_where_likeness_says_the_same() -> None:
    assert not set(URIEL) & names(TABLE)
    assert {"Word overlap", "families", "nearness", "syntax", "phonology", "inventory"} <= names(TABLE)


@needs_uriel
def test_a_table_that_states_them_is_predicted_as_one_that_does_not() -> None:
    without = replace(TABLE, pair_features={"Word overlap": OVERLAP})

    one, two = fit(TABLE).predict("nob"), fit(without).predict("nob")

    np.testing.assert_array_equal(one.mean, two.mean)
    np.testing.assert_array_equal(one.intervals, two.intervals)


def test_they_count_where_the_table_alone_knows_of_a_language() -> None:
    assert set(URIEL) <= names(replace(TABLE, sources=(*SOURCES[:-1], "qaa")))


def test_only_pairs_that_the_table_states_matter() -> None:
    stated = {"GENETIC": DISTANCES["GENETIC"].copy()}
    stated["GENETIC"][-1] = np.nan

    found = names(replace(TABLE, sources=(*SOURCES[:-1], "qaa"), pair_features=stated))

    assert "GENETIC" not in found


def test_what_a_table_states_of_a_language_and_itself_says_nothing_of_pairs() -> None:
    other = OVERLAP.copy()
    other[SOURCES.index("deu"), TARGETS.index("deu")] = 1.0

    one, two = (
        fit(replace(TABLE, pair_features={"Word overlap": values})).predict("deu", ["ces", "fra"]).mean
        for values in (OVERLAP, other)
    )

    np.testing.assert_array_equal(one, two)
