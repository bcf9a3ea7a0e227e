"""A score of per-item outcomes: ``sum(correct) / sum(total)`` over items, so that items can be resampled."""

from __future__ import annotations

from collections.abc import Sequence

from workers.tasks.base import Outcome


def score(outcomes: Sequence[Outcome]) -> float | None:
    """The metric over items; None where nothing could be right or wrong (no span true or predicted)."""
    total = sum(total for _, total in outcomes)
    return sum(correct for correct, _ in outcomes) / total if total else None
