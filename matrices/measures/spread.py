"""How far means over seeds and items would be from where they are, were other items and other seeds drawn.

Seeds and items are crossed: every seed is scored on the same items. So the variance of a mean over both is that over
items, which holds the seeds' disagreement on single items already, plus that of seeds beyond it (analysis of variance,
a two-way random layout with one observation a place).

Three or five seeds say little about the variance over seeds of one cell, and a matrix has hundreds of cells: that of
each is moderated towards that of all by empirical Bayes, with the degrees of freedom that brings (Smyth 2004,
Statistical Applications in Genetics and Molecular Biology 3:3, sections 4 and 6). Where cells differ much the prior
weighs little. Of a single target, as in an answer, there is too little to moderate by: ``recommend.uncertainty``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special  # Student's t too (`stdtr`, its inverse `stdtrit`): scipy.stats takes long to import

from matrices.measures.outcomes import Bools, Floats, Singles
from matrices.measures.resampling import ItemSample

LEVEL = 0.95


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
    inflate = sample.count / max(sample.count - 1, 1)
    items = inflate * np.einsum("cg,cg->c", mean, mean, dtype=np.float64)
    squares = inflate * np.einsum("ckg,ckg->c", by_cluster, by_cluster, dtype=np.float64)
    centred = np.where(known, of_seeds - (np.where(known, of_seeds, 0).sum(axis=1) / some)[:, None], 0)
    several = (some - 1) * some
    return Parts(
        items=items,
        between=_over((centred**2).sum(axis=1), several),
        disagreement=np.maximum(_over(squares - count * items, several), 0),
        item_freedom=np.full(len(count), float(max(sample.count - 1, 1))),
        seed_freedom=np.maximum(count - 1, 0).astype(np.float64),
    )


def parts_of_pairs(
    influence: Singles, of_seeds: Floats, pairs: tuple[NDArray[np.int64], NDArray[np.int64]], sample: ItemSample
) -> Parts:
    """As ``parts``, of the differences of two of S means each: [S, K, N] and [S, K], every run known."""
    first, second = pairs
    seeds = of_seeds.shape[1]
    by_cluster = sample.sums(influence) / np.float32(influence.shape[-1])
    inflate = sample.count / max(sample.count - 1, 1)
    items = inflate * _squares_apart(by_cluster.mean(axis=1))[first, second]
    squares = inflate * _squares_apart(by_cluster.reshape(len(by_cluster), -1))[first, second]
    apart = of_seeds[first] - of_seeds[second]
    several = np.full(len(first), float(max(seeds * (seeds - 1), 1)))
    return Parts(
        items=items,
        between=((apart - apart.mean(axis=1, keepdims=True)) ** 2).sum(axis=1) / several,
        disagreement=np.maximum(squares - seeds * items, 0) / several,
        item_freedom=np.full(len(first), float(max(sample.count - 1, 1))),
        seed_freedom=np.full(len(first), float(seeds - 1)),
    )


def _squares_apart(values: Singles) -> Floats:
    """Squared Euclidean distances between rows [S, S]."""
    products = (values @ values.T).astype(np.float64)
    own = np.diagonal(products)
    return np.maximum(own[:, None] + own - 2 * products, 0)


@dataclass(frozen=True, eq=False)
class Spread:
    """The variances of C means [C] over items and over seeds beyond that, and the degrees of freedom of both together.

    ``shrink`` is what deviations of seed means are multiplied by to have the variance ``seeds``.
    """

    items: Floats
    seeds: Floats
    freedom: Floats
    shrink: Floats

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

        Its quantile is one of normal tails; where few seeds make an error uncertain, tails are heavier.
        """
        widths = -special.stdtrit(self.freedom, special.ndtr(-critical)) * self.error
        return np.where(self.error > 0, widths, 0.0)

    def p(self, means: Floats) -> Floats:
        """Two-sided p-values of the means being 0 [C]; 1 where a mean is 0 and nothing varies."""
        ratio = np.divide(np.abs(means), self.error, out=np.where(means == 0, 0.0, np.inf), where=self.error > 0)
        p: Floats = 2 * special.stdtr(self.freedom, -ratio)
        return p


def spread(found: Sequence[Parts], *, alike: bool = True) -> Spread:
    """The spread of all means of a matrix, their parts target by target.

    Numbers of different kinds are not ``alike``: what seeds do to one then says nothing of another.
    """
    items, between, disagreement, item_freedom, seed_freedom = (
        np.concatenate([getattr(one, name) for one in found]) for name in Parts.__annotations__
    )
    of_seeds, freedom = between * (seed_freedom + 1), seed_freedom
    if alike:
        of_seeds, freedom = _moderated(of_seeds, freedom)
    seeds = np.maximum(of_seeds / (seed_freedom + 1) - disagreement, 0)
    # Satterthwaite (1946), Biometrics Bulletin 2:110.
    terms = items**2 / item_freedom + _over(seeds**2, freedom)
    return Spread(
        items=items,
        seeds=seeds,
        freedom=_over((items + seeds) ** 2, terms, otherwise=np.inf),
        shrink=np.sqrt(_over(seeds, between)),
    )


def _moderated(variances: Floats, freedom: Floats) -> tuple[Floats, Floats]:
    """Variances drawn towards their common prior, and their degrees of freedom (Smyth 2004).

    These are at most as many as all variances have together, which counts where there are few (as in limma).
    """
    told = (freedom > 0) & (variances > 0)
    if told.sum() < 3:
        return variances, freedom
    # Variances near 0 come of few items, and would stretch the prior out of shape on a scale of logarithms.
    logs = np.log(np.maximum(variances[told], 1e-5 * np.median(variances[told])))
    halves, pooled = freedom[told] / 2, freedom[told].sum()
    centred = logs - special.digamma(halves) + np.log(halves)
    excess = centred.var(ddof=1) - special.polygamma(1, halves).mean()
    if excess <= 0:
        return np.full_like(variances, np.exp(centred.mean())), np.full_like(freedom, pooled)
    prior_freedom = 2 * _trigamma_inverse(float(excess))
    prior = np.exp(centred.mean() + special.digamma(prior_freedom / 2) - np.log(prior_freedom / 2))
    together = prior_freedom + freedom
    return (prior_freedom * prior + freedom * variances) / together, np.minimum(together, pooled)


def _trigamma_inverse(value: float) -> float:
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
