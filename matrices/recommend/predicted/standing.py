"""How sources do on other targets than the one asked for: on all of them, and on those of its family and its genus."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from matrices.languages import kinship
from matrices.likeness.similarity import kernel
from matrices.scores import Floats

GROUPS = ("source", "source on like targets", "source on like targets")
"""What the columns say: a source's mean over all other targets, over those of the family, over those of the genus."""

_PRIOR = 0.5
"""So many scores of 0, the average of a target's sources, are added to every mean: few scores make lucky means."""

_DIGITS = 9
"""As many as the unit of the scores, in which all that follows is the same, does not move."""


@dataclass(frozen=True, eq=False)
class Standing:
    """Standard scores [S, T] of sources on targets, NaN where not measured, and what they say of other targets."""

    sources: tuple[str, ...]
    targets: tuple[str, ...]
    standard: Floats

    def of(self, sources: Sequence[str], targets: Sequence[str]) -> Floats:
        """Means [len(sources), len(targets), 3], in the order of ``GROUPS``; of every target, over the others only.

        A source that was not measured stands as the mean of those like it, weighed by ``kernel``.
        """
        known = np.isfinite(self.standard)
        scores = np.where(known, self.standard, 0.0)
        weights = _weights(self.targets, tuple(targets))
        means = np.stack([scores @ weight / (known @ weight + _PRIOR) for weight in weights], axis=-1)
        place = {code: at for at, code in enumerate(self.sources) if known[at].any()}
        found = means[[place.get(code, 0) for code in sources]]
        if strangers := [at for at, code in enumerate(sources) if code not in place]:
            like = kernel([sources[at] for at in strangers], self.sources) * known.any(axis=1)
            likely = like / np.maximum(like.sum(axis=1, keepdims=True), 1e-9)
            found[strangers] = np.tensordot(likely, means, 1)
        return found.round(_DIGITS)


@lru_cache(maxsize=64)
def _weights(targets: tuple[str, ...], asked: tuple[str, ...]) -> Floats:
    """What each target counts for in each mean for those asked for [3, T, len(asked)]."""
    kin = np.array([[-1 if one == other else kinship(one, other) for other in asked] for one in targets])
    return np.stack([kin >= degree for degree in (0, 1, 2)]).astype(np.float64)
