"""Which source does best on average over a matrix: the bar any recommendation has to clear."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from matrices.scores import Floats, ScoreTable, mean_scores, on_usual_items


def popularity(cells: pa.Table, target: str, *, composition: str, selection: str) -> dict[str, float]:
    """Mean z-score of each source over the targets other than ``target``, from the cells of one matrix.

    As ``mean_z_scores``, of scores averaged over seeds; a source without one is left out.
    """
    kept = pc.and_(pc.equal(cells["composition"], composition), pc.equal(cells["selection"], selection))
    rows = cells.select(["source", "target", "seed", "score", "n_items", "created_at"]).filter(
        pc.and_(kept, pc.and_(pc.equal(cells["status"], "ok"), pc.is_valid(cells["source"])))
    )
    table = mean_scores(on_usual_items(rows))
    average = mean_z_scores(table, target)
    return {source: value for source, value in zip(table.sources, average.tolist(), strict=True) if np.isfinite(value)}


def mean_z_scores(table: ScoreTable, target: str) -> Floats:
    """Mean z-score of each source over the targets other than ``target`` [S]; NaN of one measured on few.

    Scores are standardised among the sources of a target; a target's own language is no source of it. A source measured
    on fewer than half of those targets has none: few targets make lucky averages.
    """
    others = np.array([code != target for code in table.targets])
    scores = table.without_selves().scores[:, others]
    known = np.isfinite(scores)
    measured = known.any(axis=0)
    scores, known = scores[:, measured], known[:, measured]
    count = known.sum(axis=0)
    centred = np.where(known, scores - np.where(known, scores, 0).sum(axis=0) / count, 0)
    spread = np.sqrt((centred**2).sum(axis=0) / count)
    # Scores that are all alike differ by rounding alone.
    standard = np.divide(centred, spread, out=np.zeros_like(centred), where=spread > 1e-12)
    times = known.sum(axis=1)
    average = np.full(len(table.sources), np.nan)
    enough = (times > 0) & (2 * times >= known.shape[1])
    average[enough] = standard.sum(axis=1)[enough] / times[enough]
    return average
