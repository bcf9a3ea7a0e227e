"""What is read of the files of lang2vec, held against what anyone can look up."""

from __future__ import annotations

import numpy as np
import pytest

from matrices.likeness.typology import VECTORS, available, traits

needs_uriel = pytest.mark.skipif(not available(), reason="needs lang2vec: pip install 'sprachbund[typology]'")


def test_of_a_generated_language_nothing_is_known() -> None:
    nothing = traits("qaa")

    assert (nothing.families, nothing.script, nothing.position, dict(nothing.vectors)) == (frozenset(), None, None, {})


def test_family_genus_and_script_need_no_database() -> None:
    assert {"family Indo-European", "Indo-European Indic"} <= traits("hin").families
    assert traits("hin").script == "Deva"


def test_the_groups_of_a_language_are_those_of_glottolog_down_to_its_nearest_kin() -> None:
    upper, lower, polish = (traits(code).families for code in ("hsb", "dsb", "pol"))

    assert upper == lower
    assert "sorb1249" in upper - polish
    assert len(upper & polish) > 4


def test_an_isolate_is_known_to_have_no_kin_and_an_unclassified_language_is_not() -> None:
    assert traits("eus").families == {"family Basque", "Basque Basque"}
    assert traits("ecy").families == frozenset()


def test_where_no_script_is_known_none_is_said() -> None:
    assert (traits("bod").script, traits("swl").script) == ("Tibt", None)


@pytest.mark.parametrize(
    ("code", "latitude", "longitude"),
    [("yor", 8, 4), ("jpn", 36, 138), ("fin", 62, 26), ("sot", -29, 28), ("zho", 40, 116), ("got", 47, 30)],
)
def test_a_position_is_where_the_language_is_spoken(code: str, latitude: float, longitude: float) -> None:
    position = traits(code).position
    assert position is not None
    x, y, z = position

    assert np.degrees(np.arcsin(z)) == pytest.approx(latitude, abs=4)
    assert np.degrees(np.arctan2(y, x)) == pytest.approx(longitude, abs=4)


@needs_uriel
def test_vectors_are_whole_and_of_one_length_for_all() -> None:
    yoruba, finnish = traits("yor").vectors, traits("fin").vectors

    assert yoruba.keys() == finnish.keys() == VECTORS.keys()
    for part in VECTORS:
        assert yoruba[part].shape == finnish[part].shape
        assert np.isfinite(yoruba[part]).all()
        assert ((yoruba[part] >= 0) & (yoruba[part] <= 1)).all()
    assert not np.array_equal(yoruba["syntax"], finnish["syntax"])
