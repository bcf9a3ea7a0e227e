"""A mean over seeds with its interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over seeds, with its 95% interval by Student's t, which one seed alone does not have."""

    mean: float
    low: float | None
    high: float | None
    seeds: int

    @staticmethod
    def of(values: Sequence[float]) -> Estimate:
        """Of one value a seed."""
        from scipy.stats import t  # takes half a second to import

        array = np.asarray(values, dtype=float)
        mean = float(array.mean())
        if len(array) < 2:
            return Estimate(mean, None, None, len(array))
        half = float(t.ppf(0.975, len(array) - 1) * array.std(ddof=1) / len(array) ** 0.5)
        return Estimate(mean, mean - half, mean + half, len(array))

    def __str__(self) -> str:
        if self.low is None or self.high is None:
            return f"{self.mean:.3f}"
        return f"{self.mean:.3f} ± {(self.high - self.low) / 2:.3f}"

    @property
    def is_above_zero(self) -> bool:
        """Whether its interval, or its mean where there is none, is above zero."""
        return (self.mean if self.low is None else self.low) > 0

    @property
    def is_below_zero(self) -> bool:
        """Whether its interval, or its mean where there is none, is below zero."""
        return (self.mean if self.high is None else self.high) < 0
