from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from matrices.languages import kinship
from matrices.recommend.predicted.racing import next_round
from matrices.scores import ScoreTable

LANGUAGES = """
afr bul ces dan deu eng est fin fra hin ita nld pol por rus spa swe tur ukr urd
"""
CODES = tuple(LANGUAGES.split())


@pytest.fixture
def full() -> ScoreTable:
    """Scores made of a source's quality and kinship, and little noise."""
    random = np.random.default_rng(1)
    kin = np.array([[kinship(source, target) for target in CODES] for source in CODES])
    scores = 50 + 4 * random.normal(size=(20, 1)) + 5 * kin + random.normal(size=kin.shape)
    return ScoreTable(CODES, CODES, scores).without_selves()


def shown(full: ScoreTable, cells: list[tuple[str, str]]) -> ScoreTable:
    scores = np.full(full.scores.shape, np.nan)
    for source, target in cells:
        at = CODES.index(source), CODES.index(target)
        scores[at] = full.scores[at]
    return replace(full, scores=scores)


def test_rounds_end_with_choices_that_cost_little_after_few_cells(full: ScoreTable) -> None:
    among, cells = np.isfinite(full.scores), list[tuple[str, str]]()
    while (step := next_round(shown(full, cells), among, 0.04)).cells:
        assert not set(step.cells) & set(cells)
        cells += step.cells

    lost = [
        1 - full.scores[CODES.index(source), CODES.index(target)] / np.nanmax(full.scores[:, CODES.index(target)])
        for target, source in step.choices.items()
    ]
    assert step.regret is not None
    assert step.regret <= 0.04
    assert np.mean(lost) <= 0.04
    assert len(cells) < 0.5 * among.sum()
    assert set(step.choices) == set(CODES)


def test_no_more_cells_are_chosen_than_may_be_measured(full: ScoreTable) -> None:
    assert len(next_round(shown(full, []), np.isfinite(full.scores), 0.01, most=3).cells) == 3
    assert next_round(shown(full, []), np.isfinite(full.scores), 0.01, most=0).cells == ()


def test_what_choices_cost_is_said_of_the_targets_asked_for_alone(full: ScoreTable) -> None:
    among = np.isfinite(full.scores)
    among[:, CODES.index("swe") :] = False

    step = next_round(full, among, 0.5)

    assert step.cells == ()
    assert set(step.choices) == set(CODES[: CODES.index("swe")])
