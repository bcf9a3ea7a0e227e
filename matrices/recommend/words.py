"""What a recommendation rests on, in words."""

from __future__ import annotations

from matrices.recommend.answer import RankedSource, Recommendation
from matrices.recommend.names import named

_MOST_NAMES = 6


def basis(answer: Recommendation) -> str:
    """A few sentences: seeds and items, who leads, who is tied, where English stands, and what is missing."""
    return " ".join(
        filter(
            None, [_measured(answer), _lead(answer), _tied(answer), _effect(answer), _english(answer), _gaps(answer)]
        )
    )


def _measured(answer: Recommendation) -> str:
    best = answer.sources[0]
    counted = f"{_number(best.seeds, 'seed')}, {_number(best.n_items, 'item')} of {answer.target.name}"
    text = f"Measured over {counted}, with {_number(answer.ranked, 'source')}."
    if answer.method == "normal_approximation":
        text += " Without per-item outcomes, intervals are a normal approximation, and ties are called generously."
    return text


def _lead(answer: Recommendation) -> str:
    best = answer.sources[0]
    seeds = "" if best.seeds > 1 else "; one seed, so that the interval does not cover other seeds"
    low, high = best.interval
    return f"{best.name} is best at {best.score:.3f} (95% interval {low:.3f} to {high:.3f}{seeds})."


def _tied(answer: Recommendation) -> str:
    others = answer.tied[1:]
    if not others:
        return "No other source is tied with it." if answer.ranked > 1 else ""
    more = f" and {len(others) - _MOST_NAMES} more" if len(others) > _MOST_NAMES else ""
    names = ", ".join(named(code).name for code in others[:_MOST_NAMES])
    return f"Tied with it on the same items: {names}{more}."


def _effect(answer: Recommendation) -> str:
    best = answer.sources[0]
    if best.effect is None:
        return ""
    low, high = best.effect.interval
    change = f"{best.effect.difference:+.3f} ({low:+.3f} to {high:+.3f})"
    if best.effect.verdict == "undecided":
        return f"Whether it helps or harms is undecided: it changes the baseline by {change}."
    return f"It {best.effect.verdict}: it changes the baseline by {change}."


def _english(answer: Recommendation) -> str:
    english = answer.comparison.english
    if english is None or english.rank == 1:
        return ""
    return f"English is number {english.rank} at {english.score:.3f}{_worse(english)}."


def _worse(source: RankedSource) -> str:
    return ", tied with the best" if source.tied_with_best else ", below the best on the same items"


def _gaps(answer: Recommendation) -> str:
    fewest, most = min(s.seeds for s in answer.sources), max(s.seeds for s in answer.sources)
    uneven = f"Sources have between {fewest} and {most} seeds." if fewest != most else ""
    failed = f"{_number(answer.failed, 'run')} failed and are left out." if answer.failed else ""
    return " ".join(filter(None, [uneven, failed]))


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
