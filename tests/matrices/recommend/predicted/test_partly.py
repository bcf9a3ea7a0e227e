from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from matrices.languages import kinship
from matrices.recommend.predicted import fit
from matrices.recommend.predicted.partly import FEW, width_for
from matrices.scores import ScoreTable

LANGUAGES = """
afr bul ces dan deu eng est fin fra hin ita nld pol por rus spa swe tur ukr urd
"""
CODES = tuple(LANGUAGES.split())


def test_between_counts_that_were_learned_a_width_lies_between_theirs() -> None:
    widths = np.array([3.0, 2.5, 2.0])

    assert [width_for(count, widths, 1.8) for count in (1, *FEW, 32, 100)] == [3.0, 3.0, 2.5, 2.0, 1.8, 1.8]
    assert 2.5 < width_for(3, widths, 1.8) < 3.0
    assert width_for(5, np.full(3, np.nan), 1.8) == 1.8


@pytest.mark.parametrize("few", FEW)
def test_intervals_hold_what_they_say_where_few_scores_of_a_target_are_measured(few: int) -> None:
    random = np.random.default_rng(1)
    kin = np.array([[kinship(source, target) for target in CODES] for source in CODES])
    # Targets differ in how far apart their sources are, which few scores tell little of.
    apart = np.exp(random.normal(0, 0.5, size=len(CODES)))
    scores = 50 + apart * (4 * random.normal(size=(len(CODES), 1)) + 3 * kin + 2 * random.normal(size=kin.shape))
    table = ScoreTable(CODES, CODES, scores).without_selves()
    held = []
    for column in range(0, len(CODES), 2):
        hidden = random.permutation(np.flatnonzero(np.isfinite(table.scores[:, column])))[few:]
        shown = table.scores.copy()
        shown[hidden, column] = np.nan
        found = fit(replace(table, scores=shown)).predict(CODES[column], [CODES[row] for row in hidden])
        low, high = found.intervals.T
        held.append((low <= table.scores[hidden, column]) & (table.scores[hidden, column] <= high))

    assert 0.82 <= np.concatenate(held).mean() <= 0.97
