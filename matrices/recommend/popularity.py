"""Which source does best on average over a matrix: the bar any recommendation has to clear.

Notation: S sources, T targets; z a score standardised among the sources of its target.
"""

from __future__ import annotations

import numpy as np

from matrices.scores import Floats, ScoreTable, score_table
from matrices.view import MatrixView


def popularity(view: MatrixView, target: str) -> dict[str, float]:
    """Mean z-score of each source over the targets other than ``target``.

    As ``mean_z_scores``, of scores averaged over seeds; a source without one is left out.
    """
    average = mean_z_scores(score_table(view), target)
    return {source: value for source, value in zip(view.sources, average.tolist(), strict=True) if np.isfinite(value)}


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
