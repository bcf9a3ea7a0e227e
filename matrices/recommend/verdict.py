"""What to do, as data: no firmer than what it rests on."""

from __future__ import annotations

from collections.abc import Sequence

from matrices.recommend.answer import RankedSource, Verdict

_MOST_NAMED = 5
"""Of more sources that might be the best, some are to be measured before one is chosen."""


def verdict(ranked: Sequence[RankedSource], shortlist: Sequence[str]) -> Verdict:
    """The verdict on all ``ranked`` sources, the best first, and the 90% ``shortlist``.

    Where whether sources help is known and none does, there is no evidence for any. Where some are predicted, the
    shortlist decides: one, any of a few, or measure first. Else those tied with the best do; where ties cannot be told,
    the best alone stands, with no confidence.
    """
    effects = [source.effect for source in ranked if source.effect is not None]
    of_this_run = any(effect.of_this_run for effect in effects)
    if effects and all(source.measured for source in ranked) and not any(one.verdict == "helps" for one in effects):
        return Verdict(action="no_evidence", sources=(), confidence=None, of_this_run=of_this_run)
    predicted = not all(source.measured for source in ranked)
    chosen = tuple(shortlist) if predicted else tuple(source.source for source in ranked if source.tied_with_best)
    chance = {source.source: source.probability_best for source in ranked}
    if len(chosen) <= 1:
        best = chosen or (ranked[0].source,)
        return Verdict(action="recommend_one", sources=best, confidence=chance.get(best[0]), of_this_run=of_this_run)
    if predicted and len(chosen) > _MOST_NAMED:
        first = chosen[:_MOST_NAMED]
        return Verdict(
            action="measure_first", sources=first, confidence=_together(chance, first), of_this_run=of_this_run
        )
    return Verdict(action="any_of", sources=chosen, confidence=_together(chance, chosen), of_this_run=of_this_run)


def _together(chance: dict[str, float | None], sources: Sequence[str]) -> float | None:
    known = [chance[source] for source in sources]
    return None if any(one is None for one in known) else min(sum(one or 0.0 for one in known), 1.0)
