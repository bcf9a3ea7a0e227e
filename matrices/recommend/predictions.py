"""From the scores of a matrix to what can be expected of any source on any target, as an answer shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from matrices.likeness.text import Overlaps
from matrices.reading import Reader
from matrices.recommend.outlook import Outlook, Predict
from matrices.recommend.predicted import Model, fit
from matrices.recommend.predicted.explain import outlook
from matrices.recommend.predicted.masking import by_code, names_in, shown_for
from matrices.scores import ScoreTable, scores_of

_SHARE = (0.0, 1.0)


def predictor(
    reader: Reader,
    matrix: str,
    version: int,
    composition: str,
    selection: str,
    target: str,
    *,
    overlaps: Overlaps | None = None,
) -> Predict:
    """Predictions from one matrix, and texts at hand, fitted anew; as ``matrices.recommend.query.Predictor`` says."""
    table = scores_of(reader, matrix, version=version, composition=composition, selection=selection)
    return predictions(shown_for(replace(table, overlaps=overlaps), target))


def predictions(table: ScoreTable) -> Predict:
    """Predictions from the scores of a matrix, which are shares in [0, 1].

    Of a table that ``shown_for`` gave, for targets like the one it was for. Raises ``NothingToPredictError``.
    """
    return predictions_of(table, fit(table))


def predictions_of(table: ScoreTable, model: Model) -> Predict:
    """Predictions from the model that was fitted to a table."""

    def predict(target: str, asked: Sequence[str]) -> Outlook:
        [name] = names_in(table, [target])
        return by_code(table, outlook(model, name, names_in(table, asked), within=_SHARE))

    return predict
