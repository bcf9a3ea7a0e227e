"""What a curve between two solutions is like: how straight, how high in between, how steep where it begins.

Everything is computed for each seed and then averaged, so that intervals are over seeds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from workers.estimates import Estimate

STATISTICS = {
    "at_0": "at the source's solution",
    "at_1": "at the solution of both languages",
    "slope": "change along the whole line at the rate there is at its beginning",
    "r2": "share of the variance between 0 and 1 that a straight line explains",
    "barrier": "highest point above the straight line between the ends, from 0 to 1",
}
"""What is told of a curve."""


def linearity(alphas: Sequence[float], values: Sequence[float]) -> float | None:
    """R2 of the least-squares straight line over the points from 0 to 1; None where all are alike."""
    inside, heights = _between_ends(alphas, values)
    spread = heights - heights.mean()
    if not np.any(spread):
        return None
    fitted = np.polynomial.Polynomial.fit(inside, heights, 1)(inside)
    return float(1 - ((heights - fitted) ** 2).sum() / (spread**2).sum())


def barrier(alphas: Sequence[float], values: Sequence[float]) -> float:
    """The most that a point from 0 to 1 stands above the chord between the ends, 0 at least (Frankle et al. 2020)."""
    inside, heights = _between_ends(alphas, values)
    chord = (1 - inside) * heights[np.argmin(np.abs(inside))] + inside * heights[np.argmin(np.abs(inside - 1))]
    return float(max(0.0, (heights - chord).max()))


def slope(alphas: Sequence[float], values: Sequence[float]) -> float:
    """The derivative at 0 by the points nearest to it on both sides, which are equally far."""
    at = dict(zip(alphas, values, strict=True))
    step = min(alpha for alpha in alphas if alpha > 0)
    return (at[step] - at[-step]) / (2 * step)


def _between_ends(alphas: Sequence[float], values: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    x, y = np.asarray(alphas, dtype=float), np.asarray(values, dtype=float)
    there = (x >= 0) & (x <= 1)
    return x[there], y[there]


@dataclass(frozen=True)
class LandscapeSummary:
    """``curves``: a row for each source, toward, language, measure and seed, with the columns of ``STATISTICS``."""

    method: str
    curves: pd.DataFrame
    frame: pd.DataFrame

    def estimate(self, source: str, toward: str, language: str, measure: str, statistic: str) -> Estimate | None:
        """A statistic's mean over seeds with its interval; None where no seed has it."""
        rows = self.curves.loc[
            (self.curves["source"] == source)
            & (self.curves["toward"] == toward)
            & (self.curves["language"] == language)
            & (self.curves["measure"] == measure),
            statistic,
        ].dropna()
        return Estimate.of(list(rows)) if len(rows) else None

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Sources and what they were led toward, in the order of the numbers; controls left out."""
        drawn = self.curves[["source", "toward"]].drop_duplicates()
        return [(source, toward) for source, toward in drawn.astype(str).to_numpy().tolist() if source != toward]

    def to_json(self) -> list[dict[str, object]]:
        """Every curve with its estimates, as plain values."""
        found: list[dict[str, object]] = []
        keys = self.curves[["source", "toward", "language", "measure"]].drop_duplicates()
        for source, toward, language, measure in keys.astype(str).to_numpy().tolist():
            estimates = {name: _plain(self.estimate(source, toward, language, measure, name)) for name in STATISTICS}
            found.append({"source": source, "toward": toward, "language": language, "measure": measure, **estimates})
        return found


def summarise(numbers: pa.Table) -> LandscapeSummary:
    """The statistics of every curve in the numbers of a job."""
    frame = numbers.to_pandas()
    lines = frame[(frame["point"] == "line") & frame["alpha"].notna() & frame["value"].notna()]
    rows: list[Mapping[str, object]] = []
    keys = ["source", "toward", "language", "measure", "seed"]
    for key, curve in lines.sort_values("alpha", kind="stable").groupby(keys, sort=False):
        alphas, values = list(curve["alpha"]), list(curve["value"])
        at = dict(zip(alphas, values, strict=True))
        rows.append(
            {
                **dict(zip(keys, key, strict=True)),
                "at_0": at[0],
                "at_1": at[1],
                "slope": slope(alphas, values),
                "r2": linearity(alphas, values),
                "barrier": barrier(alphas, values),
            }
        )
    return LandscapeSummary(str(frame["method"].iloc[0]), pd.DataFrame(rows), frame)


def _plain(estimate: Estimate | None) -> dict[str, object] | None:
    if estimate is None:
        return None
    return {"mean": estimate.mean, "low": estimate.low, "high": estimate.high, "seeds": estimate.seeds}
