"""What can be expected of sources on a target that (some of) them were not measured on: plain data between rooms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from matrices.arrays import Interval
from matrices.recommend.answer import Evidence, FeatureWeight, Knowledge

CONFIDENCE = 0.9
"""Of the intervals of predictions, and of shortlists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """One source on the target: the score to expect, its 90% interval, and what that rests on most.

    ``average_z`` is its mean z-score over the other targets, None where it was measured on few. ``knowledge`` says what
    was known of the pair.
    """

    source: str
    score: float
    interval: Interval
    probability_best: float
    average_z: float | None
    rests_on: tuple[Evidence, ...]
    knowledge: Knowledge


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedSet:
    """A set of sources, the most probable first, the ``score`` to expect of it, and its ``gain`` over the best single.

    ``shares`` of a budget of items go by how probable each is to be the best of the set, a tenth at the least.
    """

    sources: tuple[str, ...]
    score: float
    gain: float
    shares: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """Every source that something can be said about, measured on the target or not, the best first.

    ``shortlist`` holds the best of them with 90% confidence; ``features`` are those that predictions make most of.
    ``regret`` is what taking the first is expected to cost against the best of all, as a share of the best.
    ``sets`` are the best two and three together.
    """

    expected: tuple[Expected, ...]
    shortlist: tuple[str, ...]
    features: tuple[FeatureWeight, ...]
    regret: float | None = None
    sets: tuple[ExpectedSet, ...] = ()


class NothingToPredictError(ValueError):
    """Too little was measured to predict anything from; the message says what is missing."""


Predict = Callable[[str, Sequence[str]], Outlook]
"""From a target and further sources, none of which need have been measured, to what can be expected of all sources.

Raises ``NothingToPredictError``.
"""


def shortlist(probabilities: dict[str, float], confidence: float = CONFIDENCE) -> tuple[str, ...]:
    """The fewest sources that hold the best with this probability, the most probable first, ties by code."""
    chosen: list[str] = []
    together = 0.0
    for source in sorted(probabilities, key=lambda source: (-probabilities[source], source)):
        if together >= confidence:
            break
        chosen.append(source)
        together += probabilities[source]
    return tuple(chosen)
