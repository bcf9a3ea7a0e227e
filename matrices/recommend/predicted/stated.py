"""What is stated of pairs of languages rather than worked out: by a table of its own pairs, or by another matrix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from matrices.recommend.predicted.columns import columns
from matrices.scores import Floats, ScoreTable


@dataclass(frozen=True, eq=False)
class Stated:
    """What is stated of the pairs of some sources and targets: ``values`` [S, T], NaN where nothing is."""

    sources: tuple[str, ...]
    targets: tuple[str, ...]
    values: Floats

    def of(self, sources: Sequence[str], target: str) -> Floats:
        """The values [len(sources)] of pairs with one target; NaN of languages it does not have."""
        if target not in self.targets:
            return np.full(len(sources), np.nan)
        column = self.values[:, self.targets.index(target)]
        at = {code: row for row, code in enumerate(self.sources)}
        return np.array([column[at[code]] if code in at else np.nan for code in sources])


@dataclass(frozen=True, eq=False)
class Average:
    """What is stated of sources alone: ``values`` [S], NaN where nothing is."""

    sources: tuple[str, ...]
    values: Floats

    def of(self, sources: Sequence[str], target: str) -> Floats:
        """The values [len(sources)] of pairs with any target; NaN of sources it does not have."""
        at = {code: row for row, code in enumerate(self.sources)}
        return np.array([self.values[at[code]] if code in at else np.nan for code in sources])


def borrowed(name: str, other: ScoreTable) -> dict[str, Stated | Average]:
    """What a pair scores in a related matrix, standardised, and what its source scores there on average, by feature."""
    other = other.without_selves()
    standard = columns(other.scores).standard
    count = np.isfinite(standard).sum(axis=1)
    average = np.divide(np.nansum(standard, axis=1), count, out=np.full(len(count), np.nan), where=count > 0)
    return {
        name: Stated(other.sources, other.targets, standard),
        f"{name}, on average": Average(other.sources, average),
    }
