"""Fitted models, kept: each content of a matrix is fitted once, however many ask for it at the same time."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from functools import lru_cache

from matrices.held import Held
from matrices.reading import Reader
from matrices.recommend import Predict, predictions
from matrices.scores import ScoreTable, scores_of

Fit = Callable[[ScoreTable], Predict]


class Models:
    """The predictor of a service; safe from many threads. At most ``most`` models are kept, the last asked for.

    A version of the store in which a matrix has not changed is answered from the model there is.
    """

    def __init__(self, most: int, fit: Fit = predictions) -> None:
        self._fit, self._most = fit, most
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, Future[Predict]] = OrderedDict()
        self._table = lru_cache(most)(_table)

    def __call__(self, reader: Reader, matrix: str, version: int, composition: str, selection: str) -> Predict:
        """As ``matrices.recommend.Predictor`` says. Raises ``NothingToPredictError``."""
        # What is held never changes, so that it stands for its content; a store grows under one address.
        assert isinstance(reader, Held)
        content, table = self._table(reader, matrix, version, composition, selection)
        with self._lock:
            found = self._kept.get(content)
            model: Future[Predict] = found or Future()
            self._kept[content] = model
            self._kept.move_to_end(content)
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)
        if found is None:
            self._run(content, model, table)
        return model.result()

    def _run(self, content: str, model: Future[Predict], table: ScoreTable) -> None:
        try:
            model.set_result(self._fit(table))
        except BaseException as error:
            # Whoever waits is told; whoever asks again has it tried again.
            with self._lock:
                self._kept.pop(content, None)
            model.set_exception(error)


def _table(held: Held, matrix: str, version: int, composition: str, selection: str) -> tuple[str, ScoreTable]:
    """The scores of a matrix, and a digest of all a model is fitted to."""
    table = scores_of(held, matrix, version=version, composition=composition, selection=selection)
    digest = hashlib.sha256("\n".join([matrix, *table.sources, "", *table.targets]).encode())
    for values in (table.scores, table.errors):
        digest.update(b"none" if values is None else values.tobytes())
    return digest.hexdigest(), table
