"""What other matrices of a store have for a target that one matrix was not measured on: scores, or nearer relatives."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from matrices.languages import kinship
from matrices.reading import MatrixInfo, Reader
from matrices.recommend.answer import Elsewhere
from matrices.recommend.names import named
from matrices.view import choose

MOST = 3
_READ = ("composition", "selection", "source", "target", "status", "score")


def elsewhere(
    reader: Reader, version: int, infos: Iterable[MatrixInfo], asked: MatrixInfo, target: str, nearest: int
) -> tuple[Elsewhere, ...]:
    """Up to three matrices that have a score on the target, or a source nearer to it than ``nearest`` (``kinship``).

    Those of the task that was ``asked`` for come first, then those that were measured on it, then by kinship.
    """
    found = []
    for info in infos:
        if info.matrix != asked.matrix:
            cells = reader.cells(info.matrix, version=version, columns=_READ)
            offer = _offer(info, cells, target, nearest)
            found += [offer] if offer is not None else []
    found.sort(key=lambda one: (one.task != asked.task, not one.measured, -kinship(one.source, target), one.matrix))
    return tuple(found[:MOST])


def _offer(info: MatrixInfo, cells: pa.Table, target: str, nearest: int) -> Elsewhere | None:
    transfers = pc.and_(pc.equal(cells["status"], "ok"), pc.not_equal(cells["source"], cells["target"]))
    cells = cells.filter(pc.fill_null(transfers, False))
    if not cells.num_rows:
        return None
    composition, selection = choose(cells, target=target)
    chosen = pc.and_(pc.equal(cells["composition"], composition), pc.equal(cells["selection"], selection))
    cells = cells.filter(chosen)
    on_target = cells.filter(pc.equal(cells["target"], target))
    if on_target.num_rows:
        source, score = _best(on_target)
        return _made(info, source, score)
    # What a source scores on other targets says which of the nearest relatives does best.
    near = {code: kinship(code, target) for code in pc.unique(cells["source"]).to_pylist()}
    closest = max(near.values(), default=0)
    if closest <= nearest:
        return None
    relatives = [code for code, kin in near.items() if kin == closest]
    source, _ = _best(cells.filter(pc.is_in(cells["source"], pa.array(relatives, pa.string()))))
    return _made(info, source, None)


def _best(cells: pa.Table) -> tuple[str, float]:
    means = cells.group_by("source", use_threads=False).aggregate([("score", "mean")]).to_pylist()
    best = max(means, key=lambda one: (one["score_mean"], one["source"]))
    return best["source"], best["score_mean"]


def _made(info: MatrixInfo, source: str, score: float | None) -> Elsewhere:
    return Elsewhere(
        matrix=info.matrix,
        kind=info.kind,
        task=info.task,
        encoder=info.encoder,
        source=source,
        name=named(source).name,
        measured=score is not None,
        score=score,
    )


def nearest_of(sources: Sequence[str], target: str) -> int:
    """How near the nearest of some sources is to a target, as ``kinship`` says; 0 of none that is related."""
    return max((kinship(source, target) for source in sources), default=0)
