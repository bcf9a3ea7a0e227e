"""What a target's scores are about, and how far apart: predicted also from whether the encoder saw the language."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from matrices.recommend.predicted import fit
from matrices.recommend.predicted.cold_start import shown_for
from matrices.scores import ScoreTable

LANGUAGES = """
afr ara bul cat ces dan deu ell eng est fin fra gle heb hin hun hye ind ita jpn kat kor lit mlt nld pol por rus spa swa
swe tam tel tha tur ukr urd vie yor zho
"""
CODES = tuple(LANGUAGES.split())


def table_of(gain: float) -> ScoreTable:
    """Scores of languages of which every other one was seen: those are higher by ``gain``; else source and noise."""
    random = np.random.default_rng(2)
    seen = np.arange(len(CODES)) % 2 == 0
    quality, noise = random.normal(size=(len(CODES), 1)), random.normal(size=(len(CODES), len(CODES)))
    scores = 50 + gain * seen + 3 * quality + noise + random.normal(size=len(CODES))
    return ScoreTable(CODES, CODES, scores, pretrained=frozenset(np.array(CODES)[seen].tolist()))


def test_a_target_that_the_encoder_saw_is_expected_to_score_as_those_do() -> None:
    table = table_of(20)
    seen, unseen = (
        fit(replace(table, pretrained=(table.pretrained or frozenset()) | more)).predict("isl")
        for more in (frozenset({"isl"}), frozenset[str]())
    )

    assert seen.mean.mean() == pytest.approx(70, abs=3)
    assert unseen.mean.mean() == pytest.approx(50, abs=3)


def test_who_knows_it_is_surer_and_ranks_the_same() -> None:
    table = table_of(20)
    told, untold = fit(table).predict("isl"), fit(replace(table, pretrained=None)).predict("isl")

    assert np.diff(told.intervals).mean() < 0.5 * np.diff(untold.intervals).mean()
    assert (np.argsort(told.mean) == np.argsort(untold.mean)).all()
    assert told.shortlist == untold.shortlist


def test_of_a_private_code_it_is_not_known_and_makes_no_difference() -> None:
    table = table_of(20)

    assert shown_for(table, "qaa").pretrained is None
    assert shown_for(table, "isl").pretrained == table.pretrained


def test_where_it_makes_no_difference_it_says_next_to_nothing() -> None:
    table = table_of(0)
    told, untold = fit(table).predict("isl"), fit(replace(table, pretrained=None)).predict("isl")

    assert told.mean == pytest.approx(untold.mean, abs=0.5)


@pytest.mark.parametrize("pretrained", [frozenset[str](), frozenset(CODES)])
def test_of_targets_that_are_all_alike_in_it_nothing_is_learned(pretrained: frozenset[str]) -> None:
    table = replace(table_of(20), pretrained=pretrained)
    told, untold = fit(table).predict("isl"), fit(replace(table, pretrained=None)).predict("isl")

    assert told.mean == pytest.approx(untold.mean, abs=0.5)
