"""Answers to questions, as bytes: computed once a version and question, however many ask."""

from __future__ import annotations

from matrices.held import Held
from matrices.reading import UnknownMatrixError
from matrices.recommend import Question, Recommendation, UnknownTargetError, UnknownTaskError, ask, to_json
from service.models import Models
from service.once import Once

_FINAL = (UnknownTargetError, UnknownTaskError, UnknownMatrixError)


class Recommending:
    """``matrices.recommend.ask`` with a memory of ``most`` answers; safe from many threads.

    What takes long is never computed here: ``service.lanes.NotYetError`` says what must be there first.
    """

    def __init__(self, models: Models, most: int) -> None:
        self._models = models
        self._kept = Once[bytes](most, final=_FINAL) if most else None

    def __call__(self, held: Held, question: Question) -> bytes:
        """The answer as JSON. Raises as ``ask`` does, and ``NotYetError``."""

        def compute() -> bytes:
            return to_json(self.answer(held, question))

        return compute() if self._kept is None else self._kept.get((held.identity, question), compute)

    def answer(self, held: Held, question: Question) -> Recommendation:
        """The answer itself."""
        return ask(held, question, self._models.at_hand)
