"""From the scores of a matrix to what can be expected of any source on any target, as an answer shows it."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from matrices.likeness.text import Overlaps
from matrices.reading import Reader
from matrices.recommend.predicted import Model, model_for
from matrices.recommend.predicted.cold_start import by_code, names_in, shown_for
from matrices.recommend.predicted.explain import outlook
from matrices.recommend.predicted.saved_model import scores_for
from matrices.recommend.prediction import Outlook, Predict
from matrices.recommend.query import Predictor
from matrices.scores import ScoreTable
from matrices.snapshot import Snapshot

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
    """Predictions from one matrix, and from texts where there are any; a ``matrices.recommend.query.Predictor``.

    The latest models are kept, by the content they were fitted to. The scores of a snapshot are kept as long as it is.
    """
    way = (matrix, version, composition, selection)
    table = (
        reader.remember(("scores", *way), lambda: scores_for(reader, *way))
        if isinstance(reader, Snapshot)
        else scores_for(reader, *way)
    )
    return _kept(_Content(shown_for(replace(table, overlaps=overlaps) if overlaps else table, target)))


def remembering(overlaps: Overlaps | None = None) -> Predictor:
    """A predictor for many questions to readers that do not change: each matrix is read once."""
    tables: dict[tuple[Hashable, ...], tuple[Reader, ScoreTable]] = {}

    def predict(reader: Reader, matrix: str, version: int, composition: str, selection: str, target: str) -> Predict:
        way = (matrix, version, composition, selection)
        if (key := (id(reader), *way)) not in tables:
            # With the reader, which would else give its place to another.
            tables[key] = reader, replace(scores_for(reader, *way), overlaps=overlaps)
        return _kept(_Content(shown_for(tables[key][1], target)))

    return predict


@dataclass(frozen=True, eq=False)
class _Content:
    """A table that is the same as any other of the same content."""

    table: ScoreTable

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Content) and self.table.digest == other.table.digest

    def __hash__(self) -> int:
        return hash(self.table.digest)


@lru_cache(maxsize=_MODELS)
def _kept(content: _Content) -> Predict:
    return predictions(content.table)


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
