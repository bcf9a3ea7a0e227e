"""A matrix at a glance: its axes and its mean scores."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from matrices.grid import grid
from matrices.held import Held
from matrices.reading import MatrixInfo, UnknownMatrixError, compositions, selections
from matrices.recommend import named
from matrices.view import NoScoresError
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
    means = _grid(cells)
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
        names={code: named(code).name for code in sorted({*means.sources, *means.targets})},
        grid=means,
        measured_on=held.provenance,
    )


def _grid(cells: pa.Table) -> Grid:
    try:
        found = grid(cells)
    except NoScoresError:
        return Grid(composition="stack", selection="last", sources=[], targets=[], scores=[], baseline=[])
    return Grid(
        composition=found.composition,
        selection=found.selection,
        sources=list(found.sources),
        targets=list(found.targets),
        scores=[[found.scores.get((source, target)) for target in found.targets] for source in found.sources],
        baseline=[found.baseline.get(target) for target in found.targets],
    )
