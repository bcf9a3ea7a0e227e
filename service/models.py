"""Fitted models, kept: each content of a matrix is fitted once, however many ask for it at the same time.

Large matrices are fitted in a process of their own: answers would wait for Python's lock, which a fit holds for long.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
from collections.abc import Callable, Hashable
from dataclasses import replace
from functools import partial
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection
from typing import Any

import structlog

from matrices.languoids import names
from matrices.likeness.text import Overlaps
from matrices.reading import Reader
from matrices.recommend import NothingToPredictError, Predict, predictions, predictions_of, shown_for
from matrices.recommend.predicted import Model, model_for
from matrices.scores import NoScoresError, ScoreTable, scores_in
from matrices.snapshot import Snapshot
from service.prepared import Prepared
from service.single_flight import Once
from service.thread_pools import NotYetError

log = structlog.get_logger()

LARGE = 20_000
"""Pairs of a source and a target from which on a fit has a process of its own, which takes a second to start."""
_NICE = 10

Fit = Callable[[ScoreTable], Predict]


class FitStoppedError(RuntimeError):
    """A fit whose process ended without a model, as where memory is short."""

    def __init__(self, table: ScoreTable, code: int | None) -> None:
        super().__init__(
            f"the model of {table.scores.size} pairs could not be fitted: its process ended with {code}; "
            "give the service more memory, or ask about languages that were measured"
        )


def fitted(table: ScoreTable) -> Predict:
    """As ``matrices.recommend.predictions``; raises ``FitStoppedError`` too."""
    if table.scores.size < LARGE:
        return predictions(table)
    context = get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_fit, args=(theirs, table), daemon=True)
    process.start()
    theirs.close()
    try:
        found = ours.recv()
    except EOFError as error:
        process.join()
        raise FitStoppedError(table, process.exitcode) from error
    process.join()
    if isinstance(found, NothingToPredictError):
        raise found
    assert isinstance(found, Model)
    return predictions_of(table, found)


def _fit(out: Connection, table: ScoreTable) -> None:
    os.nice(_NICE)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        out.send(model_for(table))
    except NothingToPredictError as error:
        out.send(error)


def _end_with_parent() -> None:
    """A service that a signal ends does not end its daemons, as multiprocessing would."""
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


class Models:
    """The predictor of a service; safe from many threads. At most ``most`` models are kept, the last asked for.

    A version of the store in which a matrix has not changed is answered from the model there is. ``overlaps`` of texts
    are known of every matrix.
    """

    def __init__(
        self,
        most: int,
        fit: Fit = fitted,
        overlaps: Overlaps | None = None,
        prepared: Prepared | None = None,
    ) -> None:
        self._overlaps, self._fit, self._most = overlaps, fit, most
        self._prepared = prepared or Prepared(most)
        self._lock, self._begun = threading.Lock(), set[tuple[str, ...]]()
        self._kept = Once[Predict](most, final=(NothingToPredictError,))
        self._tables = Once[ScoreTable](most, final=(NoScoresError,))

    def __call__(
        self, reader: Reader, matrix: str, version: int, composition: str, selection: str, target: str
    ) -> Predict:
        """As ``matrices.recommend.Predictor`` says. Raises ``NothingToPredictError``."""
        table = self._table(reader, matrix, composition, selection, target)
        return self._kept.get((matrix, _content(table)), partial(self._fit, table))

    def at_hand(
        self, reader: Reader, matrix: str, version: int, composition: str, selection: str, target: str
    ) -> Predict:
        """The same where the model is fitted. Raises ``NotYetError`` where it is not, and never waits."""
        assert isinstance(reader, Snapshot)
        if not self._tables.has(_question(reader, matrix, composition, selection)):
            args = (reader, matrix, composition, selection)
            raise NotYetError(("scores", *_question(*args)), partial(self.scores, *args))
        table = self._table(reader, matrix, composition, selection, target)
        key = (matrix, _content(table))
        if not self._kept.has(key):
            raise NotYetError(key, partial(self._fitted, key, table))
        return self._kept.get(key, partial(self._fit, table))

    def begin(self, reader: Reader, matrix: str, version: int, composition: str, selection: str, target: str) -> bool:
        """Whether the model is fitted; where it is not, somebody is at it when this returns, at once."""
        try:
            self.at_hand(reader, matrix, version, composition, selection, target)
        except NotYetError:
            key = _question(reader, matrix, composition, selection)
            with self._lock:
                new = key not in self._begun
                self._begun.add(key)
            if new:
                args = (key, reader, matrix, version, composition, selection, target)
                threading.Thread(target=self._begin, args=args, name="fitting", daemon=True).start()
            return False
        except (NothingToPredictError, NoScoresError):
            return True  # For the answer to say.
        return True

    def _begin(self, key: tuple[str, ...], *question: Any) -> None:
        try:
            self(*question)
        except Exception as error:
            log.warning("a model could not be fitted; the next question tries again", error=str(error))
        finally:
            with self._lock:
                self._begun.discard(key)

    def prepare(self, held: Snapshot, pause: Callable[[float], bool]) -> None:
        """Fit what the first question about a language nobody measured would wait for, the largest matrix first.

        ``pause`` says between two fits whether to go on.
        """
        for info in sorted(held.matrices(), key=lambda info: -info.cells)[: self._most]:
            about = self._prepared.of(held).outline(info.matrix)
            anyone = next((code for code in names() if code not in about.languages), None)
            if anyone is None:
                continue
            with contextlib.suppress(NothingToPredictError, NoScoresError):
                self(held, info.matrix, held.version, *about.choose(None, None, anyone), anyone)
                log.info("model fitted", matrix=info.matrix, version=held.version)
            if not pause(0):
                return

    def _table(self, reader: Reader, matrix: str, composition: str, selection: str, target: str) -> ScoreTable:
        table = self.scores(reader, matrix, composition, selection)
        return shown_for(replace(table, overlaps=self._overlaps), target)

    def scores(self, reader: Reader, matrix: str, composition: str, selection: str) -> ScoreTable:
        """The scores that models are fitted to, with standard errors. Raises ``NoScoresError``."""
        # What is held never changes, so that a digest of its content stands for it; a store grows under one address.
        assert isinstance(reader, Snapshot)
        compute = partial(self._read, reader, matrix, composition, selection)
        return self._tables.get(_question(reader, matrix, composition, selection), compute)

    def _read(self, held: Snapshot, matrix: str, composition: str, selection: str) -> ScoreTable:
        matrices = self._prepared.of(held)
        shown = matrices.shown(matrix, composition, selection)
        if shown is None:
            raise NoScoresError(f"{matrix} has no score of composition {composition!r}, selection {selection!r}")
        return scores_in(shown.view, held.pretrained(matrices.outline(matrix).encoder), shown.seeds)

    def _fitted(self, key: Hashable, table: ScoreTable) -> None:
        try:
            self._kept.get(key, partial(self._fit, table))
        except NothingToPredictError:
            return  # Kept, for the answer to say.


def _question(held: Reader, matrix: str, composition: str, selection: str) -> tuple[str, ...]:
    assert isinstance(held, Snapshot)
    return held.content(matrix), matrix, composition, selection


def _content(table: ScoreTable) -> str:
    """A digest of all a model is fitted to; of overlaps of texts, which stay the same, whether there are any."""
    texts = "no texts" if table.overlaps is None else "texts"
    parts = [*table.sources, "", *table.targets, "", *_pretrained(table), "", texts]
    digest = hashlib.sha256("\n".join(parts).encode())
    for values in (table.scores, table.errors):
        digest.update(b"none" if values is None else values.tobytes())
    return digest.hexdigest()


def _pretrained(table: ScoreTable) -> list[str]:
    return ["not known"] if table.pretrained is None else sorted(table.pretrained)
