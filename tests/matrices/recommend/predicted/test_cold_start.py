"""A language that no database knows has a model of its own, from scores alone or from texts."""

from __future__ import annotations

import numpy as np
import pytest

from matrices.languages import kinship
from matrices.recommend import predictions
from matrices.recommend.popularity import mean_z_scores
from matrices.recommend.predicted.cold_start import names_in, shown_for
from matrices.scores import ScoreTable

LANGUAGES = """
afr bul ces dan deu eng fra hin ita nld pol por rus spa swe tur ukr urd
"""
CODES = tuple(LANGUAGES.split())


@pytest.fixture
def table() -> ScoreTable:
    """Relatives transfer best, and some languages better than others."""
    random = np.random.default_rng(1)
    kin = np.array([[kinship(source, target) for target in CODES] for source in CODES])
    quality = random.normal(size=(len(CODES), 1))
    return ScoreTable(CODES, CODES, 0.5 + 0.05 * quality + 0.05 * kin + 0.01 * random.normal(size=kin.shape))


def test_a_language_that_databases_know_is_held_against_the_others(table: ScoreTable) -> None:
    shown = shown_for(table, "glg")

    assert names_in(shown, ["glg"]) == ("glg",)
    assert predictions(shown)("glg", ()).expected[0].source in {"spa", "por", "ita", "fra"}


def test_one_that_none_knows_gets_the_average_ranking(table: ScoreTable) -> None:
    found = predictions(shown_for(table, "qaa"))("qaa", ())

    average = dict(zip(CODES, mean_z_scores(table, "qaa").tolist(), strict=True))
    places = [average[one.source] for one in found.expected]
    assert np.corrcoef(places, -np.arange(len(places)))[0, 1] > 0.95
    assert max(average, key=average.__getitem__) == found.expected[0].source
    assert {evidence.target for one in found.expected for evidence in one.rests_on} <= set(CODES)
