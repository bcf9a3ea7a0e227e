"""Recommend sources for a target: from what was measured on it, and where that is not all, from predictions too."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from matrices.cells import IMPORTED
from matrices.encoders import saw
from matrices.items import Items
from matrices.reading import Provenance, there_is
from matrices.recommend.answer import Knowledge, RankedSource, Recommendation
from matrices.recommend.names import named
from matrices.recommend.narrative import advice, basis, verdicts
from matrices.recommend.outlook import NothingToPredictError, Outlook, Predict
from matrices.recommend.popularity import popularity
from matrices.recommend.predicted.knowledge import together
from matrices.recommend.ranking import compare, measured, ranking
from matrices.recommend.verdict import verdict
from matrices.shots import Shots, shots_of
from matrices.view import MatrixView, NoScoresError, choose, view


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
    pretrained: Collection[str] | None = None,
    items: Mapping[str, Items] | None = None,
    read: Callable[[str], pa.Table] | None = None,
) -> Recommendation:
    """The ``k`` best sources for ``target`` (ISO 639-3) of one matrix, from its cells (one row a cell).

    ``composition`` and ``selection`` default as ``matrices.view.choose`` says; ``items`` and ``read`` are as in
    ``matrices.view.view``. The matrix's sources that were not measured on the target, and those ``asked`` about, are
    ranked as ``predict`` expects them; without it they are left out. ``pretrained`` are the languages that the encoder
    was pretrained on, where that is known. Raises ``UnknownTargetError`` where that leaves none.
    """
    composition, selection = choose(cells, composition=composition, selection=selection, target=target)
    shown = _view(cells, composition, selection, items, read)
    sources = set() if shown is None else set(shown.sources)
    average = popularity(shown, target) if shown is not None and target in shown.targets else {}
    found = measured(shown, target, average) if shown is not None and target in shown.targets else None
    there = set() if found is None else {source.source for source in found.sources}
    missing = (sources | set(asked)) - there - {target}
    outlook, why = _outlook(predict, target, asked) if predict is not None and missing else (None, "")
    ranked, shortlist = ranking(found, outlook, target)
    if not ranked:
        raise UnknownTargetError(target, targets(cells), cells["matrix"][0].as_py(), why)
    said = verdict(ranked, shortlist)
    answer = Recommendation(
        matrix=cells["matrix"][0].as_py(),
        version=version,
        kind=cells["kind"][0].as_py(),
        task=cells["task"][0].as_py(),
        metric=cells["metric"][0].as_py() if shown is None else shown.metric,
        encoder=cells["encoder"][0].as_py(),
        composition=composition,
        selection=selection,
        target=named(target),
        pretrained=saw(pretrained, target),
        k=k,
        ranked=len(ranked),
        sources=tuple(ranked[:k]),
        tied=tuple(source.source for source in ranked if source.tied_with_best),
        ties_known=all(source.tied_with_best is not None for source in ranked),
        comparison=compare(found, target, ranked),
        method=found.method if found is not None and there else "prediction",
        failed=0 if shown is None else shown.failed.get(target, 0),
        other_items=0 if shown is None else shown.other_items.get(target, 0),
        basis="",
        measured_on=measured_on,
        predicted=sum(not source.measured for source in ranked),
        shortlist=shortlist,
        asked=tuple(source for source in ranked if source.source in asked),
        features=() if outlook is None else outlook.features,
        knowledge=_knowledge(ranked),
        imported_from=_origin(cells),
        verdicts=verdicts(ranked),
        verdict=said,
        advice="",
        shots=_shots(cells, target, composition, selection, read),
    )
    like_no_other = answer.pretrained is False and set(targets(cells)) <= set(pretrained or ())
    return replace(answer, basis=basis(answer, like_no_other=like_no_other), advice=advice(answer, ranked))


def _shots(
    cells: pa.Table, target: str, composition: str, selection: str, read: Callable[[str], pa.Table] | None
) -> Shots | None:
    """What labelled items of the target add, where that was measured."""
    if "shots" not in cells.column_names:
        return None
    learned = pc.and_(pc.greater(cells["shots"], 0), pc.equal(cells["target"], target))
    if not pc.any(learned).as_py() or (read is None and "correct" not in cells.column_names):
        return None
    return shots_of(read(target) if read else cells, target, composition=composition, selection=selection)


def _view(
    cells: pa.Table,
    composition: str,
    selection: str,
    items: Mapping[str, Items] | None,
    read: Callable[[str], pa.Table] | None,
) -> MatrixView | None:
    try:
        return view(cells, composition=composition, selection=selection, items=items, read=read)
    except NoScoresError:
        return None


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
