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


def test_a_language_outside_the_table_has_its_likely_script() -> None:
    assert traits("bod").script == "Tibt"


@needs_uriel
@pytest.mark.parametrize(("code", "latitude", "longitude"), [("yor", 8, 4), ("jpn", 36, 138), ("fin", 62, 26)])
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
