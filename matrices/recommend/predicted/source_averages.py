"""How sources do on other targets than the one asked for: on all of them, and on those of its family and its genus."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from matrices.likeness.similarity import kernel, similarities
from matrices.scores import Floats

GROUPS = ("source", "source on like targets", "source on like targets")
"""What the columns say: a source's mean over all other targets, over those of the family, over those of the genus."""

_PRIOR = 0.5
"""So many scores of 0, the average of a target's sources, are added to every mean: few scores make lucky means."""

_DIGITS = 9
"""Decimals kept when rounding, so that a model is the same whatever unit the scores are in."""


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
        means = self._means(targets)
        found = means[[self._measured.get(code, 0) for code in sources]]
        if strangers := [at for at, code in enumerate(sources) if code not in self._measured]:
            like = kernel([sources[at] for at in strangers], self.sources) * self._known.any(axis=1)
            likely = like / np.maximum(like.sum(axis=1, keepdims=True), 1e-9)
            found[strangers] = np.tensordot(likely, means, 1)
        return found.round(_DIGITS)

    def as_new(self, targets: Sequence[str]) -> Floats:
        """As ``of`` for all the sources [S, len(targets), 3], each as if it had not been measured itself."""
        means = self._means(targets)
        like = kernel(self.sources, self.sources) * self._known.any(axis=1)
        np.fill_diagonal(like, 0)
        likely = like / np.maximum(like.sum(axis=1, keepdims=True), 1e-9)
        imputed: Floats = np.tensordot(likely, means, 1).round(_DIGITS)
        return imputed

    def _means(self, targets: Sequence[str]) -> Floats:
        weights = _weights(self.targets, tuple(targets))
        return np.stack([self._scores @ weight / (self._known @ weight + _PRIOR) for weight in weights], axis=-1)

    @cached_property
    def _known(self) -> Floats:
        """1 where a score is known, else 0: as numbers, which multiply faster than truth."""
        return np.isfinite(self.standard).astype(np.float64)

    @cached_property
    def _scores(self) -> Floats:
        return np.nan_to_num(self.standard)

    @cached_property
    def _measured(self) -> dict[str, int]:
        """The rows of the sources that have a score."""
        return {self.sources[row]: row for row in np.flatnonzero(self._known.any(axis=1)).tolist()}


@lru_cache(maxsize=64)
def _weights(targets: tuple[str, ...], asked: tuple[str, ...]) -> Floats:
    """What each target counts for in each mean for those asked for [3, T, len(asked)]."""
    like = similarities(targets, asked)
    other = np.array(targets, dtype=object)[:, None] != np.array(asked, dtype=object)
    return np.stack([other, other & (like["family"] == 1), other & (like["genus"] == 1)]).astype(np.float64)
