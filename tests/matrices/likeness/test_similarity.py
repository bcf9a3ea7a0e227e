from __future__ import annotations

import numpy as np
import pytest

from matrices.likeness.similarity import kernel, similarities, space
from matrices.likeness.typology import VECTORS, available

CODES = ("afr", "deu", "fin", "hat", "hin", "nld", "rus", "tpi", "yor")
needs_uriel = pytest.mark.skipif(not available(), reason="needs lang2vec: pip install 'sprachbund[typology]'")


def of(name: str, one: str, other: str) -> float:
    return float(similarities((one,), (other,))[name][0, 0])


def test_kinship_is_of_genus_and_of_family() -> None:
    assert (of("genus", "deu", "nld"), of("family", "deu", "nld")) == (1, 1)
    assert (of("genus", "deu", "rus"), of("family", "deu", "rus")) == (0, 1)
    assert (of("genus", "deu", "yor"), of("family", "deu", "yor")) == (0, 0)


def test_creoles_are_kin_of_themselves_alone() -> None:
    assert (of("family", "hat", "tpi"), of("family", "hat", "hat")) == (0, 1)


def test_what_is_not_known_of_a_language_is_missing_and_not_zero() -> None:
    found = similarities(("deu", "qaa"), ("nld", "qab"))

    assert set(found) == {"genus", "family", "script", "families", "nearness", *VECTORS}
    for name, values in found.items():
        assert np.isnan(values[1]).all(), name
        assert np.isnan(values[:, 1]).all(), name


def test_likeness_goes_both_ways() -> None:
    for name, values in similarities(CODES, CODES).items():
        np.testing.assert_allclose(values, values.T, rtol=1e-9, err_msg=name)


def test_one_pair_is_as_alike_as_among_many() -> None:
    many = similarities(CODES, CODES)

    for name, values in similarities(("deu",), ("hin",)).items():
        np.testing.assert_allclose(values[0, 0], many[name][CODES.index("deu"), CODES.index("hin")], rtol=1e-9)


def test_kinship_by_groups_grows_with_the_depth_of_the_common_ancestor() -> None:
    assert of("families", "hsb", "dsb") > of("families", "hsb", "pol") > of("families", "hsb", "rus")
    assert of("families", "nso", "sot") > of("families", "nso", "zul") > of("families", "nso", "swa")


@needs_uriel
def test_groups_places_and_typology_come_from_the_databases() -> None:
    assert of("families", "deu", "deu") == pytest.approx(1)
    assert of("families", "deu", "nld") > of("families", "deu", "hin") > of("families", "deu", "yor") == 0
    assert of("nearness", "deu", "nld") > of("nearness", "deu", "fin") > of("nearness", "deu", "yor")
    for part in VECTORS:
        assert of(part, "deu", "deu") == pytest.approx(0)
        assert of(part, "deu", "nld") > of(part, "deu", "yor")


def test_the_kernel_is_one_of_itself_and_nothing_of_the_unknown() -> None:
    like = kernel((*CODES, "qaa"), (*CODES, "qaa"))

    np.testing.assert_array_equal(np.diag(like), 1)
    np.testing.assert_array_equal(like[-1, :-1], 0)
    assert like[CODES.index("deu"), CODES.index("nld")] > like[CODES.index("deu"), CODES.index("fin")]
    assert (like <= 1 + 1e-12).all()


def test_the_kernel_of_two_languages_does_not_hang_on_who_else_is_asked_about() -> None:
    together = kernel(("fur", "eng"), ("deu", "ita"))

    np.testing.assert_allclose(kernel(("fur",), ("deu", "ita"))[0], together[0], rtol=1e-9)
    np.testing.assert_allclose(kernel(("fur",), ("deu",))[0], together[0, :1], rtol=1e-9)


def test_a_space_of_full_rank_gives_the_kernel_back() -> None:
    places = space(CODES, len(CODES)).places
    like = kernel(CODES, CODES)
    values, vectors = np.linalg.eigh(like)

    # What the kernel has below zero no real coordinates have.
    np.testing.assert_allclose(places @ places.T, vectors * np.maximum(values, 0) @ vectors.T, atol=1e-9)


def test_a_language_outside_is_placed_beside_those_it_is_like() -> None:
    made = space(CODES, 5)
    danish, generated = made.of(["dan", "qaa"])

    nearest = made.places @ danish
    assert CODES[int(nearest.argmax())] in ("afr", "deu", "nld")
    np.testing.assert_array_equal(generated, 0)
    np.testing.assert_array_equal(made.of(["deu"])[0], made.places[CODES.index("deu")])
