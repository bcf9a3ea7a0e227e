"""The joint bootstrap: one resample of items and one of seeds, applied to the whole matrix at once.

Notation: B resamples, K seeds, N items of a target in G clusters, C means.

*Items.* The items of a target are a sample, and every cell on it shares them; targets of a parallel corpus share them
too. So each resample draws items once and applies the draw to every cell that has them, whole passages where items come
in passages. A score is a ratio of sums, and its deviation under a resample is taken from its influence values: the
linearised ratio (Davison and Hinkley 1997, Bootstrap Methods and their Application, sections 2.7 and 3.2).

*Seeds.* K - 1 of K seeds are drawn with replacement, so that the variance of a mean over seeds comes out as s^2 / K and
not (K - 1) / K of it (Rao and Wu 1988, JASA 83:231); with five seeds that fifth matters.
"""

from __future__ import annotations

import hashlib
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from matrices.arrays import Floats, Indices, Singles
from matrices.view import MatrixView

RESAMPLES = 2000


class Resamples:
    """B resamples of the items and seeds of one matrix. Its name, its axes and B determine them."""

    def __init__(self, view: MatrixView, resamples: int = RESAMPLES) -> None:
        """Raises ``ValueError`` for fewer than two resamples."""
        if resamples < 2:
            raise ValueError(f"resamples: {resamples}; two or more")
        self.resamples, self._view = resamples, view
        self._samples: dict[str, ItemSample] = {}

    @cached_property
    def seeds(self) -> Floats:
        """Weights of the seeds, less their mean [B, K]: a row sums to 0. All 0 where there is one seed."""
        seeds = len(self._view.seeds)
        if seeds == 1:
            return np.zeros((self.resamples, 1))
        random = np.random.default_rng(self._entropy("seeds"))
        drawn = random.multinomial(seeds - 1, np.full(seeds, 1 / seeds), size=self.resamples)
        weights: Floats = drawn / (seeds - 1) - 1 / seeds
        return weights

    def of(self, target: str) -> ItemSample:
        """The resamples of one target's items. Raises ``MeasureError`` where the items named are not those scored."""
        if target not in self._samples:
            items = self._view.items.get(target)
            whose = (items.parallel, *items.ids) if items is not None and items.parallel else (target,)
            entropy = self._entropy("items", *whose)
            self._samples[target] = ItemSample(self._view.clusters(target), self.resamples, entropy)
        return self._samples[target]

    def _entropy(self, *purpose: str) -> int:
        content = "\n".join([self._view.matrix, *purpose])
        return int.from_bytes(hashlib.sha256(content.encode()).digest()[:8])


class ItemSample:
    """Resamples of N items that lie in G clusters: an item each, or a passage each.

    The draws are not kept, as those of all targets would not fit in memory. They are made anew each time, and
    are the same.
    """

    def __init__(self, clusters: Indices, resamples: int, entropy: int) -> None:
        self._clusters, self._resamples, self.entropy = clusters, resamples, entropy
        self.count = int(clusters.max()) + 1
        """G."""

    @property
    def inflation(self) -> float:
        """G / (G - 1), which makes a variance over clusters unbiased; 1 where there is one cluster."""
        return self.count / max(self.count - 1, 1)

    def sums(self, values: NDArray[np.floating]) -> Singles:
        """Values of items [..., N] summed over each cluster [..., G]."""
        if self.count == len(self._clusters):
            return np.asarray(values, np.float32)
        of_cluster = np.zeros((len(self._clusters), self.count), np.float32)
        of_cluster[np.arange(len(self._clusters)), self._clusters] = 1
        summed: Singles = np.asarray(values, np.float32) @ of_cluster
        return summed

    def deviations(self, influence: NDArray[np.floating]) -> Singles:
        """How a mean moves under each resample [B, ...], from the influence of every item on it [..., N].

        ``influence`` sums to 0 over items. Scaled by sqrt(G / (G - 1)): the variance over items is unbiased.
        """
        if self.count < 2:
            return np.zeros((self._resamples, *influence.shape[:-1]), np.float32)
        return self._scaled(self._counts(), influence)

    def moved(self, by_cluster: Singles) -> Singles:
        """As ``deviations``, from the influence summed over clusters, over N [C, G] -> [B, C]."""
        moved: Singles = self._counts() @ by_cluster.T * np.float32(np.sqrt(self.inflation))
        return moved

    def deviations_in_turn(self, influence: NDArray[np.floating]) -> Singles:
        """As ``deviations`` of K means [..., K, N], one of them a resample, in turn [B, ...]."""
        runs = influence.shape[-2]
        moved = np.zeros((self._resamples, *influence.shape[:-2]), np.float32)
        if self.count >= 2:
            counts = self._counts()
            for run in range(runs):
                moved[run::runs] = self._scaled(counts[run::runs], influence[..., run, :])
        return moved

    def totals(self, values: NDArray[np.floating]) -> Singles:
        """Sums of values of items [..., N] over the items of each resample [B, ...]."""
        return self._applied(self._counts(), values)

    def flips(self, differences: NDArray[np.floating]) -> Singles:
        """Means of differences [..., N] with the two sides of each cluster exchanged at random [B, ...]."""
        return self._applied(self._signs(), differences) / np.float32(differences.shape[-1])

    def _scaled(self, counts: Singles, influence: NDArray[np.floating]) -> Singles:
        scale = np.sqrt(self.count / (self.count - 1)) / influence.shape[-1]
        return self._applied(counts, influence) * np.float32(scale)

    def _applied(self, weights: Singles, values: NDArray[np.floating]) -> Singles:
        summed = self.sums(values)
        applied: Singles = weights @ summed.reshape(-1, self.count).T
        return applied.reshape(len(weights), *summed.shape[:-1])

    def _counts(self) -> Singles:
        """How often each cluster is drawn [B, G]."""
        drawn = np.random.default_rng([self.entropy, 0]).integers(self.count, size=(self._resamples, self.count))
        drawn += self.count * np.arange(self._resamples)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=drawn.size).reshape(drawn.shape)
        return counts.astype(np.float32)

    def _signs(self) -> Singles:
        """+1 or -1 for each cluster [B, G]."""
        random = np.random.default_rng([self.entropy, 1])
        return 2 * random.integers(0, 2, size=(self._resamples, self.count), dtype=np.int8).astype(np.float32) - 1
