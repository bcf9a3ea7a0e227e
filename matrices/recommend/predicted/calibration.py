"""How wide an interval, and how long a shortlist, has to be to hold what it says: learned from cells left out.

What a model says of its own certainty rests on its assumptions. Here measured cells are predicted as if they had not
been measured, and widths are those that would have held 90% of them (conformal prediction by leave-one-out). An
interval is a multiple of a predicted standard deviation. Which multiple depends on what a prediction rests on, and so
it is learned of each case by predicting cells as that case would be:

- none of a target's scores is measured: every target predicted from the others;
- a few are: besides that, the Gaussian process is conditioned on a few of its own scores, mean and spread are theirs;
- all others are: every cell predicted from all the others;
- nothing is measured of the source: every source predicted from the others.

Notation: S sources, T targets, N measured cells, n sources of one target, D draws of their scores. Reference: Barber,
Candès, Ramdas & Tibshirani 2021, "Predictive inference with the jackknife+".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

from matrices.arrays import Bools, Indices
from matrices.recommend.predicted.ensemble import Learned
from matrices.recommend.predicted.stacking import LeaveOneOut
from matrices.recommend.predicted.target_scale import Columns, Level, Stretch, spread_of
from matrices.recommend.prediction import CONFIDENCE
from matrices.scores import Floats

DRAWS = 400
_SLACK = 1e-9
FEW = (2, 4, 8)
_MANY = 32
"""From so many scores on, an interval is as wide as one of a cell predicted from all others."""
_TIMES = 4
"""So often is each target shown in part."""
_LEAST_REST = 3
_LEAST_KEPT = 0.05


def width(ratios: Sequence[Floats], confidence: float) -> float:
    """The multiple of a standard deviation that holds a share ``confidence`` of a new target's scores.

    ``ratios`` are, for every target left out, its errors over the standard deviations predicted. Errors on one target
    are correlated, so few targets say little about another one: the multiple is widened by the ratio of Student's t,
    with as many targets, to the normal quantile.
    """
    half = 0.5 + confidence / 2
    of_few = stdtrit(max(len(ratios) - 1, 1), half) / ndtri(half)
    return float(of_few * np.quantile(np.concatenate(ratios), confidence))


def shares_of(drawn: Floats) -> Floats:
    """How probable each source [n] is to score highest: how often it does in draws [D, n]."""
    return np.bincount(drawn.argmax(axis=1), minlength=drawn.shape[1]) / len(drawn)


def cost_of(drawn: Floats, chosen: int) -> float:
    """What choosing one source is expected to cost against the best, from draws [D, n], in the unit of the scores."""
    return float((drawn.max(axis=1) - drawn[:, chosen]).mean())


def proved(expected: Sequence[float], realised: Sequence[float]) -> float:
    """The factor that corrects expected costs of choices: realised over expected cost of targets left out.

    Both are sums over targets. One more target, of average cost, counts as having come true as expected.
    """
    usual = float(np.mean(expected)) if len(expected) else 0.0
    return (float(np.sum(realised)) + usual) / (float(np.sum(expected)) + usual) if usual > 0 else 1.0


def draws(mean: Floats, covariance: Floats, noise: Floats) -> Floats:
    """Joint draws of n sources' scores [DRAWS, n], always the same. ``noise`` [n] is each score's own variance."""
    spread = covariance + np.diag(noise)
    # Scores that are known for sure have no variance, and scores that move together have less than they seem to.
    root = np.linalg.cholesky(spread + max(_SLACK * np.trace(spread), np.finfo(float).tiny) * np.eye(len(mean)))
    drawn: Floats = mean + _normals(len(mean)) @ root.T
    return drawn


@lru_cache(maxsize=8)
def _normals(n: int) -> Floats:
    return np.random.default_rng(0).normal(size=(DRAWS, n))


def shortlist(shares: Floats, mean: Floats, mass: float) -> list[int]:
    """The sources before which less than ``mass`` of the probability lies, the most probable first; at least one."""
    order = _ordered(shares, mean)
    before = np.cumsum(shares[order]) - shares[order]
    return [int(at) for at in order[before <= mass + 1e-9]]


def mass_needed(shares: Floats, mean: Floats, best: int) -> float:
    """The mass with which a shortlist would just have named the source ``best``."""
    order = _ordered(shares, mean)
    return float(shares[order[: int(np.flatnonzero(order == best)[0])]].sum())


def mass(needed: Sequence[float], confidence: float) -> float:
    """The mass with which shortlists hold the best source of a new target with ``confidence``, from those needed.

    The conformal quantile. Of fewer than nine targets no number can vouch for 90%: the list then leaves nobody out.
    """
    rank = int(np.ceil(confidence * (len(needed) + 1)))
    return float(np.sort(needed)[rank - 1]) if rank <= len(needed) else 1.0


def _ordered(shares: Floats, mean: Floats) -> NDArray[np.intp]:
    return np.lexsort((-mean, -shares))


@dataclass(frozen=True, eq=False)
class Widths:
    """The multiple of a standard deviation that holds 90%, by what is measured of a target and of a source.

    ``new_target``: nothing of the target; ``few`` [len(FEW)]: so many of its scores, NaN where no target has more;
    ``many``: all its other scores. ``new_source``: all its other scores, and nothing of the source.
    """

    new_target: float
    few: Floats
    many: float
    new_source: float

    def of(self, measured: int, known_sources: Bools) -> Floats:
        """The multiples [n] for sources of a target of which so many scores are ``measured``.

        Between the counts that were learned, the multiple is interpolated in the logarithm of the count. Intervals of a
        source that was never measured are wider by one factor, however much is known of the target.
        """
        if not measured:
            return np.full(len(known_sources), self.new_target)
        learned = np.isfinite(self.few)
        counts = np.append(np.array(FEW)[learned], _MANY)
        multiple = float(np.interp(np.log(measured), np.log(counts), np.append(self.few[learned], self.many)))
        # Where all scores are alike no error has any width.
        wider = max(self.new_source / self.many, 1.0) if self.many > 0 else 1.0
        return np.where(known_sources, multiple, multiple * wider)


@dataclass(frozen=True, eq=False)
class Without:
    """The cells [N] that a model was learned from, each predicted from all others.

    ``mean`` is on the stretched scale, less the mean of the target's scores. ``kept`` is 1 less a cell's leverage: the
    variance of a prediction is the noise divided by it.
    """

    mean: Floats
    kept: Floats


def without(learned: Learned, left_out: LeaveOneOut) -> Without:
    """Every cell predicted from all others: its residual divided by 1 less its leverage."""
    cells = learned.cells
    # The target's mean is one more number learned from its cells.
    kept = np.maximum(1 - left_out.leverage - 1 / cells.size, _LEAST_KEPT)
    return Without(cells.scores - (cells.scores - left_out.fitted) / kept, kept)


@dataclass(frozen=True, eq=False)
class LeftOutErrors:
    """Errors of measured cells predicted as if they had not been measured, over the predicted standard deviations.

    ``scores`` [S, T] are the table's, ``several`` the columns of them that cells are of.
    """

    scores: Floats
    several: Indices
    scaled: Columns
    scale: Stretch
    learned: Learned
    left_out: LeaveOneOut
    level: Level

    def widths(self, new_target: Sequence[Floats], without: Without) -> Widths:
        """The widths that hold 90% of these; ``new_target`` are the errors of each target predicted from the others."""
        few = [self._of_few(few) for few in FEW]
        return Widths(
            new_target=width(new_target, CONFIDENCE),
            few=np.array([width(ratios, CONFIDENCE) if ratios else np.nan for ratios in few]),
            many=width(self._of_cells(without), CONFIDENCE),
            new_source=width(self._of_new_sources(), CONFIDENCE),
        )

    def _of_cells(self, without: Without) -> list[Floats]:
        """For every target, of its cells, each predicted from all others."""
        cells = self.learned.cells
        ratios = np.abs(cells.scores - without.mean) / np.sqrt(self.learned.noise / without.kept)
        return [ratios[begin:end] for begin, end in cells.spans]

    def _of_new_sources(self) -> list[Floats]:
        """For every source, of its cells, predicted from the other sources."""
        cells, noise = self.learned.cells, self.learned.noise
        column = np.repeat(self.several, [end - begin for begin, end in cells.spans])
        others = cells.size - 1
        centre, spread = self.scaled.centres[column], self.scaled.spreads[column]
        truth = self.scores[cells.sources, column]
        # The mean of the target's other cells: without one of n, its own share of the mean is gone.
        middle = self.scale.of((truth - centre) / spread) - cells.scores * (1 + 1 / others)
        standard, slope = self.scale.back(middle + self.left_out.of_sources)
        of_spread = standard / slope * np.array([self.level.spread_error(int(n)) for n in others])
        sd = spread * slope * np.sqrt(self.left_out.variance_of_sources + noise + noise / others + of_spread**2)
        ratios = np.abs(truth - centre - spread * standard) / sd
        return [ratios[cells.sources == source] for source in np.unique(cells.sources)]

    def _of_few(self, few: int) -> list[Floats]:
        """For every target with more, of its cells, predicted from the other targets and ``few`` of its own cells."""
        random = np.random.default_rng(few)
        ratios = []
        spans = zip(self.several.tolist(), self.learned.cells.spans, self.left_out.covariances, strict=True)
        for column, (begin, end), covariance in spans:
            if end - begin >= few + _LEAST_REST:
                drawn = [random.permutation(end - begin)[:few] for _ in range(_TIMES)]
                of_target = column, slice(begin, end), covariance
                ratios.append(np.concatenate([self._shown(*of_target, shown) for shown in drawn]))
        return ratios

    def _shown(self, column: int, cells: slice, covariance: Floats, shown: Indices) -> Floats:
        """Of a target's cells but for the ``shown`` ones, as ``Model.predict`` would predict them."""
        rows = np.flatnonzero(np.isfinite(self.scores[:, column]))
        scores, few = self.scores[rows, column], len(shown)
        rest = np.setdiff1d(np.arange(len(rows)), shown)
        spread = spread_of(scores[shown], self.scaled.usual)
        effects = self.scaled.effects[rows]
        centre = float((scores[shown] - spread * effects[shown]).mean())
        own = self.scale.of((scores[shown] - centre) / spread)
        middle, noise = float(own.mean()), self.learned.noise
        # Differences from the mean of the known cells, whose level is measured.
        apart = covariance - covariance[shown].mean(axis=0)
        apart = apart - apart[:, shown].mean(axis=1, keepdims=True)
        mean, linear = (
            values[cells] - values[cells][shown].mean() for values in (self.left_out.mean, self.left_out.linear)
        )
        about = apart[np.ix_(shown, shown)] + self.learned.mixture.noise * np.eye(few)
        drawn = np.linalg.solve(about, apart[shown]).T[rest]
        # Only the linear one of the two models learns of the target's own scores.
        expected = mean[rest] + drawn @ (own - middle - linear[shown]) / 2
        left = np.diag(apart)[rest] - np.einsum("uk,ku->u", drawn, apart[np.ix_(shown, rest)])
        standard, slope = self.scale.back(middle + expected)
        of_spread = standard / slope * self.level.spread_error(few)
        variance = np.maximum(left, 0) + noise / few + of_spread**2 + noise
        sd = spread * slope * np.sqrt(variance)
        ratios: Floats = np.abs(scores[rest] - centre - spread * standard) / sd
        return ratios
