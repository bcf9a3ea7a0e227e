"""Answers from a part of a large matrix, as long as the model of all of it is being fitted."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from matrices.likeness.text import Overlaps
from matrices.recommend import Asked, Outline, UnknownTargetError, predictions, ranked
from matrices.snapshot import Snapshot
from service.models import LARGE, Models
from service.prepared import Prepared
from service.ranking import Serialised
from service.single_flight import Once
from service.thread_pools import NotYetError

_PAIRS = 2_000
"""Of a source and a target, about as many as a model is fitted to in two seconds."""
_LEAST = 4
"""Targets, whatever the number of sources."""


class ProvisionalAnswers:
    """Rankings from a part of a matrix, of which ``most`` are kept; safe from many threads."""

    def __init__(self, most: int, overlaps: Overlaps | None = None) -> None:
        self._kept = Once[Serialised](most, final=(UnknownTargetError,))
        # Of their own: of a matrix the newest content alone is kept, and a part is another.
        self._prepared = Prepared(most)
        self._models = Models(most, predictions, overlaps, self._prepared)

    def at_hand(self, held: Snapshot, about: Outline, place: Asked) -> Serialised:
        """A place's ranking from some targets of its matrix. Raises ``NotYetError`` and ``UnknownTargetError``."""
        key = held.content(place.matrix), place
        compute = partial(self._ranked, held, about, place)
        if not self._kept.has(key):
            raise NotYetError(("provisional", *key), partial(self._kept.get, key, compute))
        return self._kept.get(key, compute)

    def prepare(self, held: Snapshot, about: Outline, pause: Callable[[float], bool]) -> None:
        """Fit what the first of these rankings would wait for."""
        if is_large(held, about):
            self._models.prepare(_part(held, about).only([about.matrix]), pause)

    def _ranked(self, held: Snapshot, about: Outline, place: Asked) -> Serialised:
        part = _part(held, about)
        some, all_ = len(part.kept[about.matrix].targets), len(about.targets)
        said = (
            f"A first answer, from {some} of the {all_} targets of a large matrix: the model of all of them is being "
            "fitted, which takes some minutes; ask again then. "
        )
        return Serialised(ranked(part, self._prepared.of(part), place, self._models), said)


def is_large(held: Snapshot, about: Outline) -> bool:
    """Whether the model of a matrix takes minutes to fit."""
    return len(held.kept[about.matrix].sources) * len(about.targets) >= LARGE


def _part(held: Snapshot, about: Outline) -> Snapshot:
    """Some of a matrix's targets, evenly spaced in the order of codes."""
    count = max(_LEAST, _PAIRS // len(held.kept[about.matrix].sources))
    return held.part(about.matrix, about.targets[:: max(1, len(about.targets) // count)])
