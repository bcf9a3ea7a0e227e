"""How sure a mean score and a difference of two are: items resampled jointly, seeds on top.

The variance of a source's mean score has two parts. *Items*: the target's items are a sample, and all sources share
them, so ONE resample of items is drawn and applied to every source (a paired item bootstrap). *Seeds*: other seeds
would have trained other adapters; the part is the unbiased variance over seeds divided by their number, taken pairwise
where two sources share their seeds. Both parts have few degrees of freedom at times (three seeds: two), so that an
interval is ``estimate +- t * sqrt(items + seeds)`` with the degrees of freedom of Satterthwaite (1946); percentiles of
a bootstrap over three seeds would cover three times in four.

``matrices.measures.spread`` takes the same variance apart for whole matrices, and differs by what is at hand. It
moderates the variance over seeds towards that of all cells, draws whole passages, and counts what seeds disagree on by
item once. Here the runs on one target are all there is: outcomes of items may be missing, sources may differ in their
seeds, nothing moderates, and what seeds disagree on by item is in both parts, which makes intervals a little wide where
seeds matter little (98% for 95%, simulated). Taken out of the seeds' part, which three seeds tell badly, it would leave
them too narrow where seeds matter (88% to 92%, in place of 91% to 96%). Whether a source helps is therefore the
measure's to say wherever it can (``recommend.effects``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from scipy import special  # Student's t too (`stdtr`, its inverse `stdtrit`): scipy.stats takes long to import

from matrices.recommend.column import Column, Key, Runs
from matrices.scores import Floats

RESAMPLES = 1000
LEVEL = 0.95

Method = Literal["joint_item_bootstrap", "normal_approximation", "prediction"]
Interval = tuple[float, float]


@dataclass(frozen=True)
class Difference:
    """Mean score of one source less that of another on the same items, and its 95% interval."""

    mean: float
    interval: Interval

    @property
    def undecided(self) -> bool:
        """Whether the interval holds 0."""
        return self.interval[0] <= 0 <= self.interval[1]


def method_of(column: Column) -> Method:
    """How the variance over items of a column's scores is had."""
    return "joint_item_bootstrap" if column.has_outcomes else "normal_approximation"


