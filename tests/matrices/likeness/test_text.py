from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from matrices.likeness.text import overlaps
from matrices.recommend.predicted.model import Predicted, fit
from matrices.scores import ScoreTable


def test_overlap_is_the_cosine_of_what_two_vocabularies_have_rare_entries_first() -> None:
    found = overlaps({"qaa": ["Ba na", "na"], "qab": ["ba no no"], "qac": [" "], "qad": ["xu"]})

    assert found.codes == ("qaa", "qab", "qad")
    # Two of three languages have "ba", one each "na" and "no".
    common, rare = np.log(3 / 2) ** 2, np.log(3) ** 2
    alike = common / (common + rare)
    assert found.cosines["text word overlap"][0] == pytest.approx([1, alike, 0])
    # ^ba and ba$ of four pieces each: ^na and na$, ^no and no$ besides.
    pieces = found.cosines["text piece overlap"]
    assert pieces[0, 1] == pieces[1, 0] == pytest.approx(alike)


def test_what_all_languages_have_says_nothing() -> None:
    lines = {"qaa": ["ba na"], "qab": ["ba no"], "qac": ["mi mu"]}
    without = overlaps(lines).cosines["text word overlap"]
    with_it = overlaps({code: [*found, "2026 internet"] for code, found in lines.items()}).cosines["text word overlap"]

    assert with_it == pytest.approx(without)
    assert without[0, 1] > without[0, 2] == 0


def test_languages_with_the_same_words_are_not_told_apart() -> None:
    same = overlaps({"qaa": ["ba na"], "qab": ["na ba"]}).cosines["text word overlap"]

    assert same.tolist() == [[0, 0], [0, 0]]


def test_texts_tell_languages_apart_that_no_database_knows() -> None:
    """Scores follow the alphabet: six languages write with one, six with another. Nothing else is told of qaa."""
    codes = tuple(f"qa{letter}" for letter in "abcdefghijkl")
    random = np.random.default_rng(0)
    alphabets = ["aeimn", "oukst"]
    texts = {
        code: ["".join(random.choice(list(alphabets[at % 2]), 4)) for _ in range(300)] for at, code in enumerate(codes)
    }
    alike = np.array([[one % 2 == other % 2 for other in range(12)] for one in range(12)])
    scores = 50 + 10 * alike + random.normal(size=(12, 12))
    measured = ScoreTable(codes[1:], codes[1:], scores[1:, 1:])

    told, untold = (fit(table).predict("qaa") for table in (replace(measured, overlaps=overlaps(texts)), measured))

    assert set(_best(told, 5)) == set(codes[2::2])
    assert set(_best(untold, 5)) != set(codes[2::2])


def _best(found: Predicted, count: int) -> list[str]:
    return [found.sources[at] for at in np.argsort(-found.mean)[:count]]
