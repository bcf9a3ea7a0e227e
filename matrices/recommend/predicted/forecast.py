"""Our ranking as a method that can be backtested beside others."""

from __future__ import annotations

import numpy as np

from matrices.backtest.protocol import Forecast
from matrices.recommend.predicted.model import fit
from matrices.scores import Floats, ScoreTable


def forecast(table: ScoreTable, target: str) -> Forecast:
    """What to expect of the table's sources on a target that is hidden in it; NaN of the target itself."""
    predicted = fit(table).predict(target)
    at = {code: row for row, code in enumerate(predicted.sources)}
    rows = np.array([at.get(code, -1) for code in table.sources])

    def placed(values: Floats) -> Floats:
        return np.where((rows >= 0).reshape(-1, *[1] * (values.ndim - 1)), values[rows], np.nan)

    return Forecast(placed(predicted.mean), placed(predicted.intervals), frozenset(predicted.shortlist))
