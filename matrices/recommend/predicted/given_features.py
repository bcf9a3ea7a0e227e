"""What is stated of pairs of languages rather than worked out: by a table of its own pairs, or by texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from matrices.scores import Floats


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
