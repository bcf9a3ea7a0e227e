"""From the scores of a matrix to what can be expected of any source on any target, as an answer shows it."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from matrices.likeness.text import Overlaps
from matrices.reading import Reader
from matrices.recommend.outlook import Outlook, Predict
from matrices.recommend.predicted import Model, model_for
from matrices.recommend.predicted.cold_start import by_code, names_in, shown_for
from matrices.recommend.predicted.explain import outlook
from matrices.recommend.predicted.kept import scores_for
from matrices.recommend.query import Predictor
from matrices.scores import ScoreTable

_MODELS = 8
"""So many are kept: a model of a large matrix takes some ten megabytes."""


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
    return predictions(shown_for(_scores(overlaps, reader, matrix, version, composition, selection), target))


def remembering(overlaps: Overlaps | None = None) -> Predictor:
    """A predictor for many questions to readers that do not change: each matrix is read, and each model made, once."""
    tables: dict[tuple[Hashable, ...], tuple[Reader, ScoreTable]] = {}
    models = lru_cache(maxsize=_MODELS)(lambda kept: predictions(kept.table))

    def predict(reader: Reader, matrix: str, version: int, composition: str, selection: str, target: str) -> Predict:
        key = (id(reader), matrix, version, composition, selection)
        if key not in tables:
            # With the reader, which would else give its place to another.
            tables[key] = reader, _scores(overlaps, reader, matrix, version, composition, selection)
        return models(_Kept(shown_for(tables[key][1], target)))

    return predict


@dataclass(frozen=True, eq=False)
class _Kept:
    """A table that is the same as any other of the same content."""

    table: ScoreTable

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Kept) and self.table.digest == other.table.digest

    def __hash__(self) -> int:
        return hash(self.table.digest)


def _scores(
    overlaps: Overlaps | None, reader: Reader, matrix: str, version: int, composition: str, selection: str
) -> ScoreTable:
    return replace(scores_for(reader, matrix, version, composition, selection), overlaps=overlaps)


def predictions(table: ScoreTable) -> Predict:
    """Predictions from the scores of a matrix, held within its bounds.

    Of a table that ``shown_for`` gave, for targets like the one it was for. Raises ``NothingToPredictError``.
    """
    return predictions_of(table, model_for(table))


def predictions_of(table: ScoreTable, model: Model) -> Predict:
    """Predictions from the model that was fitted to a table."""

    def predict(target: str, asked: Sequence[str]) -> Outlook:
        [name] = names_in(table, [target])
        return by_code(table, outlook(model, name, names_in(table, asked), within=table.bounds))

    return predict
