"""Recommend sources for a target: from what was measured on it, and where that is not all, from predictions too."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from matrices.cells import IMPORTED
from matrices.encoders import saw
from matrices.reading import Provenance, compositions, selections, there_is
from matrices.recommend.answer import Knowledge, RankedSource, Recommendation
from matrices.recommend.column import column
from matrices.recommend.effects import BASELINE_KEY, Effects, approximate_effects
from matrices.recommend.names import named
from matrices.recommend.outlook import NothingToPredictError, Outlook, Predict
from matrices.recommend.popularity import popularity
from matrices.recommend.predicted.knowledge import together
from matrices.recommend.ranking import compare, ranking
from matrices.recommend.uncertainty import method_of
from matrices.recommend.words import advice, basis, verdicts


class UnknownTargetError(LookupError):
    """A language about which nothing can be said in this matrix; the message names the targets there are."""

    def __init__(self, target: str, known: Sequence[str], matrix: str, why: str = "") -> None:
        self.target, self.known, self.matrix = target, tuple(known), matrix
        reason = f", and nothing can be predicted: {why}" if why else ""
        super().__init__(
            f"{target} was not measured as a target in {matrix}{reason}; {there_is(target, known, most=40)}"
        )


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
    asked: Sequence[str] = (),
    predict: Predict | None = None,
    effects: Effects | None = None,
    pretrained: Collection[str] | None = None,
) -> Recommendation:
    """The ``k`` best sources for ``target`` (ISO 639-3) of one matrix, from its cells (one row a cell).

    Per-item lists are read in the target's rows alone. ``composition`` and ``selection`` default as ``usual`` says.
    The matrix's sources that were not measured on the target, and those ``asked`` about, are ranked as ``predict``
    expects them; without it they are left out. ``effects`` are those of the measure `interference`; without them they
    are approximated from the target's runs. ``pretrained`` are the languages that the encoder was pretrained on, where
    that is known. Raises ``UnknownTargetError`` where that leaves none.
    """
    ours = cells.filter(pc.equal(cells["target"], target))
    if composition is None or selection is None:
        composition, selection = usual(cells, target, composition, selection)
    runs = column(ours, target, composition=composition, selection=selection)
    measured = set() if runs is None else set(runs.runs) - {BASELINE_KEY, target}
    missing = (sources(cells, composition, selection) | set(asked)) - measured - {target}
    outlook, why = _outlook(predict, target, asked) if predict is not None and missing else (None, "")
    # A model has read the whole matrix already: where all is predicted, reading it again would be the slow part.
    average = popularity(cells, target, composition=composition, selection=selection) if measured else {}
    if effects is None:
        effects = {} if runs is None else approximate_effects(runs)
    ranked, shortlist = ranking(runs, outlook, average, target, effects)
    if not ranked:
        raise UnknownTargetError(target, targets(cells), cells["matrix"][0].as_py(), why)
    answer = Recommendation(
        matrix=cells["matrix"][0].as_py(),
        version=version,
        kind=cells["kind"][0].as_py(),
        task=cells["task"][0].as_py(),
        metric=cells["metric"][0].as_py() if runs is None else runs.metric,
        encoder=cells["encoder"][0].as_py(),
        composition=composition,
        selection=selection,
        target=named(target),
        pretrained=saw(pretrained, target),
        k=k,
        ranked=len(ranked),
        sources=tuple(ranked[:k]),
        tied=tuple(source.source for source in ranked if source.tied_with_best),
        comparison=compare(runs, target, ranked),
        method="prediction" if runs is None or not measured else method_of(runs),
        failed=0 if runs is None else runs.failed,
        basis="",
        measured_on=measured_on,
        predicted=sum(not source.measured for source in ranked),
        shortlist=shortlist,
        asked=tuple(source for source in ranked if source.source in asked),
        features=() if outlook is None else outlook.features,
        knowledge=_knowledge(ranked),
        imported_from=_origin(cells),
        verdicts=verdicts(ranked),
        advice="",
    )
    like_no_other = answer.pretrained is False and set(targets(cells)) <= set(pretrained or ())
    other_items = 0 if runs is None else runs.other_items
    said = basis(answer, like_no_other=like_no_other, other_items=other_items)
    return replace(answer, basis=said, advice=advice(answer, ranked))


def usual(
    cells: pa.Table, target: str, composition: str | None = None, selection: str | None = None
) -> tuple[str, str]:
    """The composition and selection to answer from, where none is named.

    ``stack`` and ``last`` where the target, or else the matrix, has scores of them, else the first by name.
    """
    kept = pc.equal(cells["status"], "ok")
    of_target = pc.and_(kept, pc.and_(pc.equal(cells["target"], target), pc.is_valid(cells["source"])))
    scored = cells.select(["composition", "selection"]).filter(of_target if pc.any(of_target).as_py() else kept)
    composition = composition or next(iter(compositions(scored)), "stack")
    selection = selection or next(iter(selections(scored.filter(pc.equal(scored["composition"], composition)))), "last")
    return composition, selection


def sources(cells: pa.Table, composition: str, selection: str) -> set[str]:
    """The languages that were measured as a source, on any target, under one composition and selection."""
    kept = pc.and_(pc.equal(cells["composition"], composition), pc.equal(cells["selection"], selection))
    kept = pc.and_(kept, pc.equal(cells["status"], "ok"))
    return set(pc.unique(cells["source"].filter(kept)).to_pylist()) - {None}


def _outlook(predict: Predict, target: str, asked: Sequence[str]) -> tuple[Outlook | None, str]:
    try:
        return predict(target, asked), ""
    except NothingToPredictError as error:
        return None, str(error)


def _knowledge(ranked: Sequence[RankedSource]) -> Knowledge | None:
    pairs = [source.knowledge for source in ranked if source.knowledge is not None]
    return together(pairs) if pairs else None


def _origin(cells: pa.Table) -> str | None:
    """Where imported cells came from, as ``matrices.importing`` says it."""
    if not {"device", "provenance"} <= {*cells.column_names}:
        return None
    imported = cells.filter(pc.equal(cells["device"], IMPORTED))
    return "; ".join(sorted(filter(None, pc.unique(imported["provenance"]).to_pylist()))) or None
