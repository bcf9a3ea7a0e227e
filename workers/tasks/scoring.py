"""How outcomes of items become a metric: accuracy, span F1, SQuAD F1 alike.

An outcome is a numerator and a denominator. Of accuracy they are the right units and all units, of micro F1 twice the
right spans and the predicted plus the true spans (``Spans.outcome``), of SQuAD F1 an item's own F1 and 1.
"""

from __future__ import annotations

from collections.abc import Sequence

Outcome = tuple[float, float]
"""What an item scored and what it could score: a metric is the ratio of their sums over items."""


def score(outcomes: Sequence[Outcome]) -> float | None:
    """The metric over items; None where nothing could be right or wrong (no span true or predicted)."""
    total = sum(total for _, total in outcomes)
    return sum(correct for correct, _ in outcomes) / total if total else None
