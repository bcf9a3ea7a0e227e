"""Many cells, many chances to be wrong: false discovery rates and bands that hold for all cells at once.

Notation: m p-values, p_(i) the i-th smallest, q_(i) its q-value; B resamples of C numbers.

- false discovery rate: Benjamini and Hochberg (1995), JRSS B 57:289
- simultaneous bands by max-T: Romano and Wolf (2005), JASA 100:94
"""

from __future__ import annotations

import numpy as np

from matrices.arrays import Floats, Singles


def benjamini_hochberg(p: Floats) -> Floats:
    """The q-value of every p-value, in any shape: the least false discovery rate at which it is a discovery.

    q_(i) = min over j >= i of p_(j) m / j. NaN (no test) stays NaN, and
    is not counted in m.
    """
    q = np.full(p.shape, np.nan)
    # Not scipy.stats.false_discovery_control, which gives the same: importing it takes longer than an answer.
    tested = np.isfinite(p)
    values = p[tested]
    order = np.argsort(values)[::-1]
    ranks = np.arange(len(values), 0, -1)
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum.accumulate(values[order] * len(values) / ranks)
    q[tested] = np.minimum(adjusted, 1)
    return q


def max_t(deviations: Singles, errors: Floats, level: float) -> float:
    """How many standard errors a band must reach for all cells to lie within theirs with probability ``level``.

    ``deviations`` [B, cells] of a joint bootstrap, ``errors`` [cells]; cells that do not vary are left out. The
    quantile of max over cells of |deviation| / error. NaN where no cell varies.
    """
    varying = np.isfinite(errors) & (errors > 0)
    if not varying.any():
        return float("nan")
    most = np.abs(deviations[:, varying] / errors[varying].astype(np.float32)).max(axis=1)
    return float(np.quantile(most, level))


def max_t_of_pairs(moved: Singles, level: float) -> float:
    """``max_t`` of the differences of all pairs of S columns of a joint bootstrap ``moved`` [B, S].

    The errors are the standard deviations of the differences over the resamples. Pairs are formed one source at a time:
    all at once would be B S^2 / 2 numbers.
    """
    rows = np.ascontiguousarray(moved.T)
    sources, resamples = rows.shape
    means = rows.mean(axis=1, dtype=np.float64)
    most = np.zeros(resamples, np.float32)
    for at in range(sources - 1):
        apart = rows[at + 1 :] - rows[at]
        squares = np.einsum("sb,sb->s", apart, apart).astype(np.float64)
        variance = np.maximum(squares / resamples - (means[at + 1 :] - means[at]) ** 2, 0)
        varying = variance > 0
        if varying.any():
            scale = (1 / np.sqrt(variance[varying])).astype(np.float32)[:, None]
            np.abs(apart, out=apart)
            ratios = apart if varying.all() else apart[varying]
            np.multiply(ratios, scale, out=ratios)
            np.maximum(most, ratios.max(axis=0), out=most)
    return float(np.quantile(most, level)) if most.any() else float("nan")
