"""Likeness of states, held against states of which it is known who is like whom."""

from __future__ import annotations

import numpy as np
import pytest

from matrices.likeness.encoder_states import likeness_of_states

SENTENCES, HIDDEN = 30, 16


@pytest.fixture
def states() -> dict[str, np.ndarray]:
    """Two pairs of languages, each about a place of its own; every sentence has a meaning that all languages share."""
    random = np.random.default_rng(0)
    meanings = random.normal(size=(SENTENCES, HIDDEN))
    places = {"germanic": 3 * random.normal(size=HIDDEN), "bantu": 3 * random.normal(size=HIDDEN)}
    own = {code: 0.3 * random.normal(size=HIDDEN) for code in ("deu", "nld", "zul", "xho")}
    families = {"deu": "germanic", "nld": "germanic", "zul": "bantu", "xho": "bantu"}
    return {
        code: meanings + places[families[code]] + own[code] + 0.2 * random.normal(size=(SENTENCES, HIDDEN))
        for code in families
    }


def between(states: dict[str, np.ndarray], name: str, one: str, other: str) -> float:
    found = likeness_of_states(states, dict.fromkeys(states, SENTENCES))
    return float(found.cosines[name][found.codes.index(one), found.codes.index(other)])


@pytest.mark.parametrize("name", ["state cosine", "state neighbours"])
def test_languages_about_one_place_are_alike(states: dict[str, np.ndarray], name: str) -> None:
    assert between(states, name, "deu", "nld") > between(states, name, "zul", "nld")
    assert between(states, name, "xho", "zul") > between(states, name, "deu", "zul")


def test_shares_of_neighbours_are_of_all_other_languages(states: dict[str, np.ndarray]) -> None:
    shares = likeness_of_states(states).cosines["state neighbours"]

    assert np.isnan(np.diag(shares)).all()
    np.testing.assert_allclose(np.nansum(shares, axis=0), 1)


def test_translations_are_aligned_wherever_their_language_lies(states: dict[str, np.ndarray]) -> None:
    shuffled = {**states, "zul": np.random.default_rng(1).permutation(states["zul"])}

    assert between(states, "state alignment", "deu", "zul") > 0.8
    assert between(shuffled, "state alignment", "deu", "zul") < between(states, "state alignment", "deu", "zul") - 0.2


def test_alignment_is_one_of_itself_and_knows_no_scale_nor_turn(states: dict[str, np.ndarray]) -> None:
    turn, _ = np.linalg.qr(np.random.default_rng(2).normal(size=(HIDDEN, HIDDEN)))
    turned = {**states, "zul": 5 * states["deu"] @ turn}

    assert between(turned, "state alignment", "deu", "deu") == pytest.approx(1)
    assert between(turned, "state alignment", "deu", "zul") == pytest.approx(1)


def test_alignment_of_a_handful_of_translations_is_not_known(states: dict[str, np.ndarray]) -> None:
    found = likeness_of_states(states, {"deu": 30, "nld": 30, "zul": 5})

    alignment = found.cosines["state alignment"]
    assert np.isfinite(alignment[0, 1])
    assert np.isnan(alignment[0, 2])
    assert np.isnan(alignment[3]).all()
