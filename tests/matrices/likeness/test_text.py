from __future__ import annotations

import numpy as np

from matrices.likeness.text import read, with_text
from matrices.recommend.predicted.model import fit
from matrices.scores import ScoreTable


def test_overlap_is_what_two_vocabularies_share_over_the_sum_of_their_sizes() -> None:
    texts = {"qaa": read(["ba na na"]), "qab": read(["ba no no"])}
    table = with_text(ScoreTable(("qaa", "qac"), ("qab",), np.array([[1.0], [2.0]])), texts)

    words = table.pair_features["text word overlap"]
    assert words[0, 0] == 1 / 4
    assert np.isnan(words[1, 0])
    assert table.pair_features["text source size"][0, 0] == 3


def test_texts_tell_languages_apart_that_no_database_knows() -> None:
    """Scores follow the alphabet: six languages write with one, six with another."""
    codes = tuple(f"qa{letter}" for letter in "abcdefghijkl")
    random = np.random.default_rng(0)
    alphabets = ["aeimn", "oukst"]
    texts = {
        code: read(["".join(random.choice(list(alphabets[at % 2]), 4)) for _ in range(300)])
        for at, code in enumerate(codes)
    }
    alike = np.array([[one % 2 == other % 2 for other in range(12)] for one in range(12)])
    table = ScoreTable(codes, codes, 50 + 10 * alike + random.normal(size=(12, 12)))

    found = fit(with_text(table, texts).hide("qaa")).predict("qaa")

    best = sorted(found.sources, key=lambda code: -found.mean[found.sources.index(code)])[:5]
    assert set(best) == set(codes[2::2])
