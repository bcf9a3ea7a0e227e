"""A matrix at a glance: its axes and its mean scores."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from matrices.coordinates import place_of
from matrices.credit import credit
from matrices.grid import family, grid
from matrices.held import Held
from matrices.reading import MatrixInfo, UnknownMatrixError, compositions, selections
from matrices.recommend import UnknownWayError, named
from matrices.view import NoScoresError
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
    for what, given, there in (
        ("composition", composition, compositions(cells)),
        ("selection", selection, selections(cells)),
    ):
        if given is not None and given not in there:
            raise UnknownWayError(what, given, there)
    try:
        found = grid(cells, composition=composition, selection=selection)
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
