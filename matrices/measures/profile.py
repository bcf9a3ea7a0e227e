"""hat_r: a reconstruction of Hardness Adjusted Transfer (arXiv:2606.21954), and the transfer profile it is made of.

The published abstract says what the measure is for: existing measures "conflate improvements in transfer with general
improvements to accuracy in the source language". Its formula could not be had, so this is our own, named ``hat_r``
everywhere. What the authors may have chosen otherwise is a setting (``ProfileSettings``).

Notation: an item q has success probabilities p_s(q) in the source language and p_t(q) in the target language; R
rotations, B bins, T targets, I items.

The transfer profile is tau(u) = E[p_t | p_s = u]. Older measures integrate it against the model's own distribution of
hardness, so they rise when the model merely gets better at s. hat_r integrates against a fixed weight w on hardness. Of
K samples an item:

- S_q: successes of K source samples; the bin of q is k = S_q in 0..K
- tau_k = mean of p_t samples of the items in bin k, sigma_k = mean of *further, independent* source samples there
- hat_r = (sum_k w_k tau_k - c) / (sum_k w_k sigma_k - c), c chance, unclipped

The self-ceiling sigma_k is what the measure rests on: items land in a bin by luck too, and regress to their mean.
Divided by the bins' nominal k / K instead (``normaliser="nominal"``), weak models seem to transfer little.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from matrices.arrays import Floats

Counts = NDArray[np.integer]
Numbers = NDArray[np.floating]

Hardness = Literal["source", "all"]
Normaliser = Literal["ceiling", "nominal", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileSettings:
    """The choices that the definition leaves open; the defaults are our reconstruction."""

    weights: tuple[float, ...] | None = None
    """w on the bins k = 0..K, of any sum; None is uniform."""
    chance: float | None = None
    """c. None takes how often a ``zero_shot`` matrix's constant answer is right, and 0 of other matrices."""
    hardness: Hardness = "source"
    """Whose samples put items into bins: the source's, or the mean over all languages that are source and target."""
    normaliser: Normaliser = "ceiling"
    """What sum w tau is divided by: sum w sigma, sum w k / K, or nothing (1 + c, so that sum w tau - c remains)."""
    solved: float | None = None
    """The share of an item that must be right for a success; None takes the share itself as the item's probability."""
    most_extrapolated: float = 0.25
    """Refused where bins without items carry more of w than this: their tau and sigma are interpolated."""

    def weights_of(self, bins: int) -> Floats:
        """w on so many bins, with the sum 1. Raises ``ValueError`` for weights of another number, or none positive."""
        if self.weights is None:
            return np.full(bins, 1 / bins)
        weights = np.asarray(self.weights, np.float64)
        if len(weights) != bins or (weights < 0).any() or weights.sum() <= 0:
            raise ValueError(f"weights: {self.weights}; {bins} numbers, none below 0 and one above, a bin each")
        shares: Floats = weights / weights.sum()
        return shares


@dataclass(frozen=True, eq=False)
class Profile:
    """Transfer profiles of one source and T targets over B bins, as sums over the items in each bin.

    ``sums`` [..., 2 + T, B]: how many items, the sum of their further source samples, and of each target's samples.
    Leading axes are resamples of items, if any.
    """

    sums: Numbers

    @property
    def counts(self) -> Numbers:
        """Items by bin [..., B], summed over rotations."""
        return self.sums[..., 0, :]

    @property
    def sigma(self) -> Numbers:
        """Mean further source success by bin [..., B]; NaN where a bin is empty."""
        return _over(self.sums[..., 1, :], self.counts)

    @property
    def tau(self) -> Numbers:
        """Mean target success by bin [..., T, B]; NaN where a bin is empty."""
        return _over(self.sums[..., 2:, :], self.counts[..., None, :])

    def extrapolated(self, recipe: ProfileSettings) -> Floats:
        """The share of w on bins without items [...]."""
        shares: Floats = np.where(self.counts > 0, 0, recipe.weights_of(self.counts.shape[-1])).sum(axis=-1)
        return shares

    def hat_r(self, recipe: ProfileSettings, chance: float) -> Floats:
        """hat_r of every target [..., T]; infinite where the source is no better than chance, NaN without items."""
        bins = self.counts.shape[-1]
        weights = recipe.weights_of(bins)
        per_item = _over(_carried(weights, self.counts > 0), self.counts, otherwise=0)
        expected: Floats = np.einsum("...b,...jb->...j", per_item, self.sums[..., 1:, :]) - chance
        above, below = expected[..., 1:], expected[..., :1]
        if recipe.normaliser == "none":
            return above
        if recipe.normaliser == "nominal":
            below = np.full_like(below, weights @ np.linspace(0, 1, bins) - chance)
        return _over(above, below, otherwise=np.inf)


def binned(hardness: Counts, ceiling: Numbers, outcomes: Numbers, bins: int) -> Numbers:
    """What every item adds to the ``sums`` of a profile [2 + T, B, I], summed over R rotations.

    ``hardness`` [R, I] are bins from 0, below 0 for an item that is left out; ``ceiling`` [R, I] source samples and
    ``outcomes`` [T, R, I] target samples that are independent of the hardness of the same rotation.
    """
    inside = (hardness[:, None] == np.arange(bins)[:, None]).astype(np.float32)
    values = np.concatenate([np.ones_like(ceiling)[None], ceiling[None], outcomes])
    sums: Numbers = np.einsum("rbi,jri->jbi", inside, values)
    return sums


def rotations(samples: Numbers) -> NDArray[np.int64]:
    """The bin of every item with one of K samples [K, I] left out, in turn: successes of the other K - 1, rounded."""
    bins: NDArray[np.int64] = np.rint(samples.sum(axis=0) - samples).astype(np.int64)
    return bins


def _carried(weights: Floats, occupied: NDArray[np.bool_]) -> Floats:
    """The weights [..., B] with what empty bins have given to the occupied beside them; NaN where none is occupied.

    A tau between two occupied bins is interpolated linearly, and beyond them the nearest is taken: that is the same
    as to share the weight out so.
    """
    bins = len(weights)
    patterns, which = np.unique(occupied.reshape(-1, bins), axis=0, return_inverse=True)
    carried = np.full(patterns.shape, np.nan)
    for at, pattern in enumerate(patterns):
        if (places := np.flatnonzero(pattern)).size:
            shares = [np.interp(np.arange(bins), places, row) for row in np.eye(places.size)]
            carried[at] = 0
            carried[at, places] = np.array(shares) @ weights
    given: Floats = carried[which].reshape(occupied.shape)
    return given


def _over(a: Numbers, b: Numbers, otherwise: float = np.nan) -> NDArray[Any]:
    """a / b where b is above 0."""
    shape = np.broadcast_shapes(a.shape, b.shape)
    return np.divide(a, b, out=np.full(shape, otherwise, np.float64), where=b > 0)
