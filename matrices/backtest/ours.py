"""What ``recommend`` would answer, in the form a backtest judges."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from matrices.backtest.protocol import Forecast
from matrices.recommend.outlook import NothingToPredictError
from matrices.recommend.predicted import Model, model_for
from matrices.recommend.predicted.masking import codes_of, names_in, shown_for
from matrices.scores import ScoreTable


def sprachbund(table: ScoreTable, target: str) -> Forecast:
    """A model fitted to the table in which the target is hidden, asked about the target."""
    table = shown_for(table, target)
    try:
        found = forecast(table, model_for(table), *names_in(table, [target]))
        return replace(found, shortlist=frozenset(codes_of(found.shortlist)))
    except NothingToPredictError:
        nothing = np.full(len(table.sources), np.nan)
        return Forecast(nothing, np.stack([nothing, nothing], axis=-1), frozenset(codes_of(table.sources)))


def forecast(table: ScoreTable, model: Model, target: str) -> Forecast:
    """What a model says of a target, in the order of the table's sources."""
    scores, intervals = np.full(len(table.sources), np.nan), np.full((len(table.sources), 2), np.nan)
    found = model.predict(target)
    at = [table.sources.index(source) for source in found.sources]
    scores[at], intervals[at] = found.mean, found.intervals
    return Forecast(scores, intervals, frozenset(found.shortlist))
