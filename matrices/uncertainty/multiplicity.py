"""Many cells, many chances to be wrong: false discovery rates and bands that hold for all cells at once."""

from __future__ import annotations

import numpy as np
from scipy.stats import false_discovery_control

from matrices.arrays import Floats, Singles


def benjamini_hochberg(p: Floats) -> Floats:
    """The q-value of every p-value, in any shape: the least false discovery rate at which it is a discovery.

    Benjamini and Hochberg (1995), JRSS B 57:289: q_(i) = min over j >= i of p_(j) m / j. NaN (no test) stays NaN, and
    is not counted in m.
    """
    q = np.full(p.shape, np.nan)
    tested = np.isfinite(p)
    q[tested] = false_discovery_control(p[tested])
    return q


def max_t(deviations: Singles, errors: Floats, level: float) -> float:
    """How many standard errors a band must reach for all cells to lie within theirs with probability ``level``.

    ``deviations`` [B, cells] of a joint bootstrap, ``errors`` [cells]; cells that do not vary are left out. The
    quantile of max over cells of |deviation| / error (Romano and Wolf 2005, JASA 100:94). NaN where no cell varies.
    """
    varying = np.isfinite(errors) & (errors > 0)
    if not varying.any():
        return float("nan")
    most = np.abs(deviations[:, varying] / errors[varying].astype(np.float32)).max(axis=1)
    return float(np.quantile(most, level))
