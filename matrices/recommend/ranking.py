"""One ranking of what was measured and what is predicted, and what belongs beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace

from matrices.languages import kinship
from matrices.recommend.answer import Comparison, RankedSource, Score
from matrices.recommend.column import Column, Key
from matrices.recommend.effects import BASELINE_KEY, Effects
from matrices.recommend.names import named
from matrices.recommend.outlook import CONFIDENCE, Expected, Outlook, shortlist
from matrices.recommend.uncertainty import LEVEL, Uncertainty


def ranking(
    runs: Column | None, outlook: Outlook | None, average: Mapping[str, float], target: str, effects: Effects
) -> tuple[list[RankedSource], tuple[str, ...]]:
    """Every source that was measured on the target or can be predicted, by score, then code; and the 90% shortlist.

    A measured source keeps its mean score and the interval of that. With predictions among them, how probable each is
    to be the best is the outlook's to say, and who is on the shortlist is tied with the best; but for measured sources
    that are beyond doubt worse than the best measured one, which a model of other targets knows less of than its items.
    """
    measured = [] if runs is None else _measured(runs, average, effects)
    there = {source.source for source in measured} | {target}
    expected = [] if outlook is None else [one for one in outlook.expected if one.source not in there]
    if outlook is None or not expected:
        known = {one.source: one.probability_best for one in measured if one.probability_best is not None}
        return measured, shortlist(known)
    places: list[RankedSource | Expected] = sorted(
        [*measured, *expected], key=lambda source: (-source.score, source.source)
    )
    best = {one.source: one.probability_best for one in outlook.expected}
    worse = {one.source for one in measured if not one.tied_with_best}
    chosen = tuple(source for source in outlook.shortlist if source not in worse)
    ranked = [
        _predicted(source, rank, tied=source.source in chosen)
        if isinstance(source, Expected)
        else replace(
            source, rank=rank, probability_best=best.get(source.source), tied_with_best=source.source in chosen
        )
        for rank, source in enumerate(places, start=1)
    ]
    return ranked, chosen


def compare(runs: Column | None, target: str, ranked: Sequence[RankedSource]) -> Comparison:
    """The easy choices, each with its place in the ranking, and what the target scores without transfer."""
    popular = [source for source in ranked if source.average_z is not None]
    related = [source for source in popular if kinship(source.source, target)]

    def scored(key: Key) -> Score | None:
        return None if runs is None or key not in runs.runs else score(runs, Uncertainty(runs), key)

    return Comparison(
        english=next((source for source in ranked if source.source == "eng"), None),
        best_average=max(popular, key=_popularity, default=None),
        in_language=scored(target),
        baseline=scored(BASELINE_KEY),
        nearest_family=max(
            related, key=lambda source: (kinship(source.source, target), *_popularity(source)), default=None
        ),
    )


def score(runs: Column, uncertainty: Uncertainty, source: Key) -> Score:
    """What was measured of one source, or of the baseline."""
    scores = runs.runs[source].scores
    return Score(
        score=runs.runs[source].mean,
        sd=float(scores.std(ddof=1)) if len(scores) > 1 else None,
        seeds=len(scores),
        n_items=runs.n_items,
        interval=uncertainty.interval(source),
        measured=True,
        level=LEVEL,
    )


def _measured(runs: Column, average: Mapping[str, float], effects: Effects) -> list[RankedSource]:
    sources = [source for source in runs.runs if source is not None and source != runs.target]
    if not sources:
        return []
    sources.sort(key=lambda source: (-runs.runs[source].mean, source))
    uncertainty = Uncertainty(runs)
    best = uncertainty.probabilities(sources) or {}
    return [
        RankedSource(
            **asdict(score(runs, uncertainty, source)),
            rank=rank,
            source=source,
            name=named(source).name,
            tied_with_best=rank == 1 or uncertainty.difference(source, sources[0]).undecided,
            average_z=average.get(source),
            effect=effects.get(source),
            probability_best=best.get(source),
            rests_on=(),
            knowledge=None,
        )
        for rank, source in enumerate(sources, start=1)
    ]


def _predicted(one: Expected, rank: int, *, tied: bool) -> RankedSource:
    return RankedSource(
        score=one.score,
        sd=None,
        seeds=0,
        n_items=0,
        interval=one.interval,
        measured=False,
        level=CONFIDENCE,
        rank=rank,
        source=one.source,
        name=named(one.source).name,
        tied_with_best=tied,
        average_z=one.average_z,
        effect=None,
        probability_best=one.probability_best,
        rests_on=one.rests_on,
        knowledge=one.knowledge,
    )


def _popularity(source: RankedSource) -> tuple[float, int]:
    return source.average_z or 0.0, -source.rank
