"""Recommend sources for a target: from what was measured on it, and where that is not all, from predictions too."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from matrices.encoders import saw
from matrices.items import Items
from matrices.languages import genealogy, kinship
from matrices.languoids import databases
from matrices.nearest import there_is
from matrices.reading import Provenance, Spreads
from matrices.recommend.alternatives import nearest_of, unlisted
from matrices.recommend.answer import Considered, Elsewhere, Knowledge, RankedSource, Recommendation
from matrices.recommend.names import named
from matrices.recommend.narrative import advice, basis, verdicts
from matrices.recommend.outline import Outline, outline
from matrices.recommend.popularity import popularity
from matrices.recommend.predicted.explain import together
from matrices.recommend.prediction import NothingToPredictError, Outlook, Predict
from matrices.recommend.ranking import Shown, compare, measured, ranking
from matrices.recommend.sets import one_is_enough, sets_of
from matrices.recommend.verdict import verdict
from matrices.shots import Shots
from matrices.view import NoScoresError, view

_MOST_CONSIDERED = 3

Others = Callable[[str, int], tuple[Elsewhere, ...]]
"""From a target, and how near the nearest source is, to what other matrices have."""


class UnknownTargetError(LookupError):
    """A language about which nothing can be said in this matrix; the message names the targets there are."""

    def __init__(self, target: str, known: Sequence[str], matrix: str, why: str = "") -> None:
        self.target, self.known, self.matrix = target, tuple(known), matrix
        reason = f", and nothing can be predicted: {why}" if why else ""
        super().__init__(
            f"{target} was not measured as a target in {matrix}{reason}; {there_is(target, known, most=40)}"
        )


@dataclass(frozen=True, eq=False)
class Ranking:
    """Every source of a target, ranked, and all that is to be said of them; answers show the first of them.

    ``like_no_other``: the encoder was pretrained on every target that was measured, and not on this one.
    """

    whole: Recommendation
    """The answer with every source."""
    like_no_other: bool

    def first(self, k: int) -> Recommendation:
        """The answer with the ``k`` best sources."""
        answer = replace(self.whole, k=k, sources=self.whole.sources[:k])
        return replace(answer, basis=basis(answer, like_no_other=self.like_no_other))


def recommend(
    cells: pa.Table,
    target: str,
    k: int = 5,
    *,
    composition: str | None = None,
    selection: str | None = None,
    version: int = 0,
    measured_on: Provenance | None = None,
    asked: Sequence[str] = (),
    predict: Predict | None = None,
    pretrained: Collection[str] | None = None,
    items: Mapping[str, Items] | None = None,
    read: Callable[[str], pa.Table] | None = None,
    spreads: Spreads | None = None,
    others: Others = lambda target, nearest: (),
) -> Recommendation:
    """The ``k`` best sources for ``target`` (ISO 639-3) of one matrix, from its cells (one row a cell).

    ``composition`` and ``selection`` default as ``matrices.view.choose`` says; ``items``, ``read`` and ``spreads`` are
    as in ``matrices.view.view``. The rest is as in ``rank``. Raises ``UnknownTargetError``.
    """
    about = outline(cells)
    composition, selection = about.choose(composition, selection, target)
    ranked = rank(
        about,
        shown(cells, composition, selection, items, read, spreads),
        target,
        composition=composition,
        selection=selection,
        version=version,
        measured_on=measured_on,
        asked=asked,
        predict=predict,
        pretrained=pretrained,
        others=others,
        shots=about.shots(target, composition, selection, read or (lambda _: cells)),
    )
    return ranked.first(k)


def rank(
    about: Outline,
    shown: Shown | None,
    target: str,
    *,
    composition: str,
    selection: str,
    version: int = 0,
    measured_on: Provenance | None = None,
    asked: Sequence[str] = (),
    predict: Predict | None = None,
    pretrained: Collection[str] | None = None,
    others: Others = lambda target, nearest: (),
    shots: Shots | None = None,
) -> Ranking:
    """All sources for ``target`` (ISO 639-3) of one matrix, as ``shown`` under a composition and selection.

    The matrix's sources that were not measured on the target, and those ``asked`` about, are ranked as ``predict``
    expects them; without it they are left out. ``pretrained`` are the languages that the encoder was pretrained on,
    where that is known. ``others`` gives what other matrices have for a target, or a source that is nearer to it than
    the kinship given; ``shots`` says what labelled items of the target add. Raises ``UnknownTargetError`` where that
    leaves no source.
    """
    view = None if shown is None else shown.view
    sources = set() if view is None else set(view.sources)
    average = popularity(view, target) if view is not None and target in view.targets else {}
    on_target = measured(shown, target, average) if shown is not None and target in shown.view.targets else None
    measured_sources = set() if on_target is None else {source.source for source in on_target.sources}
    missing = (sources | set(asked)) - measured_sources - {target}
    outlook, why = _outlook(predict, target, asked) if predict is not None and missing else (None, "")
    ranked, shortlist = ranking(on_target, outlook, target)
    if not ranked:
        raise UnknownTargetError(target, about.targets, about.matrix, why)
    nearest = nearest_of([source.source for source in ranked], target)
    unrelated = None if _kinless(target) else nearest == 0
    considered: tuple[Considered, ...] = ()
    if predict is not None and outlook is not None:
        candidates = unlisted(target, [source.source for source in ranked], about.targets)
        considered = _considered(predict, target, candidates, ranked[0].expected, best_of_all=bool(unrelated))
    regret = None if outlook is None else outlook.regret
    said = verdict(ranked, shortlist, regret=regret, unrelated=unrelated, considered=considered)
    expected_sets = () if outlook is None else outlook.sets
    best_measured = max((source.score for source in ranked if source.measured), default=None)
    some_predicted = any(not source.measured for source in ranked)
    answer = Recommendation(
        matrix=about.matrix,
        version=version,
        kind=about.kind,
        task=about.task,
        metric=about.metric if view is None else view.metric,
        encoder=about.encoder,
        composition=composition,
        selection=selection,
        target=named(target),
        pretrained=saw(pretrained, target),
        k=len(ranked),
        ranked=len(ranked),
        sources=tuple(ranked),
        tied=tuple(source.source for source in ranked if source.tied_with_best),
        ties_known=all(source.tied_with_best is not None for source in ranked),
        comparison=compare(on_target, target, ranked),
        method=on_target.method if on_target is not None and measured_sources else "prediction",
        failed=0 if view is None else view.failed.get(target, 0),
        other_items=0 if view is None else view.other_items.get(target, 0),
        basis="",
        measured_on=measured_on,
        predicted=sum(not source.measured for source in ranked),
        shortlist=shortlist,
        asked=tuple(source for source in ranked if source.source in asked),
        features=() if outlook is None else outlook.features,
        knowledge=_knowledge(ranked),
        unrelated=unrelated,
        considered=considered,
        elsewhere=others(target, nearest) if some_predicted else (),
        sets=sets_of(expected_sets, about.sets, target, best_measured),
        one_is_enough=one_is_enough(expected_sets),
        databases=databases(),
        imported_from=about.imported_from,
        verdicts=verdicts(ranked),
        verdict=said,
        advice="",
        shots=shots,
    )
    like_no_other = answer.pretrained is False and set(about.targets) <= set(pretrained or ())
    return Ranking(replace(answer, advice=advice(answer, ranked)), like_no_other)


def shown(
    cells: pa.Table,
    composition: str,
    selection: str,
    items: Mapping[str, Items] | None,
    read: Callable[[str], pa.Table] | None,
    spreads: Spreads | None,
) -> Shown | None:
    """A matrix's cells under a composition and selection, to rank any of its targets; None where there is no score."""
    try:
        found = view(cells, composition=composition, selection=selection, items=items, read=read, spreads=spreads)
        return Shown(found)
    except NoScoresError:
        return None


