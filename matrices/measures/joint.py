"""Intervals for numbers computed from the whole matrix at once: donor scores, ratios, shares of variance."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import stats

from matrices.items import Items
from matrices.measures.influence import influence, over_seeds
from matrices.measures.outcomes import Floats, Outcomes, Singles, mean_over_seeds
from matrices.measures.resampling import RESAMPLES, Resamples
from matrices.measures.spread import LEVEL

Statistic = Callable[[Floats, Floats], Floats]
"""Mean scores [..., S, T] and baselines [..., T], NaN where not measured, to M numbers [..., M], NaN where unknown."""

_AT_ONCE = 100
"""Resamples put into a statistic at once: enough for NumPy to be busy, few enough for memory."""


@dataclass(frozen=True, eq=False)
class Estimates:
    """M numbers with their 95% intervals [M]; ``low`` and ``high`` are NaN where items are not known."""

    value: Floats
    low: Floats
    high: Floats


class Joint:
    """One matrix under the resamples of its items, and with each of its seeds left out.

    The variance of a statistic is the sum of two: over items from the joint bootstrap, over seeds from the jackknife
    (K - 1) / K * sum of (value without seed k - their mean)^2. What seeds disagree on by item is in both, so intervals
    are a little wide; their t has Satterthwaite's degrees of freedom.
    """

    def __init__(
        self, outcomes: Outcomes, *, items: Mapping[str, Items] | None = None, resamples: int = RESAMPLES
    ) -> None:
        self.outcomes = outcomes
        self._samples = Resamples(outcomes, resamples, items)
        self._resamples = resamples

    def estimate(self, statistic: Statistic) -> Estimates:
        """The statistic of the means over seeds, and its interval."""
        value = statistic(self.outcomes.means, self.outcomes.baseline_means)
        if self.outcomes.columns is None:
            unknown = np.full_like(value, np.nan)
            return Estimates(value, unknown, unknown)
        of_items = self._item_variance(statistic, value.shape)
        without = np.stack([statistic(*means) for means in self._without_a_seed()])
        of_seeds = (len(without) - 1) * without.var(axis=0)
        total = of_items + of_seeds
        parts = of_items**2 / max(int(self.outcomes.n_items.min()) - 1, 1) + of_seeds**2 / max(len(without) - 1, 1)
        freedom = np.divide(total**2, parts, out=np.full_like(total, np.inf), where=parts > 0)
        half = stats.t.ppf(0.5 + LEVEL / 2, freedom) * np.sqrt(total)
        return Estimates(value, value - half, value + half)

    def variances(self, *, of_changes: bool) -> Floats:
        """Variances of the mean scores [S, T] over items and seeds, or of their changes from the baseline.

        0 where items are not known.
        """
        shape = self.outcomes.means.shape
        if self.outcomes.columns is None:
            return np.zeros(shape)
        moved, runs = self._deviations[0], self.outcomes.scores
        if of_changes:
            moved, runs = moved - self._deviations[1][:, None], runs - self.outcomes.baseline
        of_items, known = moved.var(axis=0, dtype=np.float64), np.isfinite(runs)
        count = known.sum(axis=2)
        centred = np.where(known, runs - mean_over_seeds(runs)[..., None], 0)
        of_seeds = np.divide((centred**2).sum(axis=2), count * (count - 1), out=np.zeros(shape), where=count > 1)
        variances: Floats = of_items + of_seeds
        return variances

    def _item_variance(self, statistic: Statistic, shape: tuple[int, ...]) -> Floats:
        """The variance of a statistic over resamples of items [M], of which it makes a ``shape``."""
        scores, baseline = self._deviations
        drawn = np.empty((self._resamples, *shape))
        for at in range(0, self._resamples, _AT_ONCE):
            some = slice(at, at + _AT_ONCE)
            drawn[some] = statistic(self.outcomes.means + scores[some], self.outcomes.baseline_means + baseline[some])
        # In place, as every pair of a large matrix may have statistics: ``var`` would take the same room again.
        drawn -= drawn.mean(axis=0)
        variance: Floats = np.square(drawn, out=drawn).mean(axis=0)
        return variance

    @cached_property
    def _deviations(self) -> tuple[Singles, Singles]:
        """Deviations of mean scores [B, S, T] and baselines [B, T] under resamples of items."""
        found = self.outcomes
        scores = np.zeros((self._resamples, *found.means.shape), np.float32)
        baseline = np.zeros((self._resamples, len(found.targets)), np.float32)
        for place, column in enumerate(found.by_item()):
            sample, known = self._samples.of(column.target), found.known[:, place]
            ours = influence(column.correct, column.total, found.scores[:, place], known)
            scores[:, :, place] = sample.deviations(over_seeds(ours, known))
            below = (np.isfinite(found.baseline[place]) & (column.baseline_total[0].sum(axis=1) > 0))[None]
            theirs = influence(column.baseline_correct, column.baseline_total, found.baseline[place, None], below)
            baseline[:, place] = sample.deviations(over_seeds(theirs, below))[:, 0]
        return scores, baseline

    def _without_a_seed(self) -> list[tuple[Floats, Floats]]:
        """Means of scores and baselines with each seed left out; of one seed, as they are."""
        found, seeds = self.outcomes, len(self.outcomes.seeds)
        if seeds == 1:
            return [(found.means, found.baseline_means)]
        kept = [np.arange(seeds) != seed for seed in range(seeds)]
        return [(mean_over_seeds(found.scores[..., at]), mean_over_seeds(found.baseline[..., at])) for at in kept]
