"""From the scores of a matrix to what can be expected of any source on any target, as an answer shows it."""

from __future__ import annotations

from collections.abc import Sequence

from matrices.reading import Reader
from matrices.recommend.outlook import NothingToPredictError, Outlook, Predict
from matrices.scores import ScoreTable, scores_of


def predictor(reader: Reader, matrix: str, version: int, composition: str, selection: str) -> Predict:
    """Predictions from one matrix, fitted anew; as ``matrices.recommend.asking.Predictor`` says."""
    return predictions(scores_of(reader, matrix, version=version, composition=composition, selection=selection))


def predictions(table: ScoreTable) -> Predict:
    """Predictions from the scores of a matrix. Raises ``NothingToPredictError``."""
    try:
        from matrices.recommend.predicted import fit
    except ImportError as error:
        raise NothingToPredictError("this installation cannot predict") from error

    model = fit(table)

    def predict(target: str, asked: Sequence[str]) -> Outlook:
        return model.outlook(target, asked)

    return predict
