"""Fitted models, kept: each content of a matrix is fitted once, however many ask for it at the same time."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache, partial

from matrices.held import Held
from matrices.likeness.text import Overlaps
from matrices.reading import Reader
from matrices.recommend import Predict, predictions, shown_for
from matrices.scores import ScoreTable, scores_of
from service.once import Once

Fit = Callable[[ScoreTable], Predict]


class Models:
    """The predictor of a service; safe from many threads. At most ``most`` models are kept, the last asked for.

    A version of the store in which a matrix has not changed is answered from the model there is. ``overlaps`` of texts
    are known of every matrix.
    """

    def __init__(self, most: int, fit: Fit = predictions, overlaps: Overlaps | None = None) -> None:
        self._overlaps, self._fit, self._kept = overlaps, fit, Once[Predict](most)
        self._table = lru_cache(most)(_scores)

    def __call__(
        self, reader: Reader, matrix: str, version: int, composition: str, selection: str, target: str
    ) -> Predict:
        """As ``matrices.recommend.Predictor`` says. Raises ``NothingToPredictError``."""
        # What is held never changes, so that it stands for its content; a store grows under one address.
        assert isinstance(reader, Held)
        table = self._table(reader, matrix, version, composition, selection)
        table = shown_for(replace(table, overlaps=self._overlaps), target)
        return self._kept.get((matrix, _content(table)), partial(self._fit, table))


def _content(table: ScoreTable) -> str:
    """A digest of all a model is fitted to, but for overlaps of texts: these stay the same while the service runs."""
    digest = hashlib.sha256("\n".join([*table.sources, "", *table.targets, "", *_pretrained(table), ""]).encode())
    for values in (table.scores, table.errors):
        digest.update(b"none" if values is None else values.tobytes())
    return digest.hexdigest()


def _scores(reader: Reader, matrix: str, version: int, composition: str, selection: str) -> ScoreTable:
    return scores_of(reader, matrix, version=version, composition=composition, selection=selection)


def _pretrained(table: ScoreTable) -> list[str]:
    return ["not known"] if table.pretrained is None else sorted(table.pretrained)