def _outlook(predict: Predict, target: str, asked: Sequence[str]) -> tuple[Outlook | None, str]:
    try:
        return predict(target, asked), ""
    except NothingToPredictError as error:
        return None, str(error)


def _kinless(target: str) -> bool:
    """Whether nothing can be said of a language's relatives: of a creole, say, or one that nobody knows."""
    kin = genealogy(target)
    return kin is None or kin.family == "other"


def _considered(
    predict: Predict, target: str, candidates: Sequence[str], best: float, *, best_of_all: bool
) -> tuple[Considered, ...]:
    """Of languages that nobody measured as a source those expected to do better than the ``best``; or the best there
    are."""
    if not candidates:
        return ()
    expected = [source for source in predict(target, candidates).expected if source.source in candidates]
    chosen = [source for source in expected if best_of_all or source.score > best]
    return tuple(
        Considered(
            source=source.source,
            name=named(source.source).name,
            score=source.score,
            interval=source.interval,
            same_genus=kinship(source.source, target) == 2,
        )
        for source in chosen[:_MOST_CONSIDERED]
    )


def _knowledge(ranked: Sequence[RankedSource]) -> Knowledge | None:
    pairs = [source.knowledge for source in ranked if source.knowledge is not None]
    return together(pairs) if pairs else None
