from __future__ import annotations

import pytest

from matrices.languages import resolve
from matrices.languoids import names, place_of
from matrices.typeahead import suggest


def codes(typed: str, **more: tuple[str, ...]) -> list[str]:
    return [one.code for one in suggest(typed, **more)]


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("yor", "yor"),
        ("yo", "yor"),
        ("Wolo", "wol"),
        ("farsi", "fas"),
        ("中文", "zho"),
        ("gĩkũ", "kik"),
        ("GIKU", "kik"),
        ("yo-NG", "yor"),
    ],
)
def test_the_beginning_of_a_code_or_any_name_is_enough(typed: str, code: str) -> None:
    assert codes(typed)[0] == code


def test_another_name_that_was_typed_is_shown_and_a_glottocode_is_none() -> None:
    [first, *_] = suggest("Deutsc")

    assert (first.code, first.name, first.matched) == ("deu", "German", "Deutsch")
    assert all(one.matched is None or not one.matched[-4:].isdigit() for one in suggest("yor", 100))


def test_what_was_measured_comes_before_what_more_people_speak() -> None:
    assert codes("norweg")[0] == "nor"
    assert codes("norweg", first=("nno",))[0] == "nno"
    assert codes("", first=("wol", "yor")) == ["yor", "wol"]


def test_every_suggestion_is_the_language_that_a_question_by_its_code_is_about() -> None:
    offered = {code for letter in "abcdefghijklmnopqrstuvwxyz" for code in codes(letter)}

    assert {code: resolve(code).code for code in offered} == {code: code for code in offered}
    assert offered <= {*names()}


def test_a_place_is_that_of_the_table_of_languages() -> None:
    assert place_of("yor") == (7.2, 3.7)
    assert place_of("qaa") is None
