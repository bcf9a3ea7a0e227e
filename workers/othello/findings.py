"""The published findings in words, each decided by the numbers at hand: it holds, it does not, or they cannot tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from workers.estimates import Estimate
from workers.othello.job import Condition
from workers.othello.summary import OthelloSummary

Verdict = Literal["reproduced", "not reproduced", "not asked"]

ALIGNED = 0.5
"""Languages are called aligned where a probe keeps at least so much, in another language, of what it reads above the
majority in its own."""
TRANSFERRED = 0.9
"""Transfer is called given where the other languages reach so much of the legal-move rate of the one learned."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A published claim, what the numbers say of it, and what the corrected measures add."""

    claim: str
    verdict: Verdict
    evidence: str
    corrected: str


def findings(summary: OthelloSummary, conditions: Mapping[str, Condition]) -> tuple[Finding, Finding, Finding]:
    """The three findings of Hua, Yun and Pavlick (2024), on the conditions that a job has."""
    present = {name: conditions[name] for name in summary.conditions}
    naive = next((name for name, one in present.items() if _is_naive(one)), None)
    anchored = max(
        (name for name, one in present.items() if _anchors(one) and one.output == "naive"),
        key=lambda name: _anchors(present[name]),
        default=None,
    )
    unified = next((name for name, one in present.items() if one.output == "unified"), None)
    return _first(summary, naive), _second(summary, naive, anchored), _third(summary, anchored, unified)


def kept(summary: OthelloSummary, condition: str, measure: str = "cross") -> Estimate:
    """What a probe keeps in another language of what it reads above the majority in its own: 1 is all of it."""
    runs = summary.runs.loc[condition]
    return Estimate.of(list((runs[measure] - runs["majority"]) / (runs["own"] - runs["majority"])))


def _first(summary: OthelloSummary, naive: str | None) -> Finding:
    claim = "Naive multilingual training does not align languages."
    if naive is None:
        return _not_asked(claim, "a condition of atomic languages without anchors, with naive output")
    crossed, turned = kept(summary, naive), kept(summary, naive, "rotated")
    evidence = (
        f"{naive}: a probe that reads {summary.estimate(naive, 'own')} of squares in its own language reads "
        f"{summary.estimate(naive, 'cross')} in another; every square's commonest state is right "
        f"{summary.estimate(naive, 'majority')} of the time. It keeps {crossed} of what it reads above that."
    )
    learned = summary.difference((naive, "rotated"), (naive, "untrained_rotated"))
    corrected = (
        f"After the best rotation it reads {summary.estimate(naive, 'rotated')}, and keeps {turned}; in a model that "
        f"was not trained a rotation gets to {summary.estimate(naive, 'untrained_rotated')}: "
    ) + (
        "what naive training lacks is a common orientation of states more than a common content."
        if turned.mean >= ALIGNED and learned.is_above_zero
        else "it cannot be said that only the orientation of states differs."
    )
    return Finding(claim, _reproduced(_below(crossed, ALIGNED)), evidence, corrected)


def _second(summary: OthelloSummary, naive: str | None, anchored: str | None) -> Finding:
    claim = "Anchor tokens align languages."
    if naive is None or anchored is None:
        return _not_asked(claim, "a condition with anchors, and the same without")
    gained = summary.difference((anchored, "cross"), (naive, "cross"))
    crossed = kept(summary, anchored)
    evidence = (
        f"{anchored}: the probe reads {summary.estimate(anchored, 'cross')} in another language, {gained} more than "
        f"{naive}, and keeps {crossed} of what it reads above the majority in its own."
    )
    is_more = gained.is_above_zero
    untrained = summary.difference((anchored, "untrained_cross"), (naive, "untrained_cross"))
    corrected = (
        f"Shared tokens alone, in a model that was not trained, are worth {untrained}; "
        f"a rotation still adds {summary.difference((anchored, 'rotated'), (anchored, 'cross'))}."
    )
    return Finding(claim, _reproduced(is_more and crossed.mean >= ALIGNED), evidence, corrected)


def _third(summary: OthelloSummary, anchored: str | None, unified: str | None) -> Finding:
    claim = "Alignment alone does not give transfer; a unified output space gives both."
    if anchored is None or unified is None:
        return _not_asked(claim, "a condition with anchors, and one with unified output")
    change = summary.difference((anchored, "target_after"), (anchored, "target_before"))
    reached = summary.estimate(unified, "target_after").mean / summary.estimate(unified, "source_after").mean
    brought = [
        f"from {summary.estimate(name, 'target_before')} to {summary.estimate(name, 'target_after')} with {name}"
        for name in (anchored, unified)
    ]
    evidence = (
        f"Fine-tuning in one language brings the others' legal-move rate on held-out games {', '.join(brought)}: "
        f"{reached:.2f} of the rate of the language that was learned."
    )
    as_published = not change.is_above_zero and reached >= TRANSFERRED and kept(summary, unified).mean >= ALIGNED
    return Finding(claim, _reproduced(as_published), evidence, _switches(summary, anchored))


def _switches(summary: OthelloSummary, anchored: str) -> str:
    """What becomes of the third finding when legal moves in another language are told from illegal moves."""
    known = summary.difference((anchored, "any_after"), (anchored, "any_before"))
    forgotten = summary.difference((anchored, "held_in_any_after"), (anchored, "held_in_before"))
    told = (
        f"Counted apart, {summary.estimate(anchored, 'switched_after')} of the moves of {anchored} are said in another "
        f"language; {summary.estimate(anchored, 'any_after')} are legal in whatever language, "
        f"{summary.estimate(anchored, 'any_before')} were before: "
    )
    if known.is_above_zero:
        told += "the game was transferred, the language was not."
    elif known.is_below_zero:
        told += "the game was not transferred either."
    else:
        told += "whether the game was transferred cannot be told."
    return f"{told} On games like those of pretraining the rate in whatever language changed by {forgotten}: " + (
        "some of the game was forgotten." if forgotten.is_below_zero else "nothing of the game was forgotten."
    )


def _below(estimate: Estimate, bound: float) -> bool:
    return (estimate.mean if estimate.high is None else estimate.high) < bound


def _reproduced(holds: bool) -> Verdict:
    return "reproduced" if holds else "not reproduced"


def _not_asked(claim: str, lacking: str) -> Finding:
    return Finding(claim, "not asked", f"The job lacks {lacking}.", "")


def _anchors(condition: Condition) -> int:
    return condition.anchors if isinstance(condition.anchors, int) else len(condition.anchors)


def _is_naive(condition: Condition) -> bool:
    plain = not _anchors(condition) and condition.output == "naive" and len(set(condition.shares)) == 1
    return plain and set(condition.types) == {"atomic"}
