"""A matrix at a glance: its axes and its mean scores."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from matrices.cells import BASELINE
from matrices.held import Held
from matrices.reading import MatrixInfo, UnknownMatrixError
from matrices.recommend import named
from matrices.recommend.column import compositions, selections
from service.schemas import Grid, MatrixDetail


def info_of(held: Held, matrix: str) -> MatrixInfo:
    """The line of one matrix. Raises ``UnknownMatrixError``."""
    infos = {info.matrix: info for info in held.matrices()}
    if matrix not in infos:
        raise UnknownMatrixError(matrix, list(infos))
    return infos[matrix]


def detail(held: Held, matrix: str) -> MatrixDetail:
    """Everything about one matrix but its cells. Raises ``UnknownMatrixError``."""
    info = info_of(held, matrix)
    cells = held.cells(matrix)
    grid = _grid(cells)
    return MatrixDetail(
        matrix=matrix,
        kind=info.kind,
        task=info.task,
        metric=cells["metric"][0].as_py(),
        encoder=info.encoder,
        version=info.version,
        cells=info.cells,
        failed=cells.num_rows - info.cells,
        seeds=sorted(pc.unique(cells["seed"]).to_pylist()),
        compositions=compositions(cells),
        selections=selections(cells),
        names={code: named(code).name for code in sorted({*grid.sources, *grid.targets})},
        grid=grid,
        measured_on=held.provenance,
    )


def _grid(cells: pa.Table) -> Grid:
    composition = next(iter(compositions(cells)), "stack")
    of_composition = cells.filter(pc.equal(cells["composition"], composition))
    selection = next(iter(selections(of_composition)), "last")
    means = _means(of_composition.filter(pc.equal(of_composition["selection"], selection)))
    baseline = _means(cells.filter(pc.equal(cells["composition"], BASELINE)))
    sources = sorted({source for source, _ in means if source is not None})
    targets = sorted({target for _, target in means})
    return Grid(
        composition=composition,
        selection=selection,
        sources=sources,
        targets=targets,
        scores=[[means.get((source, target)) for target in targets] for source in sources],
        baseline=[baseline.get((None, target)) for target in targets],
    )


def _means(rows: pa.Table) -> dict[tuple[str | None, str], float]:
    measured = rows.select(["source", "target", "score"]).filter(pc.equal(rows["status"], "ok"))
    grouped = measured.group_by(["source", "target"]).aggregate([("score", "mean")])
    return {(row["source"], row["target"]): row["score_mean"] for row in grouped.to_pylist()}
