"""The kinds of arrays and intervals that numbers of a matrix stand in."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Bools = NDArray[np.bool_]
Indices = NDArray[np.int64]

Interval = tuple[float, float]
"""The lower and the upper end."""


def places(codes: tuple[str, ...]) -> dict[str, int]:
    """The place of each language on an axis."""
    return {code: at for at, code in enumerate(codes)}


def mean_over_seeds(values: Floats) -> Floats:
    """Means over the last axis of what is not NaN; NaN where nothing is."""
    known = np.isfinite(values)
    count = known.sum(axis=-1)
    total = np.where(known, values, 0).sum(axis=-1)
    means: Floats = np.divide(total, count, out=np.full(count.shape, np.nan), where=count > 0)
    return means
