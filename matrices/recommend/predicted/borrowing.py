"""Whether what other matrices measured is of use: learned from targets left out, and left alone where it is not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from matrices.recommend.predicted.model import Model, fit
from matrices.scores import Floats, ScoreTable

_CHANCE = 2.0


def fit_borrowing(table: ScoreTable) -> Model:
    """As ``fit``; with features from the table's related matrices where those have proved themselves, else without.

    They have where the model with them foretells targets left out better, in mean squared error, by more than two
    standard errors over targets: with more features a model of few targets seems better half the time. Without related
    matrices it is ``fit``, to the last digit. Raises ``NothingToPredictError``.
    """
    alone = fit(replace(table, related={}))
    if not table.related:
        return alone
    borrowing = fit(table)
    gains = _errors(alone) - _errors(borrowing)
    chance = _CHANCE * gains.std(ddof=1) / np.sqrt(len(gains)) if len(gains) > 1 else np.inf
    return borrowing if gains.mean() > chance else alone


def _errors(model: Model) -> Floats:
    """The mean squared error of every target left out, standardised [T]."""
    squares = (model.learned.cells.scores - model.learned.left_out) ** 2
    return np.array([squares[begin:end].mean() for begin, end in model.learned.cells.spans])
