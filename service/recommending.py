"""Answers to questions: each target of a matrix is ranked once a content, and an answer is the first of a ranking."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from functools import partial

import structlog

from matrices.languages import UnknownLanguageError
from matrices.likeness.text import Overlaps
from matrices.reading import UnknownMatrixError
from matrices.recommend import (
    Asked,
    Outline,
    Predictor,
    Question,
    UnknownTargetError,
    UnknownTaskError,
    UnknownWayError,
    asked,
    ranked,
)
from matrices.snapshot import Snapshot
from service.models import Models
from service.prepared import Prepared, PreparedMatrices
from service.provisional import ProvisionalAnswers, is_large
from service.ranking import Serialised
from service.single_flight import Once
from service.thread_pools import NotYetError

log = structlog.get_logger()

_FINAL = (UnknownTargetError, UnknownTaskError, UnknownMatrixError, UnknownLanguageError, UnknownWayError)
_FEW = 16
"""Rankings kept of parts of matrices."""
_REST = 3
"""Preparing takes a quarter of one core at most: it rests so many times as long as it works."""


@dataclass(frozen=True, slots=True)
class AnswerBody:
    """An answer as JSON, and whether the same question will have it again at this version."""

    body: bytes
    final: bool = True


class Recommending:
    """As ``matrices.recommend.ask``, with a memory of ``most`` rankings; safe from many threads.

    A model is never fitted here: ``service.thread_pools.NotYetError`` says what must be there first.
    """

    def __init__(self, models: Models, prepared: Prepared, most: int, overlaps: Overlaps | None = None) -> None:
        self._models, self._prepared, self._most = models, prepared, most
        self._provisional = ProvisionalAnswers(_FEW, overlaps)
        self._places = Once[tuple[tuple[Asked, Hashable], ...]](most, final=_FINAL)
        self._rankings = Once[Serialised](most, final=(UnknownTargetError,))

    def __call__(self, held: Snapshot, question: Question) -> AnswerBody:
        """The answer. Raises as ``ask`` does, and ``NotYetError``."""
        first = self._at_first(held, question)
        return AnswerBody(self._first(held, question, lambda _: True)) if first is None else first

    def at_hand(self, held: Snapshot, question: Question) -> AnswerBody | None:
        """The answer where its ranking is there; None where it is not, and something were to be waited for.

        Raises as ``ask`` does.
        """
        if not self._places.has(_without_number(held, question)):
            return None
        try:
            return AnswerBody(self._first(held, question, self._rankings.has))
        except _NotThereError:
            return None

    def prepare_first(self, held: Snapshot, pause: Callable[[float], bool]) -> None:
        """Lay out large matrices for a first target, and fit what answers as long as their models are being fitted."""
        matrices = self._prepared.of(held)
        for info in held.matrices():
            about = matrices.outline(info.matrix)
            if is_large(held, about):
                for target in about.targets[:1]:
                    self._rank(held, about, target)
            self._provisional.prepare(held, about, pause)

    def prepare(self, held: Snapshot, pause: Callable[[float], bool]) -> None:
        """Rank what was measured, the largest matrix first, in up to half of the room there is.

        ``pause`` waits so many seconds between two rankings, and says whether to go on.
        """
        matrices, room = self._prepared.of(held), self._most // 2
        for info in sorted(held.matrices(), key=lambda info: -info.cells):
            about = matrices.outline(info.matrix)
            for target in about.targets[:room]:
                begun = time.monotonic()
                self._rank(held, about, target)
                room -= 1
                if not pause(_REST * (time.monotonic() - begun)):
                    return
        log.info("answers prepared", version=held.version, targets=self._most // 2 - room)

    def _rank(self, held: Snapshot, about: Outline, target: str) -> None:
        with contextlib.suppress(NotYetError, *_FINAL):
            self(held, Question(task=about.task, target=target, matrix=about.matrix))

    def _at_first(self, held: Snapshot, question: Question) -> AnswerBody | None:
        """An answer from a part of a matrix while the model that answers is fitted; None where it need not be."""
        matrices = self._prepared.of(held)
        place = asked(held.matrices(), matrices, question)[0]
        about = matrices.outline(place.matrix)
        if place.target in about.targets or not is_large(held, about):
            return None
        way = place.composition, place.selection
        if self._models.begin(held, place.matrix, held.version, *way, place.target):
            return None
        return AnswerBody(self._provisional.at_hand(held, about, place).first(question.k, held.version), final=False)

    def _first(self, held: Snapshot, question: Question, may: Callable[[Hashable], bool]) -> bytes:
        unknown: list[UnknownTargetError] = []
        for place, key in self._places.get(_without_number(held, question), partial(self._asked, held, question)):
            if not may(key):
                raise _NotThereError
            try:
                found = self._rankings.get(key, partial(self._ranked, held, place, self._models.at_hand))
            except UnknownTargetError as error:
                unknown.append(error)
            else:
                return found.first(question.k, held.version)
        raise unknown[0]

    def _asked(self, held: Snapshot, question: Question) -> tuple[tuple[Asked, Hashable], ...]:
        """Where it may be answered from, and the key of each ranking."""
        matrices = self._prepared.of(held)
        return tuple((place, _key(held, matrices, place)) for place in asked(held.matrices(), matrices, question))

    def _ranked(self, held: Snapshot, place: Asked, predictor: Predictor) -> Serialised:
        return Serialised(ranked(held, self._prepared.of(held), place, predictor))


class _NotThereError(Exception):
    """A ranking that were to be computed."""


def _key(held: Snapshot, matrices: PreparedMatrices, place: Asked) -> Hashable:
    """All that a ranking rests on: its matrix, and where something is predicted what other matrices have too."""
    shown = matrices.shown(place.matrix, place.composition, place.selection)
    complete = shown is not None and not place.sources and shown.view.is_complete(place.target)
    return held.content(place.matrix) if complete else held.identity, place


def _without_number(held: Snapshot, question: Question) -> Hashable:
    return held.identity, replace(question, k=0)
