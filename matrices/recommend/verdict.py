"""What to do, as data: no firmer than what it rests on."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from matrices.recommend.answer import Considered, RankedSource, Verdict

_MOST_NAMED = 5
"""Of more sources that might be the best, some are to be measured before one is chosen."""


def verdict(
    ranked: Sequence[RankedSource],
    shortlist: Sequence[str],
    *,
    regret: float | None = None,
    unrelated: bool | None = None,
    considered: Sequence[Considered] = (),
) -> Verdict:
    """The verdict on all ``ranked`` sources, the best first, and the 90% ``shortlist``.

    In this order:

    - effects are known of all and no source helps: no evidence for any
    - some are predicted, none is related, and there are relatives to be ``considered``: measure those first
    - some are predicted: the shortlist decides between one, any of a few, and measure first
    - all were measured: those tied with the best; where ties cannot be told, the best alone, with no confidence

    ``regret`` is the expected cost of taking the first.
    """
    effects = [source.effect for source in ranked if source.effect is not None]
    said = partial(Verdict, of_this_run=any(effect.of_this_run for effect in effects), expected_regret=regret)
    predicted = not all(source.measured for source in ranked)
    if effects and not predicted and not any(effect.verdict == "helps" for effect in effects):
        return said(action="no_evidence", sources=(), confidence=None)
    if predicted and unrelated and considered:
        return said(action="measure_first", sources=tuple(source.source for source in considered), confidence=None)
    chosen = tuple(shortlist) if predicted else tuple(source.source for source in ranked if source.tied_with_best)
    chance = {source.source: source.probability_best for source in ranked}
    if len(chosen) <= 1:
        best = chosen or (ranked[0].source,)
        return said(action="recommend_one", sources=best, confidence=chance.get(best[0]))
    if predicted and len(chosen) > _MOST_NAMED:
        first = chosen[:_MOST_NAMED]
        return said(action="measure_first", sources=first, confidence=_together(chance, first))
    return said(action="any_of", sources=chosen, confidence=_together(chance, chosen))


def _together(probabilities: dict[str, float | None], sources: Sequence[str]) -> float | None:
    chances = [probabilities[source] for source in sources]
    return None if any(chance is None for chance in chances) else min(sum(chance or 0.0 for chance in chances), 1.0)
