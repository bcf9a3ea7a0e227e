"""Intervals for numbers computed from the whole matrix at once: donor scores, ratios, shares of variance.

Notation: a statistic f of mean scores [S, T] gives M numbers; K seeds, B resamples of items.

- V: variance of f over items, by the joint bootstrap (``resampling``)
- J: variance of f between seeds, by the delete-one jackknife (Efron and Stein 1981, Annals of Statistics 9:586)
- D: the seeds' disagreement on single items, which both hold and which counts once
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from matrices.arrays import Floats, Singles, mean_over_seeds
from matrices.uncertainty.components import Parts, own_prior, spread
from matrices.uncertainty.influence import influence, over_seeds
from matrices.uncertainty.resampling import RESAMPLES, Resamples
from matrices.view import MatrixView

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


class MatrixBootstrap:
    """One matrix under the resamples of its items, and with each of its seeds left out.

    A statistic has the parts that a mean over seeds and items has (``uncertainty.components``). V, over items, is from
    the joint bootstrap. J, between seeds, is from the jackknife: (K - 1) / K * sum of (value without seed k - their
    mean)^2. Both hold D, the seeds' disagreement on single items, which must count once. D is found from W, the
    variance over items of one seed in place of the mean of K: W holds K times as much of D as V does, so that
    D = (W - V) / (K - 1).
    """

    def __init__(self, view: MatrixView, *, resamples: int = RESAMPLES) -> None:
        self.view = view
        self._samples = Resamples(view, resamples)
        self._resamples = resamples

    def estimate(self, statistic: Statistic, *, alike: bool = True) -> Estimates:
        """The statistic of the means over seeds, and its interval. ``alike``: its M numbers are of one kind."""
        value = statistic(self.view.means, self.view.baseline_means)
        if not self.view.has_outcomes:
            unknown = np.full_like(value, np.nan)
            return Estimates(value, unknown, unknown)
        without = np.stack([statistic(*means) for means in self._without_a_seed()])
        items, alone = (self._variance(statistic, moved, len(value)) for moved in (self._together, self._in_turn))
        parts = self._parts(items, alone, (len(without) - 1) * without.var(axis=0))
        half = spread(parts, own_prior(parts) if alike else None).half_width()
        return Estimates(value, value - half, value + half)

    def variances(self, *, of_changes: bool) -> Floats:
        """Variances of the mean scores [S, T] over items and seeds, or of their changes from the baseline.

        0 where items are not known.
        """
        shape = self.view.means.shape
        if not self.view.has_outcomes:
            return np.zeros(shape)
        runs = self.view.scores - (self.view.baseline if of_changes else 0)
        known = np.isfinite(runs)
        count = known.sum(axis=2)
        centred = np.where(known, runs - mean_over_seeds(runs)[..., None], 0)
        of_seeds = np.divide((centred**2).sum(axis=2), count * (count - 1), out=np.zeros(shape), where=count > 1)
        items, alone = (
            (scores - baseline[:, None] * of_changes).var(axis=0, dtype=np.float64).ravel()
            for scores, baseline in (self._together, self._in_turn)
        )
        parts = self._parts(items, alone, of_seeds.ravel())
        spread_of_scores = spread(parts, own_prior(parts))
        variances: Floats = (spread_of_scores.items + spread_of_scores.seeds).reshape(shape)
        return variances

    def _parts(self, items: Floats, alone: Floats, between: Floats) -> Parts:
        """The parts of M numbers from V, W and J as above, each [M]."""
        seeds = len(self.view.seeds)
        fewest = min(self._samples.of(target).count for target in self.view.targets)
        return Parts(
            items=items,
            between=between,
            disagreement=np.maximum(alone - items, 0) / max(seeds - 1, 1),
            item_freedom=np.full(len(items), float(max(fewest - 1, 1))),
            seed_freedom=np.full(len(items), float(seeds - 1)),
        )

    def _variance(self, statistic: Statistic, moved: tuple[Singles, Singles], count: int) -> Floats:
        """The variance over resamples of the ``count`` numbers of a statistic, of scores and baselines so ``moved``."""
        scores, baseline = moved
        drawn = np.empty((self._resamples, count))
        for at in range(0, self._resamples, _AT_ONCE):
            some = slice(at, at + _AT_ONCE)
            drawn[some] = statistic(self.view.means + scores[some], self.view.baseline_means + baseline[some])
        # In place, as every pair of a large matrix may have statistics: ``var`` would take the same room again.
        drawn -= drawn.mean(axis=0)
        variance: Floats = np.square(drawn, out=drawn).mean(axis=0)
        return variance

    @property
    def _together(self) -> tuple[Singles, Singles]:
        """Deviations of mean scores [B, S, T] and baselines [B, T] under resamples of items."""
        return self._moved[0][:, :-1], self._moved[0][:, -1]

    @property
    def _in_turn(self) -> tuple[Singles, Singles]:
        """The same of one seed's scores and baselines alone, a resample each seed in turn."""
        return self._moved[1][:, :-1], self._moved[1][:, -1]

    @cached_property
    def _moved(self) -> tuple[Singles, Singles]:
        """Deviations [B, S + 1, T], the baselines' last, of means over seeds and of single seeds in turn."""
        view = self.view
        sources, targets = view.means.shape
        together, in_turn = (np.zeros((self._resamples, sources + 1, targets), np.float32) for _ in range(2))
        for place, column in enumerate(view.by_item()):
            sample, known = self._samples.of(column.target), view.known[:, place]
            below = (np.isfinite(view.baseline[place]) & (column.baseline_total[0].sum(axis=1) > 0))[None]
            ours = influence(column.correct, column.total, view.scores[:, place], known)
            theirs = influence(column.baseline_correct, column.baseline_total, view.baseline[place, None], below)
            runs, known = np.concatenate([ours, theirs]), np.concatenate([known, below])
            means = over_seeds(runs, known)
            together[:, :, place] = sample.deviations(means)
            # A run that failed stands for the mean of its source's others.
            in_turn[:, :, place] = sample.deviations_in_turn(np.where(known[..., None], runs, means[:, None]))
        return together, in_turn

    def _without_a_seed(self) -> list[tuple[Floats, Floats]]:
        """Means of scores and baselines with each seed left out; of one seed, as they are.

        A cell that has no other run says nothing of what another seed would have made of it, and keeps its mean.
        """
        view, seeds = self.view, len(self.view.seeds)
        if seeds == 1:
            return [(view.means, view.baseline_means)]
        others = [np.arange(seeds) != seed for seed in range(seeds)]
        without = [(mean_over_seeds(view.scores[..., at]), mean_over_seeds(view.baseline[..., at])) for at in others]
        return [(_filled(means, view.means), _filled(baseline, view.baseline_means)) for means, baseline in without]


def _filled(values: Floats, others: Floats) -> Floats:
    return np.where(np.isfinite(values), values, others)
