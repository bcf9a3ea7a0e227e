"""A matrix at a glance: its axes and its mean scores."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from matrices.cells import BASELINE
from matrices.credit import credit
from matrices.grid import family, in_family_order
from matrices.held import Held
from matrices.places import place_of
from matrices.reading import MatrixInfo, UnknownMatrixError, compositions, selections
from matrices.recommend import UnknownWayError, named
from service.schemas import Grid, MatrixDetail, Place


def info_of(held: Held, matrix: str) -> MatrixInfo:
    """The line of one matrix. Raises ``UnknownMatrixError``."""
    infos = {info.matrix: info for info in held.matrices()}
    if matrix not in infos:
        raise UnknownMatrixError(matrix, list(infos))
    return infos[matrix]


def detail(held: Held, matrix: str, composition: str | None = None, selection: str | None = None) -> MatrixDetail:
    """Everything about one matrix but its cells. Raises ``UnknownMatrixError`` and ``UnknownWayError``."""
    info = info_of(held, matrix)
    cells = held.kept[matrix].cells
    means, about = grid_of(cells, composition, selection), credit(held, matrix)
    codes = sorted({*means.sources, *means.targets})
    return MatrixDetail(
        matrix=matrix,
        kind=info.kind,
        task=info.task,
        metric=about.metric,
        encoder=info.encoder,
        version=info.version,
        cells=info.cells,
        failed=cells.num_rows - info.cells,
        seeds=sorted(pc.unique(cells["seed"]).to_pylist()),
        compositions=compositions(cells),
        selections=selections(cells),
        names={code: named(code).name for code in codes},
        families={code: family(code) for code in codes if family(code)},
        places={code: place for code in codes if (place := place_from(code)) is not None},
        grid=means,
        measured_on=held.provenance,
        non_commercial=about.non_commercial,
        citation=about.citation,
    )


def place_from(code: str) -> Place | None:
    """Where a language is at home, as an answer says it."""
    found = place_of(code)
    return None if found is None else Place(latitude=found[0], longitude=found[1])


def grid_of(cells: pa.Table, composition: str | None, selection: str | None) -> Grid:
    """Mean scores of one composition and selection; default those a recommendation answers from.

    Raises ``UnknownWayError``.
    """
    rows = cells.select(["composition", "selection", "source", "target", "score"])
    rows = rows.filter(pc.equal(cells["status"], "ok"))
    baselines = rows.filter(pc.equal(rows["composition"], BASELINE))
    rows = rows.filter(pc.and_(pc.not_equal(rows["composition"], BASELINE), pc.is_valid(rows["source"])))
    composition = _chosen("composition", composition, compositions(rows), "stack")
    rows = rows.filter(pc.equal(rows["composition"], composition))
    selection = _chosen("selection", selection, selections(rows), "last")
    rows = rows.filter(pc.equal(rows["selection"], selection))
    baselines = baselines.filter(pc.equal(baselines["selection"], selection))
    means = rows.group_by(["source", "target"], use_threads=False).aggregate([("score", "mean")]).to_pydict()
    sources, targets = in_family_order(means["source"]), in_family_order(means["target"])
    at = {code: index for index, code in enumerate(sources)}, {code: index for index, code in enumerate(targets)}
    scores: list[list[float | None]] = [[None] * len(targets) for _ in sources]
    for source, target, score in zip(means["source"], means["target"], means["score_mean"], strict=True):
        scores[at[0][source]][at[1][target]] = score
    start = baselines.group_by("target", use_threads=False).aggregate([("score", "mean")]).to_pydict()
    baseline = dict(zip(start["target"], start["score_mean"], strict=True))
    return Grid(
        composition=composition,
        selection=selection,
        sources=list(sources),
        targets=list(targets),
        scores=scores,
        baseline=[baseline.get(target) for target in targets],
    )


def _chosen(what: str, given: str | None, there: list[str], usual: str) -> str:
    if given is None:
        return next(iter(there), usual)
    if given not in there:
        raise UnknownWayError(what, given, there)
    return given
