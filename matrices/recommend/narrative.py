"""What a recommendation rests on, in words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from matrices.cells import SHARE_OUTRANKED
from matrices.recommend.answer import Effect, RankedSource, Recommendation, Verdicts
from matrices.recommend.names import named

_MOST_NAMES = 6
_MOST_FEATURES = 3


def basis(answer: Recommendation, *, like_no_other: bool = False) -> str:
    """A few sentences: what was measured or predicted, who leads, who may, the easy choices, and what is missing.

    ``like_no_other``: the encoder was pretrained on every target that was measured, and not on this one.
    """
    said = (
        [
            _measured(answer),
            _unseen(answer, like_no_other),
            _lead(answer),
            _tied(answer),
            _effect(answer),
            _english(answer),
        ]
        if not answer.predicted
        else [
            *(_predicted(answer), _kin(answer), _unseen(answer, like_no_other), _lead(answer), _evidence(answer)),
            *(_missing(answer), _shortlist(answer), _english(answer), _easy(answer), _set(answer), _others(answer)),
            _there(answer),
        ]
    )
    return " ".join(filter(None, [*said, _shots(answer), _gaps(answer), _origin(answer)]))


def _shots(answer: Recommendation) -> str:
    """How many labelled items of the target are worth more than its best source."""
    if answer.shots is None:
        return ""
    source = named(answer.shots.source).name
    told = [
        f"{_number(curve.enough, 'labelled item')} {what} ({_ends(curve.between)})"
        if curve.enough is not None
        else f"{_number(curve.points[-1].shots, 'labelled item')} {what} are not enough"
        for curve, what in ((answer.shots.alone, "alone"), (answer.shots.with_source, f"on top of {source}"))
        if curve is not None
    ]
    return f"To beat {source} without any: {'; '.join(told)}." if told else ""


def _ends(between: tuple[int | None, int | None]) -> str:
    low, high = ("more than were measured" if end is None else str(end) for end in between)
    return f"95%: {low}" if low == high else f"95%: {low} to {high}"


def verdicts(ranked: Sequence[RankedSource]) -> Verdicts | None:
    """How many of the sources help and harm; None where that is said of none."""
    count = Counter(source.effect.verdict for source in ranked if source.effect is not None)
    if not count:
        return None
    return Verdicts(**{name: count[name] for name in ("helps", "harms", "neutral", "undecided")})


def advice(answer: Recommendation, ranked: Sequence[RankedSource]) -> str:
    """What to do, in a sentence, as the verdict on all that are ``ranked`` says."""
    verdict, target = answer.verdict, answer.target.name
    if verdict.action == "no_evidence":
        return _nothing_helps(answer, ranked)
    helping = [source for source in ranked if source.effect is not None and source.effect.verdict == "helps"]
    if answer.kind == "interference" and helping:
        first = helping[0]
        assert first.effect is not None
        more = f"; {len(helping) - 1} more help{'s' * (len(helping) == 2)}" if len(helping) > 1 else ""
        return f"Add {first.name}: it helps {target} by {_change(first.effect)}{more}{_of_run(answer)}."
    leader, *others = (named(source).name for source in verdict.sources)
    if verdict.action == "measure_first" and answer.unrelated and answer.considered:
        none = f"none of the {answer.ranked} sources is related to {target}"
        return f"Measure first: {none}; begin with {_listed([leader, *others])}."
    if verdict.action == "measure_first":
        most = len(answer.shortlist)
        return f"Measure first: the best is likely one of {most}; begin with {_listed([leader, *others])}."
    if others:
        one_of = _listed([leader, *others[: _MOST_NAMES - 1]], "or")
        more = f", or {len(others) - _MOST_NAMES + 1} more" if len(others) >= _MOST_NAMES else ""
        if answer.predicted:
            return f"Transfer from {one_of}{more}: the best is likely among them."
        return f"Transfer from {one_of}{more}: they cannot be told apart."
    if not ranked[0].measured:
        return f"Transfer from {leader}, which is predicted to do best."
    if any(source.tied_with_best is None for source in ranked):
        return f"Transfer from {leader}: it scored highest, but whether others do as well cannot be told."
    return f"Transfer from {leader}."


def _nothing_helps(answer: Recommendation, ranked: Sequence[RankedSource]) -> str:
    assert answer.verdicts is not None
    measured, target = sum(source.effect is not None for source in ranked), answer.target.name
    sure = " beyond doubt" if answer.verdicts.undecided else ""
    said = f"No transfer language helps {target} here{sure}"
    if answer.kind != "interference":
        said = f"No source does better on {target} than {_constant(answer)}{sure}"
    return f"{said}: of {measured} measured, {_counted(answer.verdicts)}{_of_run(answer)}."


def _of_run(answer: Recommendation) -> str:
    """What a matrix of one run of the language adapters says holds for those."""
    return ", in this training run" if answer.verdict.of_this_run and answer.kind == "interference" else ""


def _counted(count: Verdicts) -> str:
    said = {
        f"{count.harms} harm{'s' * (count.harms == 1)}": count.harms,
        f"{count.neutral} {_are(count.neutral)} neutral": count.neutral,
        f"{count.undecided} {_are(count.undecided)} undecided": count.undecided,
    }
    return ", ".join(text for text, number in said.items() if number)


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def _change(effect: Effect) -> str:
    low, high = effect.interval
    return f"{effect.difference:+.3f} ({low:+.3f} to {high:+.3f})"


def _measured(answer: Recommendation) -> str:
    best = answer.sources[0]
    seeds, ranked = _number(best.seeds, "seed"), _number(answer.ranked, "source")
    if answer.method == "as_published":
        text = f"Measured on {answer.target.name} over {seeds}, with {ranked}."
        return f"{text} Intervals are those of the standard errors that the table states."
    if not best.n_items:
        text = f"Measured on {answer.target.name} over {seeds}, with {ranked}."
        return f"{text} On how many items is not known, so that how sure a score is cannot be said."
    text = f"Measured over {seeds}, {_number(best.n_items, 'item')} of {answer.target.name}, with {ranked}."
    if answer.method == "normal_approximation":
        text += " Outcomes of items were not kept: intervals are a normal approximation."
    if answer.method == "items_unknown":
        text += " Outcomes of items were not kept, so that how sure a score is cannot be said."
    return text


def _predicted(answer: Recommendation) -> str:
    measured = answer.ranked - answer.predicted
    if not measured:
        return f"Predicted: nothing was measured on {answer.target.name} in {answer.task} with {answer.encoder}."
    given = f"in {answer.task} with {answer.encoder}"
    return f"{_number(measured, 'source')} measured on {answer.target.name} {given}, {answer.predicted} predicted."


def _kin(answer: Recommendation) -> str:
    return f"None of these is related to {answer.target.name}." if answer.unrelated else ""


def _others(answer: Recommendation) -> str:
    """What nobody measured as a source and may do better."""
    if not answer.considered:
        return ""
    said = _listed([f"{source.name} ({source.score:.3f})" for source in answer.considered])
    if answer.unrelated:
        return f"Relatives that nobody measured as a source, and the scores to expect of them: {said}."
    return f"Nobody measured as a source, and expected to do better: {said}."


def _set(answer: Recommendation) -> str:
    """Whether several sources are worth more than one, and which."""
    if answer.one_is_enough is None:
        return ""
    best = max((one for one in answer.sets if one.gain is not None), key=lambda one: one.score or 0.0)
    names = _listed([named(code).name for code in best.sources])
    gains = f"{names} together are expected to gain {best.gain:+.3f} over the best of them alone"
    tried = "" if best.measured is None else f"; measured together: {best.measured:.3f}"
    return f"One source is enough: {gains}{tried}." if answer.one_is_enough else f"{gains}{tried}."


def _there(answer: Recommendation) -> str:
    """What other matrices have for the target."""
    said = [
        f"{matrix.matrix} was measured on {answer.target.name}, with {matrix.name} the best at {matrix.score:.3f}"
        if matrix.score is not None
        else f"{matrix.matrix} has a nearer relative, {matrix.name}"
        for matrix in answer.elsewhere
    ]
    return f"Elsewhere: {'; '.join(said)}." if said else ""


def _unseen(answer: Recommendation, like_no_other: bool) -> str:
    if answer.pretrained is not False:
        return ""
    more = ", but on all targets measured: its scores may be lower than expected" if like_no_other else ""
    return f"The encoder was not pretrained on {answer.target.name}{more}."


def _lead(answer: Recommendation) -> str:
    best = answer.sources[0]
    low, high = best.interval
    if not best.measured:
        chance = "" if best.probability_best is None else f", the best with probability {best.probability_best:.2f}"
        return (
            f"{best.name} is expected to do best, at {best.score:.3f} (90% interval {low:.3f} to {high:.3f}){chance}."
        )
    if answer.method == "items_unknown":
        return f"{best.name} is best at {best.score:.3f}."
    seeds = (
        ""
        if best.seeds > 1 or best.probability_best is not None
        else "; one seed, so that the interval does not cover other seeds"
    )
    return f"{best.name} is best at {best.score:.3f} (95% interval {low:.3f} to {high:.3f}{seeds})."


def _tied(answer: Recommendation) -> str:
    others = answer.tied[1:]
    text = f"Tied with it on the same items: {_names(others)}." if others else ""
    if answer.ranked > 1 and answer.ties_known:
        return text or "No other source is tied with it."
    if answer.ranked > 1 and answer.method == "joint_item_bootstrap":
        return f"{text} Whether it beats others takes more seeds to tell: every source has one.".strip()
    return "Which sources are tied with it cannot be told without outcomes of items." if answer.ranked > 1 else ""


def _evidence(answer: Recommendation) -> str:
    best = answer.sources[0]
    if not best.rests_on:
        return ""
    rests = ", ".join(f"{one.name} ({one.weight:.0%})" for one in best.rests_on)
    features = ", ".join(f"{one.feature} ({one.weight:.0%})" for one in answer.features[:_MOST_FEATURES])
    weighed = f"; of what is known of languages, most is made of {features}" if features else ""
    return f"That rests most on measurements of {rests}{weighed}."


def _missing(answer: Recommendation) -> str:
    if answer.knowledge is None:
        return ""
    missing = answer.knowledge.missing
    said = [f"Not known of any pair that is predicted: {_listed(missing)}."] if missing else []
    for source in answer.asked:
        more = [] if source.knowledge is None else [kind for kind in source.knowledge.missing if kind not in missing]
        said += [f"Not known of {source.name} either: {_listed(more)}."] if more else []
    return " ".join(said)


def _listed(words: Sequence[str], word: str = "and") -> str:
    *others, last = words
    return f"{', '.join(others)} {word} {last}" if others else last


def _shortlist(answer: Recommendation) -> str:
    if not answer.shortlist:
        return ""
    exact = any(source.measured and not source.n_items for source in answer.sources)
    given = (
        " How noisy measured scores are is not known: a quarter of what predictions leave open is taken for noise."
        if exact
        else ""
    )
    if len(answer.shortlist) == 1:
        return f"With 90% confidence {named(answer.shortlist[0]).name} is the best.{given}"
    return f"With 90% confidence the best is one of {len(answer.shortlist)}: {_names(answer.shortlist)}.{given}"


def _names(codes: Sequence[str]) -> str:
    more = f" and {len(codes) - _MOST_NAMES} more" if len(codes) > _MOST_NAMES else ""
    return ", ".join(named(code).name for code in codes[:_MOST_NAMES]) + more


def _effect(answer: Recommendation) -> str:
    effect = answer.sources[0].effect
    if effect is None:
        return ""
    change = _change(effect)
    if answer.kind == "interference":
        said = {
            "undecided": "Whether it helps or harms is undecided",
            "neutral": "It neither helps nor harms",
        }.get(effect.verdict, f"It {effect.verdict}")
        return f"{said}: it changes the baseline by {change}."
    constant = _constant(answer)
    return {
        "helps": "",
        "harms": f"That is worse than {constant}: {change}.",
        "neutral": f"That is no better than {constant}: {change}.",
        "undecided": f"Whether that is better than {constant} is undecided: {change}.",
    }[effect.verdict]


def _constant(answer: Recommendation) -> str:
    """What a transfer is held against, which of a published table is for its authors to say."""
    return "the constant answer" if answer.imported_from is None else "the published baseline"


def _english(answer: Recommendation) -> str:
    english = answer.comparison.english
    if english is None or english.rank == 1:
        return ""
    return f"English is number {english.rank} at {english.score:.3f}{_worse(answer, english)}."


def _worse(answer: Recommendation, source: RankedSource) -> str:
    if answer.predicted:
        return ", on the shortlist" if source.tied_with_best else ""
    if source.tied_with_best is None:
        return ""
    return ", tied with the best" if source.tied_with_best else ", below the best on the same items"


def _easy(answer: Recommendation) -> str:
    said = [
        f"{what} is {source.name}, number {source.rank} at {source.score:.3f}"
        for what, source in (
            ("best on average over other targets", answer.comparison.best_average),
            ("the most popular relative", answer.comparison.nearest_family),
        )
        if source is not None
    ]
    text = "; ".join(said)
    return f"{text[0].upper()}{text[1:]}." if text else ""


def _gaps(answer: Recommendation) -> str:
    seeds = [source.seeds for source in answer.sources if source.measured]
    uneven = f"Sources have between {min(seeds)} and {max(seeds)} seeds." if seeds and min(seeds) != max(seeds) else ""
    failed = f"{_number(answer.failed, 'run')} failed and are left out." if answer.failed else ""
    other = answer.other_items
    others = f"{_number(other, 'run')} on other items {_are(other)} left out." if other else ""
    return " ".join(filter(None, [uneven, failed, others]))


def _origin(answer: Recommendation) -> str:
    if answer.imported_from is None:
        return ""
    ranks = " Ranks alone were published: a score is the share of the other sources that a source outranks."
    said = re.sub(r" \(sha256 [0-9a-f]+\)", "", answer.imported_from)
    said = said[0].upper() + said[1:]
    return f"{said}.{ranks if answer.metric == SHARE_OUTRANKED else ''}"


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
