"""A matrix at a glance: its axes and its mean scores."""

from __future__ import annotations

import math

import numpy as np
import pyarrow.compute as pc

from matrices.arrays import Floats
from matrices.credit import credit
from matrices.grid import family, in_family_order
from matrices.languoids import place_of
from matrices.reading import MatrixInfo, UnknownMatrixError
from matrices.recommend import Shown, named
from matrices.snapshot import Snapshot
from service.prepared import PreparedMatrices
from service.schemas import Grid, MatrixDetail, Place


def info_of(held: Snapshot, matrix: str) -> MatrixInfo:
    """The line of one matrix. Raises ``UnknownMatrixError``."""
    infos = {info.matrix: info for info in held.matrices()}
    if matrix not in infos:
        raise UnknownMatrixError(matrix, list(infos))
    return infos[matrix]


def detail(
    held: Snapshot,
    matrices: PreparedMatrices,
    matrix: str,
    composition: str | None = None,
    selection: str | None = None,
) -> MatrixDetail:
    """Everything about one matrix but its cells. Raises ``UnknownMatrixError`` and ``UnknownWayError``."""
    info = info_of(held, matrix)
    cells = held.kept[matrix].cells
    means = grid_of(matrices.chosen(matrix, composition, selection))
    about, outline = credit(held, matrix), matrices.outline(matrix)
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
        compositions=list(outline.compositions),
        selections=list(outline.selections),
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


def grid_of(shown: Shown | None) -> Grid:
    """The mean scores of a matrix; an empty grid where there are none."""
    if shown is None:
        return Grid(composition="stack", selection="last", sources=[], targets=[], scores=[], baseline=[])
    view = shown.view
    sources, targets = in_family_order(view.sources), in_family_order(view.targets)
    rows, columns = (
        [axis.index(code) for code in codes] for axis, codes in ((view.sources, sources), (view.targets, targets))
    )
    return Grid(
        composition=view.composition,
        selection=view.selection,
        sources=list(sources),
        targets=list(targets),
        scores=[_or_none(row) for row in view.means[np.ix_(rows, columns)]],
        baseline=_or_none(view.baseline_means[columns]),
    )


def _or_none(values: Floats) -> list[float | None]:
    """Numbers as JSON has them."""
    return [value if math.isfinite(value) else None for value in values.tolist()]
