"""How wide intervals have to be where few scores of a target are measured: learned from targets shown in part.

Of a target predicted from all others, and then of a few of its own scores, the rest is predicted as a prediction would:
the Gaussian process is conditioned on the few, mean and spread are theirs. What multiple of a standard deviation holds
90% of the rest depends on how few they are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from matrices.recommend.outlook import CONFIDENCE
from matrices.recommend.predicted.calibration import width
from matrices.recommend.predicted.ensemble import Learned
from matrices.recommend.predicted.stacking import Indices, LeftOut
from matrices.recommend.predicted.standardise import Columns, Stretch, spread_of
from matrices.recommend.predicted.target_scale import Level
from matrices.scores import Floats

FEW = (2, 4, 8)
_MANY = 32
"""From so many scores on, an interval is as wide as one of a cell predicted from all others."""
_DRAWS = 4
_LEAST_REST = 3


def partial_widths(
    scores: Floats,
    scaled: Columns,
    scale: Stretch,
    learned: Learned,
    left_out: LeftOut,
    levels: Level,
    several: Indices,
) -> Floats:
    """The widths [len(FEW)] for a target of which so many scores are measured; NaN where no target has more."""
    shown = _Shown(scores, scaled, scale, learned, levels)
    widths = []
    for few in FEW:
        random = np.random.default_rng(few)
        ratios = []
        for at, (begin, end), covariance in zip(several, learned.cells.spans, left_out.covariances, strict=True):
            if end - begin >= few + _LEAST_REST:
                mean = left_out.mean[begin:end]
                drawn = [random.permutation(end - begin)[:few] for _ in range(_DRAWS)]
                ratios.append(np.concatenate([shown.ratios(int(at), mean, covariance, known) for known in drawn]))
        widths.append(width(ratios, CONFIDENCE) if ratios else np.nan)
    return np.array(widths)


def width_for(count: int, widths: Floats, of_many: float) -> float:
    """The width where ``count`` scores are measured, between those that were learned, by the logarithm of the count."""
    known = np.isfinite(widths)
    counts = np.append(np.array(FEW)[known], _MANY)
    return float(np.interp(np.log(count), np.log(counts), np.append(widths[known], of_many)))


@dataclass(frozen=True, eq=False)
class _Shown:
    scores: Floats
    scaled: Columns
    scale: Stretch
    learned: Learned
    levels: Level

    def ratios(self, column: int, mean: Floats, covariance: Floats, known: Indices) -> Floats:
        """Errors over standard deviations of a target's cells, but for the ``known`` ones."""
        rows = np.flatnonzero(np.isfinite(self.scores[:, column]))
        scores, few = self.scores[rows, column], len(known)
        rest = np.setdiff1d(np.arange(len(rows)), known)
        spread = spread_of(scores[known], self.scaled.usual)
        effects = self.scaled.effects[rows]
        centre = float((scores[known] - spread * effects[known]).mean())
        own = self.scale.of((scores[known] - centre) / spread)
        middle, noise = float(own.mean()), self.learned.noise
        # Differences from the mean of the known cells, whose level is measured.
        apart = covariance - covariance[known].mean(axis=0)
        apart = apart - apart[:, known].mean(axis=1, keepdims=True)
        offset = mean - mean[known].mean()
        drawn = np.linalg.solve(apart[np.ix_(known, known)] + noise * np.eye(few), apart[known]).T[rest]
        # Only the linear one of the two models learns of the target's own scores.
        expected = offset[rest] + drawn @ (own - middle - offset[known]) / 2
        left = np.diag(apart)[rest] - np.einsum("uk,ku->u", drawn, apart[np.ix_(known, rest)])
        standard, slope = self.scale.back(middle + expected)
        of_spread = standard / slope * self.levels.spread_error(few)
        variance = np.maximum(left, 0) + noise / few + of_spread**2 + noise
        sd = spread * slope * np.sqrt(variance)
        ratios: Floats = np.abs(scores[rest] - centre - spread * standard) / sd
        return ratios
