"""One target's sources: how sure their scores are, and how they compare on the same items and seeds.

Notation: S sources of one target, n of them compared, K seeds, N items in G clusters.

Items: one bootstrap of clusters serves all sources. Seeds: variances moderated by those of the whole matrix
(``components``); a difference is paired by seed where both sources have the same seeds. Ties are joint statements about
all pairs at once, by max-T bands, so that the true best is among those tied with the best with 95% confidence (Mogstad,
Romano, Shaikh and Wilhelm 2024, "Inference for Ranks", Review of Economic Studies 91:476).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np

from matrices.arrays import Bools, Floats, Indices, Singles
from matrices.cells import bounds
from matrices.uncertainty.best import probabilities_best
from matrices.uncertainty.components import (
    LEVEL,
    Parts,
    SeedVariance,
    Spread,
    parts,
    parts_of_pairs,
    spread,
    squares_apart,
    together,
)
from matrices.uncertainty.influence import influence
from matrices.uncertainty.multiplicity import max_t_of_pairs
from matrices.uncertainty.resampling import ItemSample, Resamples
from matrices.view import MatrixView

Tie = Literal["tied", "worse", "unknown"]
"""What can be said of a source beside the best; ``unknown`` where the seeds or items that would tell are not."""

BAYES_DRAWS = 4000
_MANY = 1000.0
"""Degrees of freedom of a standard error that its authors state without any."""


@dataclass(frozen=True, eq=False)
class Compared:
    """n sources against each other: standard errors and joint 95% half widths of their differences [n, n].

    ``better`` [n, n]: the first is better than the second beyond doubt, for all pairs at once. ``covariance`` [n, n] is
    that of the errors of their means, which rests on so many degrees of ``freedom``.
    """

    error: Floats
    reach: Floats
    better: Bools
    covariance: Floats
    freedom: float

    @property
    def beaten(self) -> Bools:
        """Which of them are worse than another one beyond doubt [n]."""
        return np.asarray(self.better.any(axis=0))


class TargetRuns:
    """All runs on one target of a view: S sources and the baseline, K seeds, N items in G clusters."""

    def __init__(self, view: MatrixView, target: str, samples: Resamples, seeds: SeedVariance) -> None:
        """Raises ``MeasureError`` where the items named are not those scored."""
        self._view, self._seeds, self._at = view, seeds, view.targets.index(target)
        self._outcomes = view.outcomes(target)
        self._sample = None if self._outcomes is None else samples.of(target)
        self.items = int(view.n_items[self._at])

    @property
    def paired(self) -> bool:
        """Whether sources can be compared item by item: outcomes are at hand, in two clusters or more."""
        return self._sample is not None and self._sample.count > 1

    @cached_property
    def seeds_known(self) -> bool:
        """Whether the matrix says how much scores vary over seeds."""
        return self._seeds.of_scores is not None

    def intervals(self) -> tuple[Floats, Floats]:
        """95% intervals of the mean scores of all sources, and of the baseline last: lower and upper ends [S + 1].

        They lie within the bounds of the metric; where nothing is known of the items they are the whole range. Where
        every source has one seed, they cover other items, not other seeds.
        """
        least, most = bounds(self._view.metric)
        half = np.nan_to_num(self.half_widths(), nan=most - least)
        return np.maximum(self._means - half, least), np.minimum(self._means + half, most)

    def half_widths(self) -> Floats:
        """Half the widths of the 95% intervals of all sources, and of the baseline last [S + 1].

        By Student's t; NaN where nothing is known of the items.
        """
        return np.full_like(self._means, np.nan) if self._spread is None else self._spread.half_width()

    def errors(self) -> Floats:
        """Standard errors of the mean scores of all sources over items, and over seeds as far as they are known [S].

        NaN where neither is known.
        """
        if self._spread is not None:
            return self._spread.error[:-1]
        if self._seeds.of_scores is None:
            return np.full(len(self._means) - 1, np.nan)
        # Of items nothing is known: seeds alone, whose variance holds what they disagree on by item.
        return spread(_without_items(self._runs, self._known), self._seeds.of_scores).error[:-1]

    def unpaired_changes(self) -> tuple[Floats, Floats]:
        """Changes of mean scores from the baseline, and half the widths of their 95% intervals [S]; NaN where unknown.

        As of independent samples, for where outcomes of items were not kept: too wide, as nothing is paired.
        """
        changes = self._means[:-1] - self._means[-1]
        if self._spread is None:
            return changes, np.full_like(changes, np.nan)
        variance, freedom = self._spread.error**2, self._spread.freedom
        both = together((variance[:-1], freedom[:-1]), (np.full_like(changes, variance[-1]), freedom[-1:]))
        nothing = np.zeros_like(changes)
        change = Spread(variance[:-1] + variance[-1], nothing, both, nothing, self._spread.seed_freedom[:-1])
        return changes, change.half_width()

    def ties(self, sources: Indices) -> list[Tie]:
        """How each of some ``sources``, the best first, compares with the best of them."""
        if not self.paired or not len(sources):
            return ["tied" if at == 0 else "unknown" for at in range(len(sources))]
        # Items alone may show that two cannot be told apart; that they can takes seeds too.
        apart: Tie = "worse" if self.seeds_known else "unknown"
        return [apart if beaten else "tied" for beaten in self.compared(sources).beaten.tolist()]

    def probabilities_best(self, sources: Indices) -> Floats | None:
        """How probable it is that each source is the best of them; None where items or seeds are not known."""
        if not self.paired or not self.seeds_known or not len(sources):
            return None
        assert self._sample is not None
        compared = self.compared(sources)
        random = np.random.default_rng([self._sample.entropy, 3])
        means = self._view.means[sources, self._at]
        return probabilities_best(means, compared.covariance, compared.freedom, random, BAYES_DRAWS)

    def compared(self, sources: Indices) -> Compared:
        """Differences of all pairs of some sources that were measured."""
        key = tuple(sources.tolist())
        if key not in self._compared:
            self._compared[key] = self._compare(sources)
        return self._compared[key]

    @cached_property
    def _compared(self) -> dict[tuple[int, ...], Compared]:
        return {}

    def _compare(self, sources: Indices) -> Compared:
        assert self._sample is not None
        count, sample = len(sources), self._sample
        first, second = np.triu_indices(count, 1)
        known = self._view.known[sources, self._at]
        scores = np.where(known, self._view.scores[sources, self._at], 0)
        by_cluster = self._by_cluster[sources]
        own = by_cluster.sum(axis=1) / known.sum(axis=1)[:, None].astype(np.float32)
        seeds, freedom = self._seeds_of_pairs(parts_of_pairs(by_cluster, scores, known, sample), known, sources)
        covariance = sample.inflation * own.astype(np.float64) @ own.astype(np.float64).T
        items = np.maximum(squares_apart(own)[first, second], 0) * sample.inflation
        item_freedom = np.full(len(first), float(max(sample.count - 1, 1)))
        of_pairs = Spread(items, seeds, together((items, item_freedom), (seeds, freedom)), np.ones(len(items)), freedom)
        # What differences vary by over seeds, shared out among single sources.
        of_source = (np.bincount(first, seeds, count) + np.bincount(second, seeds, count)) / max(2 * (count - 1), 1)
        random = np.random.default_rng([sample.entropy, 2])
        moved = sample.moved(own)
        moved += np.sqrt(of_source).astype(np.float32) * random.standard_normal(moved.shape, dtype=np.float32)
        reach = of_pairs.joint_half_width(max_t_of_pairs(moved, LEVEL))
        error, reach = (_square(values, count) for values in (of_pairs.error, reach))
        means = self._view.means[sources, self._at]
        # Where nothing varies, as between two sources that answer every item alike, nothing is beyond doubt.
        better = (means[:, None] - means > reach) & (error > 0)
        usual = min(float(np.median(of_pairs.freedom)), _freedom_of(own)) if count > 1 else float("inf")
        return Compared(error, reach, better, covariance + np.diag(of_source), usual)

    def _seeds_of_pairs(self, components: Parts, known: Bools, sources: Indices) -> tuple[Floats, Floats]:
        """Variances of differences over seeds beyond items, and their degrees of freedom [pairs]."""
        first, second = np.triu_indices(len(sources), 1)
        paired = spread(components, self._seeds.of_differences)
        alike = (known[first] == known[second]).all(axis=1)
        freedom = paired.seed_freedom
        if alike.all():
            return paired.seeds, freedom
        # Of unlike seeds each source brings its own.
        own = self._spread
        assert own is not None
        a, b = sources[first], sources[second]
        apart = own.seeds[a] + own.seeds[b]
        of_apart = together((own.seeds[a], own.seed_freedom[a]), (own.seeds[b], own.seed_freedom[b]))
        return np.where(alike, paired.seeds, apart), np.where(alike, freedom, of_apart)

    @cached_property
    def _means(self) -> Floats:
        """Mean scores of all sources, and of the baseline last [S + 1]."""
        return np.append(self._view.means[:, self._at], self._view.baseline_means[self._at])

    @cached_property
    def _runs(self) -> Floats:
        """Scores of all sources, and of the baseline last [S + 1, K]."""
        return np.vstack([self._view.scores[:, self._at], self._view.baseline[self._at]])

    @cached_property
    def _known(self) -> Bools:
        return np.isfinite(self._runs)

    @cached_property
    def _spread(self) -> Spread | None:
        """Of all sources' means, and the baseline's last [S + 1]; None where items are not known."""
        if self.paired:
            assert self._sample is not None
            components = parts(self._influence, self._runs, self._known, self._sample)
            # No item differs from another at 0 and at 1; that is no proof that none ever would.
            ends = (self._means <= 0) | (self._means >= 1)
            shares = share_variance(self._means, self._sample.count)
            components = replace(components, items=np.where(ends, shares, components.items))
        elif self._outcomes is None and self._view.metric == "accuracy" and self.items > 1:
            # Binomial, an item a trial: wide where an item is a sentence of words, and no variance at all of an F1.
            freedom = np.full(len(self._means), float(self.items - 1))
            shares = share_variance(self._means, self.items)
            components = replace(_without_items(self._runs, self._known), items=shares, item_freedom=freedom)
        elif self._outcomes is None and self._view.stated is not None:
            # Of the baseline nothing is stated.
            stated = np.append(self._view.stated[:, self._at] ** 2, np.nan)
            components = replace(
                _without_items(self._runs, self._known), items=stated, item_freedom=np.full(len(stated), _MANY)
            )
        else:
            return None
        moderated = spread(components, self._seeds.of_scores)
        if self._view.kind != "zero_shot":
            return moderated
        # A constant answer has no seeds.
        plain = spread(components, None)
        return Spread(
            **{
                name: np.append(getattr(moderated, name)[:-1], getattr(plain, name)[-1:])
                for name in Spread.__annotations__
            }
        )

    @cached_property
    def _influence(self) -> Singles:
        """Of every item on every run of every source, and of the baseline last [S + 1, K, N]."""
        assert self._outcomes is not None
        outcomes, at = self._outcomes, self._at
        ours = influence(outcomes.correct, outcomes.total, self._view.scores[:, at], self._view.known[:, at])
        baseline = self._view.baseline[at, None]
        below = np.isfinite(baseline) & (outcomes.baseline_total.sum(axis=-1) > 0)
        return np.concatenate([ours, influence(outcomes.baseline_correct, outcomes.baseline_total, baseline, below)])

    @cached_property
    def _by_cluster(self) -> Singles:
        """The influence summed over clusters, over N [S + 1, K, G]."""
        assert self._sample is not None
        by_cluster: Singles = self._sample.sums(self._influence) / np.float32(self._influence.shape[-1])
        return by_cluster


def _freedom_of(by_cluster: Singles) -> float:
    """The degrees of freedom that variances over clusters [n, G] have, the median; fewer where few clusters tell.

    2 V^2 / Var(V), V = sum of u_g^2 and Var(V) = sum of u_g^4 - V^2 / G: of normal u about G; of a rare span, twice as
    many as there are clusters with one.
    """
    squares = by_cluster.astype(np.float64) ** 2
    total, clusters = squares.sum(axis=1), by_cluster.shape[1]
    uncertain = (squares**2).sum(axis=1) - total**2 / clusters
    freedom = np.divide(2 * total**2, uncertain, out=np.full(len(total), np.inf), where=uncertain > 0)
    return max(float(np.median(freedom)), 1.0)


def _without_items(runs: Floats, known: Bools) -> Parts:
    """The parts of means of ``runs`` [C, K] as far as seeds alone tell them."""
    return parts(
        np.zeros((*runs.shape, 1), np.float32), np.where(known, runs, 0), known, ItemSample(np.zeros(1, int), 2, 0)
    )


def share_variance(means: Floats, items: int) -> Floats:
    """Variance of shares of ``items``, with the adjusted centre of Agresti and Coull (1998), which is never 0 or 1."""
    centre = (means * items + 2) / (items + 4)
    variance: Floats = centre * (1 - centre) / (items + 4)
    return variance


def _square(values: Floats, count: int) -> Floats:
    """Values of pairs, in the order of ``np.triu_indices``, as a symmetric matrix with 0 on its diagonal."""
    square = np.zeros((count, count))
    first, second = np.triu_indices(count, 1)
    square[first, second] = square[second, first] = values
    return square
