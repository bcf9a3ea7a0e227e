"""Variance components of means over seeds and items: how far they would be elsewhere, were others drawn.

Notation: a number m is the mean over K seeds and over items, x_k its value with seed k alone. Seeds and items are
crossed, as every seed is scored on the same items (a two-way random layout with one observation a place):

- items:        V = variance of m over items; holds the seeds' disagreement on single items, D, already
- between:      J = sum_k (x_k - m)^2 / (K (K - 1)), the variance of m over seeds; holds D too
- m's variance: V + max(J - D, 0)

Two or three seeds say little about J, and a matrix has hundreds of cells: K J, the variance of a single run, is
moderated towards that of all cells by empirical Bayes (Smyth 2004, Statistical Applications in Genetics and Molecular
Biology 3:3, sections 4 and 6). A cell of one seed has the prior alone, with the prior's degrees of freedom; where no
cell of the matrix has two seeds, nothing is known of other seeds, and ``Spread.seed_freedom`` says so.

Degrees of freedom of sums of components are those of Satterthwaite (1946, Biometrics Bulletin 2:110).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy import special  # Student's t too (`stdtr`, its inverse `stdtrit`): scipy.stats takes long to import

from matrices.arrays import Bools, Floats, Singles
from matrices.uncertainty.resampling import ItemSample
from matrices.view import AdapterVariance, MatrixView

LEVEL = 0.95
_MOST_SHIFTS = 32
"""Differences of so many pairs a source are enough to tell how much pairs vary over seeds."""


@dataclass(frozen=True, slots=True)
class Prior:
    """What all cells say of the variance of one run over seeds.

    ``freedom``: the degrees of freedom that weigh it against a cell's own; infinite where cells do not differ, 0 where
    there are too few to tell. ``pooled``: those of all cells together, the most that a moderated variance can have.
    """

    variance: float
    freedom: float
    pooled: float

    def moderate(self, variances: Floats, freedom: Floats) -> tuple[Floats, Floats]:
        """Variances of runs [C] shrunk towards this one, and their degrees of freedom."""
        if np.isinf(self.freedom):
            return np.full_like(variances, self.variance), np.full_like(freedom, self.pooled)
        together = self.freedom + freedom
        moderated = _over(self.freedom * self.variance + freedom * variances, together, otherwise=self.variance)
        return moderated, np.minimum(np.where(together > 0, together, self.pooled), self.pooled)


def prior_of(variances: Floats, freedom: Floats, pooled: float | None = None) -> Prior | None:
    """The prior of the variances of runs [C] with these degrees of freedom; None where no cell has two seeds.

    ``pooled`` are the degrees of freedom of all cells together, where that is not the sum: pairs share sources.
    """
    several = freedom > 0
    if not several.any():
        return None
    told = several & (variances > 0)
    most = float(freedom[told].sum()) if pooled is None else pooled
    if told.sum() < 3:
        total = float(freedom[several].sum())
        return Prior(float((freedom * variances)[several].sum()) / total, 0.0, total if pooled is None else pooled)
    # Variances near 0 come of few items, and would stretch the prior out of shape on a scale of logarithms.
    logs = np.log(np.maximum(variances[told], 1e-5 * np.median(variances[told])))
    halves = freedom[told] / 2
    centred = logs - special.digamma(halves) + np.log(halves)
    excess = float(centred.var(ddof=1) - special.polygamma(1, halves).mean())
    if excess <= 0:
        return Prior(float(np.exp(centred.mean())), float("inf"), most)
    worth = 2 * trigamma_inverse(excess)
    return Prior(float(np.exp(centred.mean() + special.digamma(worth / 2) - np.log(worth / 2))), worth, most)


class SeedVariance:
    """What the runs of a whole matrix say of the variance over seeds; no outcomes of items are read for it."""

    def __init__(self, view: MatrixView) -> None:
        self._view = view

    @cached_property
    def of_scores(self) -> Prior | None:
        """Of a run's score."""
        return _prior_of_runs(self._view.scores.reshape(-1, len(self._view.seeds)))

    @cached_property
    def of_changes(self) -> Prior | None:
        """Of a run's change from the baseline of its seed."""
        changes = self._view.scores - self._view.baseline
        return _prior_of_runs(changes.reshape(-1, len(self._view.seeds)))

    @cached_property
    def of_differences(self) -> Prior | None:
        """Of the difference of two sources' runs with one seed on one target."""
        scores = self._view.scores
        sources = len(scores)
        shifts = range(1, min(sources // 2, _MOST_SHIFTS) + 1)
        apart = [scores - np.roll(scores, shift, axis=0) for shift in shifts]
        if not apart:
            return None
        runs = np.concatenate(apart).reshape(-1, scores.shape[-1])
        freedom = np.maximum(np.isfinite(scores).sum(axis=-1) - 1, 0).sum()
        return _prior_of_runs(runs, float(freedom))


def _prior_of_runs(runs: Floats, pooled: float | None = None) -> Prior | None:
    """The prior from runs [C, K], NaN where there is none."""
    measured = np.isfinite(runs)
    count = measured.sum(axis=1)
    runs, measured, count = runs[count > 1], measured[count > 1], count[count > 1]
    means = np.where(measured, runs, 0).sum(axis=1) / count
    squares = np.where(measured, runs - means[:, None], 0) ** 2
    freedom = (count - 1).astype(np.float64)
    return prior_of(squares.sum(axis=1) / freedom, freedom, pooled)


@dataclass(frozen=True, eq=False)
class Parts:
    """The mean squares of C means over seeds and items [C], as variances of the means, with degrees of freedom.

    ``between`` seeds, ``disagreement`` of seeds on single items (a part of both others), ``items``.
    """

    items: Floats
    between: Floats
    disagreement: Floats
    item_freedom: Floats
    seed_freedom: Floats


def parts(influence: Singles, of_seeds: Floats, known: Bools, sample: ItemSample) -> Parts:
    """The mean squares of means over the known seeds of K.

    ``influence`` [C, K, N] of every item on every run's value, 0 where unknown; ``of_seeds`` [C, K] the runs' values.
    """
    count = known.sum(axis=1)
    some = np.maximum(count, 1)
    by_cluster = sample.sums(influence) / np.float32(influence.shape[-1])
    mean = by_cluster.sum(axis=1) / some[:, None].astype(np.float32)
    items = sample.inflation * np.einsum("cg,cg->c", mean, mean, dtype=np.float64)
    squares = sample.inflation * np.einsum("ckg,ckg->c", by_cluster, by_cluster, dtype=np.float64)
    several = (some - 1) * some
    return Parts(
        items=items,
        between=_over((centred(of_seeds, known) ** 2).sum(axis=1), several),
        disagreement=np.maximum(_over(squares - count * items, several), 0),
        item_freedom=np.full(len(count), float(max(sample.count - 1, 1))),
        seed_freedom=np.maximum(count - 1, 0).astype(np.float64),
    )


def centred(of_seeds: Floats, known: Bools) -> Floats:
    """Runs' values [C, K] less their mean over the known seeds, 0 elsewhere."""
    some = np.maximum(known.sum(axis=1), 1)
    return np.where(known, of_seeds - (np.where(known, of_seeds, 0).sum(axis=1) / some)[:, None], 0)


def parts_of_pairs(by_cluster: Singles, of_seeds: Floats, known: Bools, sample: ItemSample) -> Parts:
    """As ``parts``, of the differences of all pairs of S means, in the order of ``np.triu_indices(S, 1)``.

    ``by_cluster`` [S, K, G] is the influence summed over clusters, over N, 0 of unknown runs. Both of a pair must have
    the same ``known`` seeds [S, K]: the numbers of any other pair mean nothing.
    """
    first, second = np.triu_indices(len(by_cluster), 1)
    count = known.sum(axis=1)
    some = np.maximum(count, 1)
    mean = by_cluster.sum(axis=1) / some[:, None].astype(np.float32)
    items = sample.inflation * squares_apart(mean)[first, second]
    squares = sample.inflation * squares_apart(by_cluster.reshape(len(by_cluster), -1))[first, second]
    pairs = some[first]
    several = (pairs - 1) * pairs
    return Parts(
        items=items,
        between=_over(squares_apart(centred(of_seeds, known))[first, second], several),
        disagreement=np.maximum(_over(squares - pairs * items, several), 0),
        item_freedom=np.full(len(first), float(max(sample.count - 1, 1))),
        seed_freedom=(pairs - 1).astype(np.float64),
    )


def squares_apart(values: Singles | Floats) -> Floats:
    """Squared Euclidean distances between rows [S, S]."""
    products = (values @ values.T).astype(np.float64)
    own = np.diagonal(products)
    return np.maximum(own[:, None] + own - 2 * products, 0)


@dataclass(frozen=True, eq=False)
class Spread:
    """The variances of C means [C] over items, and over seeds beyond that, with the degrees of freedom of their sum.

    ``shrink`` is what deviations of seed means are multiplied by to have the variance ``seeds``. Where ``seed_freedom``
    is 0, ``seeds`` is 0 too: the variances then hold for these seeds alone.
    """

    items: Floats
    seeds: Floats
    freedom: Floats
    shrink: Floats
    seed_freedom: Floats

    @property
    def error(self) -> Floats:
        """Standard errors [C]."""
        errors: Floats = np.sqrt(self.items + self.seeds)
        return errors

    def half_width(self, level: float = LEVEL) -> Floats:
        """Half the width of the interval that holds the truth with probability ``level`` [C]."""
        widths: Floats = special.stdtrit(self.freedom, 0.5 + level / 2) * self.error
        return widths

    def joint_half_width(self, critical: float) -> Floats:
        """Half the width of bands that hold together [C], ``critical`` from ``max_t`` over their joint bootstrap.

        ``critical`` is a quantile of normal tails; it is widened where few seeds make an error uncertain.
        """
        widths = -special.stdtrit(self.freedom, special.ndtr(-critical)) * self.error
        return np.where(self.error > 0, widths, 0.0)

    def p(self, means: Floats) -> Floats:
        """Two-sided p-values of the means being 0 [C]; 1 where a mean is 0 and nothing varies."""
        ratio = np.divide(np.abs(means), self.error, out=np.where(means == 0, 0.0, np.inf), where=self.error > 0)
        p: Floats = 2 * special.stdtr(self.freedom, -ratio)
        return p


def spread(components: Parts, prior: Prior | None) -> Spread:
    """The spread of means with these parts; the variance over seeds moderated by ``prior`` where there is one."""
    of_seeds, freedom = components.between * (components.seed_freedom + 1), components.seed_freedom
    if prior is not None:
        of_seeds, freedom = prior.moderate(of_seeds, freedom)
    seeds = np.maximum(of_seeds / (components.seed_freedom + 1) - components.disagreement, 0)
    return Spread(
        items=components.items,
        seeds=seeds,
        freedom=together((components.items, components.item_freedom), (seeds, freedom)),
        shrink=np.sqrt(_over(seeds, components.between)),
        seed_freedom=freedom,
    )


def with_adapters(of_runs: Spread, adapters: AdapterVariance | None) -> Spread:
    """The spread of changes, with what other training runs of the language adapters add, where that is known."""
    if adapters is None or adapters.freedom == 0:
        return of_runs
    of_adapters = np.full_like(of_runs.items, adapters.variance), np.full_like(of_runs.items, adapters.freedom)
    freedom = together((of_runs.items + of_runs.seeds, of_runs.freedom), of_adapters)
    return replace(of_runs, seeds=of_runs.seeds + adapters.variance, freedom=freedom)


def joined(several: Sequence[Parts]) -> Parts:
    """The parts of several targets, one after another."""
    return Parts(
        **{name: np.concatenate([getattr(parts, name) for parts in several]) for name in Parts.__annotations__}
    )


def own_prior(components: Parts) -> Prior | None:
    """The prior of numbers of one kind, from these numbers themselves."""
    return prior_of(components.between * (components.seed_freedom + 1), components.seed_freedom)


def together(*terms: tuple[Floats, Floats]) -> Floats:
    """The degrees of freedom [C] of sums of variances, from (variance, freedom) of each (Satterthwaite 1946)."""
    total = sum((variance for variance, _ in terms), np.zeros(1))
    squares = sum((_over(variance**2, freedom) for variance, freedom in terms), np.zeros(1))
    return _over(total**2, squares, otherwise=np.inf)


def trigamma_inverse(value: float) -> float:
    """The x with trigamma(x) = value > 0, by Newton's method on 1 / trigamma (Smyth 2004, appendix)."""
    x = 0.5 + 1 / value
    for _ in range(50):
        trigamma = special.polygamma(1, x)
        step = trigamma * (1 - trigamma / value) / special.polygamma(2, x)
        x += step
        if abs(step) < 1e-8 * x:
            break
    return float(x)


def _over(a: Floats, b: Floats, otherwise: float = 0.0) -> Floats:
    """a / b, and ``otherwise`` where b is 0."""
    ratio: Floats = np.divide(a, b, out=np.full(np.broadcast(a, b).shape, otherwise), where=b > 0)
    return ratio
