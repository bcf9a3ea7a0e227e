"""One ranking of measured and predicted sources, with the effect of each and the easy choices to compare with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pyarrow as pa

from matrices.arrays import Floats
from matrices.languages import kinship
from matrices.measures.interference import changes_on, labels
from matrices.measures.ranks import ranked as by_mean
from matrices.recommend.answer import Comparison, Effect, Method, RankedSource, Score
from matrices.recommend.names import named
from matrices.recommend.prediction import CONFIDENCE, Expected, Outlook, shortlist
from matrices.uncertainty.comparison import TargetRuns
from matrices.uncertainty.components import LEVEL, SeedVariance
from matrices.uncertainty.resampling import Resamples
from matrices.view import MatrixView, MeasureError

TIED = {"tied": True, "worse": False, "unknown": None}


@dataclass(frozen=True, kw_only=True)
class MeasuredTarget:
    """What was measured on one target: ``sources``, the best first, and what no transfer gives."""

    sources: tuple[RankedSource, ...]
    in_language: Score | None
    baseline: Score | None
    method: Method


@dataclass(frozen=True, eq=False)
class Shown:
    """A view of a matrix, and what its runs together say of seeds: the same for all of its targets."""

    view: MatrixView

    @cached_property
    def seeds(self) -> SeedVariance:
        """The variance over seeds; computed once, however many targets are ranked."""
        return SeedVariance(self.view)

    def reading(self, read: Callable[[str], pa.Table]) -> Shown:
        """The same with outcomes of items from ``read``, as ``MatrixView.reading`` says."""
        again = Shown(self.view.reading(read))
        again.__dict__["seeds"] = self.seeds
        return again


def measured(shown: Shown, target: str, average: Mapping[str, float]) -> MeasuredTarget:
    """What was measured on ``target``; no other target's outcomes are read. ``average``: sources' mean z-scores."""
    view, seeds = shown.view.without_outcomes_read(), shown.seeds
    samples = Resamples(view)
    try:
        runs = TargetRuns(view, target, samples, seeds)
    except MeasureError:
        # Items that are not those scored say nothing of how scores hang together.
        view = replace(view, read_outcomes=lambda _: None)
        runs = TargetRuns(view, target, samples, seeds)
    order = by_mean(view, target)
    scores = _scores(view, target, runs)
    effects = effects_on(view, target, runs, samples, seeds)
    best = runs.probabilities_best(order)
    sources = [
        _ranked(view.sources[at], score, rank, average, effects)
        for rank, at in enumerate(order.tolist(), start=1)
        if (score := scores[at]) is not None
    ]
    ties = runs.ties(order)
    chances = [None] * len(order) if best is None else best.tolist()
    return MeasuredTarget(
        sources=tuple(
            replace(source, tied_with_best=TIED[tie], probability_best=chance)
            for source, tie, chance in zip(sources, ties, chances, strict=True)
        ),
        in_language=scores[view.sources.index(target)] if target in view.sources else None,
        baseline=scores[-1],
        method=_method(view, runs),
    )


def ranking(
    on_target: MeasuredTarget | None, outlook: Outlook | None, target: str
) -> tuple[list[RankedSource], tuple[str, ...]]:
    """Every source that was measured on the target or can be predicted, by score, then code; and the 90% shortlist.

    A measured source keeps its mean score and its interval. Where some sources are predicted, all are ranked by the
    score expected of them, which for a measured one is shrunk towards its prediction. Probabilities of being the best
    are then the outlook's, and a source on its shortlist counts as tied with the best. A measured source that is beyond
    doubt worse than the best measured one is not on it: the items say that more surely than a model of other targets.
    """
    sources = [] if on_target is None else list(on_target.sources)
    not_predicted = {source.source for source in sources} | {target}
    predicted = [] if outlook is None else [source for source in outlook.expected if source.source not in not_predicted]
    if outlook is None or not predicted:
        probabilities = {
            source.source: source.probability_best for source in sources if source.probability_best is not None
        }
        return sources, shortlist(probabilities)
    drawn = {source.source: source.score for source in outlook.expected}
    sources = [replace(source, expected=drawn.get(source.source, source.score)) for source in sources]
    places: list[RankedSource | Expected] = sorted(
        [*sources, *predicted], key=lambda source: (-drawn.get(source.source, source.score), source.source)
    )
    best = {source.source: source.probability_best for source in outlook.expected}
    worse = {source.source for source in sources if source.tied_with_best is False}
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


def compare(on_target: MeasuredTarget | None, target: str, ranked: Sequence[RankedSource]) -> Comparison:
    """The easy choices, each with its place in the ranking, and what the target scores without transfer."""
    popular = [source for source in ranked if source.average_z is not None]
    related = [source for source in popular if kinship(source.source, target)]
    return Comparison(
        english=next((source for source in ranked if source.source == "eng"), None),
        best_average=max(popular, key=_popularity, default=None),
        in_language=None if on_target is None else on_target.in_language,
        baseline=None if on_target is None else on_target.baseline,
        nearest_family=max(
            related, key=lambda source: (kinship(source.source, target), *_popularity(source)), default=None
        ),
    )


def _scores(view: MatrixView, target: str, runs: TargetRuns) -> list[Score | None]:
    """What was measured of every source of the view, and of the baseline last; None where nothing was."""
    place = view.targets.index(target)
    baseline = view.baseline[place]
    if view.kind == "zero_shot" and len(np.unique(baseline)) == 1:
        # The constant answer was measured once, for all seeds.
        baseline = np.where(np.arange(len(baseline)) == 0, baseline, np.nan)
    of_runs = np.vstack([view.scores[:, place], baseline])
    return [
        _score(values[np.isfinite(values)], runs.items, low, high) if np.isfinite(values).any() else None
        for values, low, high in zip(of_runs, *(end.tolist() for end in runs.intervals()), strict=True)
    ]


def _score(scores: Floats, items: int, low: float, high: float) -> Score:
    return Score(
        score=float(scores.mean()),
        sd=float(scores.std(ddof=1)) if len(scores) > 1 else None,
        seeds=len(scores),
        n_items=items,
        interval=(low, high),
        measured=True,
        level=LEVEL,
    )


def _method(view: MatrixView, runs: TargetRuns) -> Method:
    if runs.paired:
        return "joint_item_bootstrap"
    if view.metric == "accuracy" and runs.items > 1:
        return "normal_approximation"
    return "as_published" if np.isfinite(runs.errors()).any() and view.stated is not None else "items_unknown"


def _ranked(source: str, score: Score, rank: int, average: Mapping[str, float], effects: Effects) -> RankedSource:
    return RankedSource(
        **vars(score),
        rank=rank,
        expected=score.score,
        source=source,
        name=named(source).name,
        tied_with_best=None,
        average_z=average.get(source),
        effect=effects.get(source),
        probability_best=None,
        rests_on=(),
        knowledge=None,
    )


def _predicted(source: Expected, rank: int, *, tied: bool) -> RankedSource:
    return RankedSource(
        score=source.score,
        sd=None,
        seeds=0,
        n_items=0,
        interval=source.interval,
        measured=False,
        level=CONFIDENCE,
        rank=rank,
        expected=source.score,
        source=source.source,
        name=named(source.source).name,
        tied_with_best=tied,
        average_z=source.average_z,
        effect=None,
        probability_best=source.probability_best,
        rests_on=source.rests_on,
        knowledge=source.knowledge,
    )


def _popularity(source: RankedSource) -> tuple[float, int]:
    return source.average_z or 0.0, -source.rank


Effects = Mapping[str, Effect]
"""By source, on one target."""


def effects_on(view: MatrixView, target: str, runs: TargetRuns, samples: Resamples, seeds: SeedVariance) -> Effects:
    """The effect of every source on a target; none where there is no baseline, or nothing is known of the items.

    Without outcomes of items, an accuracy's interval is that of the difference of two independent shares: too wide, and
    not corrected for the number of sources.
    """
    if not np.isfinite(view.baseline_means[view.targets.index(target)]):
        return {}
    if runs.paired:
        changes = changes_on(view, target, samples, seeds)
        delta, half, q, said = changes.delta, changes.half, changes.q.tolist(), changes.labels
        places = changes.sources
    else:
        delta, half = runs.unpaired_changes()
        places = np.flatnonzero(np.isfinite(delta) & np.isfinite(half))
        delta, half = delta[places], half[places]
        q, said = [None] * len(places), labels(delta, half, np.zeros(len(places)))
    return {
        view.sources[at]: Effect(
            difference=change,
            interval=(change - reach, change + reach),
            verdict=label,
            q=rate,
            of_this_run=view.of_one_run,
        )
        for at, change, reach, rate, label in zip(places, delta.tolist(), half.tolist(), q, said, strict=True)
    }