class Uncertainty:
    """Intervals for the runs of one column. Deterministic: the resample is seeded by the identities of its cells.

    ``normal_approximation``, where the per-item outcomes were not kept: the variance over items is that of a share
    (binomial, items taken as units), and a difference is taken as of independent samples, which is too wide.
    """

    def __init__(self, column: Column, resamples: int = RESAMPLES) -> None:
        self._column, self._resamples = column, resamples

    @property
    def method(self) -> Method:
        """How the variance over items is had."""
        return method_of(self._column)

    def interval(self, source: Key) -> Interval:
        """95% interval of a source's mean score, within [0, 1]. Of one seed it covers other items, not other seeds."""
        runs = self._column.runs[source]
        if self._column.n_items < 2:
            return 0.0, 1.0
        low, high = self._around(runs.mean, self._item_variance(runs), runs.scores)
        return max(low, 0.0), min(high, 1.0)

    def difference(self, one: Key, other: Key) -> Difference:
        """``one`` less ``other``, paired by item, and by seed where both have the same seeds."""
        a, b = self._column.runs[one], self._column.runs[other]
        mean = a.mean - b.mean
        if self._column.n_items < 2:
            return Difference(mean, (-1.0, 1.0))
        items = self._difference_variance(a, b)
        if a.seeds == b.seeds:
            return Difference(mean, self._around(mean, items, a.scores - b.scores))
        return Difference(mean, self._around(mean, items, a.scores, b.scores))

    def probabilities(self, sources: Sequence[Key]) -> dict[Key, float] | None:
        """How probable it is that each of some sources is the best of them; None where nothing is known of the items.

        Items as in an interval, and seeds drawn for each source apart (Student's t with the seeds' degrees of freedom).
        """
        if self._column.n_items < 2:
            return None
        random = self._random("best")
        drawn = np.column_stack([self._draws(self._column.runs[source], random) for source in sources])
        best = np.bincount(drawn.argmax(axis=1), minlength=len(sources)) / len(drawn)
        return dict(zip(sources, best.tolist(), strict=True))

    def _draws(self, runs: Runs, random: np.random.Generator) -> Floats:
        """Mean scores that other items and other seeds might have given [resamples]."""
        spread = np.sqrt(self._item_variance(runs))
        drawn: Floats = runs.mean + spread * random.standard_normal(self._resamples)
        if self.method == "joint_item_bootstrap":
            known = np.isfinite(self._resampled[runs.source])
            drawn = np.where(known, self._resampled[runs.source], runs.mean)
        if (seeds := len(runs.scores)) > 1:
            drawn += runs.scores.std(ddof=1) / np.sqrt(seeds) * random.standard_t(seeds - 1, self._resamples)
        return drawn

    def _random(self, *purpose: str) -> np.random.Generator:
        content = hashlib.sha256("\n".join([*self._column.cell_ids, *purpose]).encode()).digest()
        return np.random.default_rng(int.from_bytes(content[:8]))

    @cached_property
    def _resampled(self) -> dict[Key, Floats]:
        """Mean score over seeds of every source, under each of the same resamples of items [resamples]."""
        counts = _resample(self._random(), self._column.n_items, self._resamples)
        shares = _shares_under(counts, list(self._column.runs.values()))
        ends = np.cumsum([len(runs.seeds) for runs in self._column.runs.values()])
        of_source = np.split(shares, ends[:-1], axis=1)
        return {source: part.mean(axis=1) for source, part in zip(self._column.runs, of_source, strict=True)}

    def _item_variance(self, runs: Runs) -> float:
        items = self._column.n_items
        if self.method == "normal_approximation":
            return _share_variance(runs.mean, items)
        variance = _variance(self._resampled[runs.source], items)
        # No item differs from another at 0 and at 1; that is no proof that none ever would.
        return variance if 0 < runs.mean < 1 else max(variance, _share_variance(runs.mean, items))

    def _difference_variance(self, a: Runs, b: Runs) -> float:
        if self.method == "normal_approximation":
            return self._item_variance(a) + self._item_variance(b)
        return _variance(self._resampled[a.source] - self._resampled[b.source], self._column.n_items)

    def _around(self, mean: float, items: float, *samples: Floats) -> Interval:
        parts = [(items, self._column.n_items - 1)]
        parts += [(float(sample.var(ddof=1)) / len(sample), len(sample) - 1) for sample in samples if len(sample) > 1]
        half = _half_width(parts)
        return mean - half, mean + half


def _resample(random: np.random.Generator, items: int, times: int) -> Floats:
    """How often each item is drawn in each resample [times, items]."""
    drawn = random.integers(items, size=(times, items)) + items * np.arange(times)[:, None]
    return np.bincount(drawn.ravel(), minlength=times * items).reshape(times, items).astype(np.float64)


def _shares_under(counts: Floats, runs: list[Runs]) -> Floats:
    """Scores of every run under every resample [resamples, runs], runs in order of source, then seed."""
    right = counts @ np.vstack([one.correct for one in runs if one.correct is not None]).T
    # Most tasks have the same totals in every run: each different one is multiplied once.
    totals, which = np.unique(
        np.vstack([one.total for one in runs if one.total is not None]), axis=0, return_inverse=True
    )
    possible = (counts @ totals.T)[:, which]
    # A resample with nothing to find (no span in any sentence drawn) has no score: it is left out, not scored 0.
    shares: Floats = np.divide(right, possible, out=np.full_like(right, np.nan), where=possible > 0)
    return shares


def _variance(resampled: Floats, items: int) -> float:
    known = resampled[np.isfinite(resampled)]
    return float(known.var()) * items / (items - 1) if len(known) > 1 else 0.0


def _share_variance(mean: float, items: int) -> float:
    """Variance of a share of ``items``, its centre moved off 0 and 1 as by Agresti and Coull (1998)."""
    centre = (mean * items + 2) / (items + 4)
    return centre * (1 - centre) / (items + 4)


def _half_width(parts: list[tuple[float, int]]) -> float:
    total = sum(variance for variance, _ in parts)
    if total == 0:
        return 0.0
    freedom = total**2 / sum(variance**2 / degrees for variance, degrees in parts)
    return float(special.stdtrit(freedom, 0.5 + LEVEL / 2)) * float(np.sqrt(total))
