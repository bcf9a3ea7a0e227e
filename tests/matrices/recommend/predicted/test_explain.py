from __future__ import annotations

import numpy as np
import pytest

from matrices.likeness.typology import available
from matrices.recommend.predicted.explain import FEATURE_KINDS, knowledge, together
from matrices.recommend.predicted.pair_features import pairs
from matrices.scores import ScoreTable

OVERLAP = np.array([[0.1, np.nan], [0.2, 0.3], [0.4, 0.5]])
TABLE = ScoreTable(("deu", "eng", "qaa"), ("nld", "qab"), np.ones((3, 2)), pair_features={"word_overlap": OVERLAP})


def test_nothing_is_known_of_a_language_in_no_database_but_what_the_table_states() -> None:
    unstated, stated = knowledge(pairs(TABLE), ["deu", "eng"], "qab", pretrained=False)

    assert unstated.known == ()
    assert unstated.missing == FEATURE_KINDS
    assert stated.known == ("corpora",)
    assert set(stated.missing) == set(FEATURE_KINDS) - {"corpora"}


def test_a_pair_lacks_what_either_language_lacks() -> None:
    german, generated = knowledge(pairs(TABLE), ["deu", "qaa"], "nld", pretrained=False)

    assert {"genealogy", "script", "corpora"} <= set(german.known)
    assert generated.known == ("corpora",)


def test_the_languages_need_not_be_of_the_table() -> None:
    (pair,) = knowledge(pairs(TABLE), ["swe"], "dan", pretrained=False)

    assert {"genealogy", "script"} <= set(pair.known)
    assert "corpora" in pair.missing


@pytest.mark.skipif(not available(), reason="needs lang2vec: pip install 'sprachbund[typology]'")
def test_typology_is_known_where_the_database_describes_both_languages() -> None:
    described, generated = knowledge(pairs(TABLE), ["yor", "qaa"], "deu", pretrained=False)

    assert {"geography", "syntax", "phonology", "inventory"} <= set(described.known)
    assert not {"geography", "syntax", "phonology", "inventory"} & set(generated.known)


def test_known_of_any_pair_and_missing_of_all() -> None:
    found = together(knowledge(pairs(TABLE), ["deu", "qaa"], "nld", pretrained=False))

    assert {"genealogy", "corpora"} <= set(found.known)
    assert sorted(found.known + found.missing) == sorted(FEATURE_KINDS)


def test_what_the_encoder_was_pretrained_on_is_known_or_not_of_every_pair() -> None:
    told = knowledge(pairs(TABLE), ["deu", "qaa"], "qab", pretrained=True)

    assert all("pretraining" in one.known for one in told)
