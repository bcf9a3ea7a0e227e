from __future__ import annotations

from matrices.recommend.candidates import MOST, unlisted


def test_relatives_of_the_genus_come_first_those_with_labels_before_others() -> None:
    found = unlisted("hsb", ["rus"], ["slk", "deu", "swa"])

    assert found[0] == "slk"
    assert "rus" not in found
    assert "hsb" not in found
    assert {"pol", "ces", "ukr"} <= set(found)
    assert "swa" not in found
    assert len(found) == MOST


def test_of_an_isolate_a_creole_or_a_language_that_nobody_knows_there_are_none() -> None:
    assert unlisted("eus", []) == unlisted("hat", []) == unlisted("qaa", ["deu"]) == ()
