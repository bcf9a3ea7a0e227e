"""A table in which relatives transfer best, for rankings to find out."""

from __future__ import annotations

import numpy as np
import pytest

from matrices.languages import kinship
from matrices.scores import ScoreTable

LANGUAGES = ("ces", "dan", "deu", "eng", "fra", "ita", "nld", "pol", "rus", "spa", "swe", "ukr")


@pytest.fixture(scope="session")
def related() -> ScoreTable:
    """12 sources by 14 targets of three genera and two others; German is good everywhere; a few cells are missing."""
    targets = (*LANGUAGES, "fin", "yor")
    random = np.random.default_rng(0)
    close = np.array([[kinship(source, target) for target in targets] for source in LANGUAGES])
    scores = 0.3 + 0.1 * close + random.uniform(0, 0.1, close.shape)
    scores[LANGUAGES.index("deu")] += 0.12
    scores[random.uniform(size=close.shape) < 0.05] = np.nan
    far = 1 - close / 2 + random.uniform(0, 0.1, close.shape)
    return ScoreTable(LANGUAGES, targets, scores, pair_features={"GENETIC": far, "Word overlap": 1 - far})
