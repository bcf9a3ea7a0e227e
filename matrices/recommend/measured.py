"""Recommend from what was measured: rank the sources of a target, and say how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace

import pyarrow as pa
import pyarrow.compute as pc

from matrices.reading import Provenance, compositions, selections, there_is
from matrices.recommend.answer import Comparison, Effect, RankedSource, Recommendation, Score, Verdict
from matrices.recommend.column import Column, Key, column
from matrices.recommend.names import named
from matrices.recommend.popularity import popularity
from matrices.recommend.uncertainty import Difference, Uncertainty
from matrices.recommend.words import basis

BASELINE_KEY: Key = None


class UnknownTargetError(LookupError):
    """A language that no source was measured on in this matrix; the message names those there are."""

    def __init__(self, target: str, known: Sequence[str], matrix: str) -> None:
        self.target, self.known, self.matrix = target, tuple(known), matrix
        super().__init__(f"{target} was not measured as a target in {matrix}; {there_is(target, known, most=40)}")


def targets(cells: pa.Table) -> list[str]:
    """The languages that at least one other language was measured on, sorted."""
    kept = pc.and_(pc.equal(cells["status"], "ok"), pc.not_equal(cells["source"], cells["target"]))
    return sorted(pc.unique(cells["target"].filter(kept)).to_pylist())


def recommend(
    cells: pa.Table,
    target: str,
    k: int = 5,
    *,
    composition: str | None = None,
    selection: str | None = None,
    version: int = 0,
    measured_on: Provenance | None = None,
) -> Recommendation:
    """The ``k`` best sources for ``target`` (ISO 639-3) of one matrix, from its cells (one row a cell).

    Per-item lists are read in the target's rows alone. ``composition`` and ``selection`` default to ``stack`` and
    ``last`` where the matrix has them, else to the first by name. Raises ``UnknownTargetError``.
    """
    ours = cells.filter(pc.equal(cells["target"], target))
    scored = ours.filter(pc.equal(ours["status"], "ok"))
    composition = composition or next(iter(compositions(scored)), "stack")
    selection = selection or next(iter(selections(scored.filter(pc.equal(scored["composition"], composition)))), "last")
    runs = column(ours, target, composition=composition, selection=selection)
    if runs is None or not set(runs.runs) - {BASELINE_KEY, target}:
        raise UnknownTargetError(target, targets(cells), cells["matrix"][0].as_py())
    average = popularity(cells, target, composition=composition, selection=selection)
    kind = ours["kind"][0].as_py()
    uncertainty = Uncertainty(runs)
    ranked = _rank(runs, uncertainty, average, with_effect=kind == "interference")
    answer = Recommendation(
        matrix=ours["matrix"][0].as_py(),
        version=version,
        kind=kind,
        task=ours["task"][0].as_py(),
        metric=runs.metric,
        encoder=ours["encoder"][0].as_py(),
        composition=composition,
        selection=selection,
        target=named(target),
        k=k,
        ranked=len(ranked),
        sources=tuple(ranked[:k]),
        tied=tuple(source.source for source in ranked if source.tied_with_best),
        comparison=_compare(runs, uncertainty, ranked),
        method=uncertainty.method,
        failed=runs.failed,
        basis="",
        measured_on=measured_on,
    )
    return replace(answer, basis=basis(answer))


def _rank(
    runs: Column, uncertainty: Uncertainty, average: dict[str, float], *, with_effect: bool
) -> list[RankedSource]:
    sources = [source for source in runs.runs if source is not None and source != runs.target]
    sources.sort(key=lambda source: (-runs.runs[source].mean, source))
    with_effect = with_effect and BASELINE_KEY in runs.runs
    return [
        RankedSource(
            **asdict(_score(runs, uncertainty, source)),
            rank=rank,
            source=source,
            name=named(source).name,
            tied_with_best=rank == 1 or uncertainty.difference(source, sources[0]).undecided,
            average_z=average.get(source),
            effect=_effect(uncertainty.difference(source, BASELINE_KEY)) if with_effect else None,
        )
        for rank, source in enumerate(sources, start=1)
    ]


def _compare(runs: Column, uncertainty: Uncertainty, ranked: Sequence[RankedSource]) -> Comparison:
    popular = [source for source in ranked if source.average_z is not None]
    return Comparison(
        english=next((source for source in ranked if source.source == "eng"), None),
        best_average=max(popular, key=lambda source: (source.average_z or 0.0, -source.rank), default=None),
        in_language=_score(runs, uncertainty, runs.target) if runs.target in runs.runs else None,
        baseline=_score(runs, uncertainty, BASELINE_KEY) if BASELINE_KEY in runs.runs else None,
    )


def _score(runs: Column, uncertainty: Uncertainty, source: Key) -> Score:
    scores = runs.runs[source].scores
    return Score(
        score=runs.runs[source].mean,
        sd=float(scores.std(ddof=1)) if len(scores) > 1 else None,
        seeds=len(scores),
        n_items=runs.n_items,
        interval=uncertainty.interval(source),
        measured=True,
    )


def _effect(difference: Difference) -> Effect:
    verdict: Verdict = "undecided" if difference.undecided else "helps" if difference.mean > 0 else "harms"
    return Effect(difference=difference.mean, interval=difference.interval, verdict=verdict)
