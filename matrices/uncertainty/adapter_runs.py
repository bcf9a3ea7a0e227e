"""The variance of a change over training runs of its language adapter, from a part of a matrix that was trained twice.

Notation: d_r the change of a pair (source, target) with run r of the source's language adapter, on the same items, task
adapters and seeds. The baseline has no language adapter and cancels: d_1 - d_2 = S_1 - S_2, and

    E (S_1 - S_2)^2 = 2 tau^2 + v

v the variance of the difference over items and seeds (``components``). tau^2 is the mean of ((S_1 - S_2)^2 - v) / 2
over pairs, not below 0: the estimator of moments of a one-way layout (Searle, Casella and McCulloch 1992, Variance
Components, section 3.5). Pairs of one source share its two adapters, so that it has as many degrees of freedom as there
are sources, however many targets they were measured on.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from matrices.arrays import Singles
from matrices.uncertainty.components import parts, spread
from matrices.uncertainty.influence import influence
from matrices.uncertainty.resampling import Resamples
from matrices.view import AdapterVariance, MatrixView, MeasureError


def adapter_variance(runs: Sequence[MatrixView]) -> AdapterVariance:
    """From views of one matrix that differ in the training run of their language adapters; a part of it is enough.

    Raises ``MeasureError`` where no two of them share a pair, measured with the same seeds on as many items, with
    outcomes.
    """
    excess: list[float] = []
    sources: set[str] = set()
    for one, other in combinations(runs, 2):
        for target in sorted(set(one.targets) & set(other.targets)):
            shared = [code for code in one.sources if code in other.sources and code != target]
            by_source = _excess(one, other, target, shared)
            excess += by_source.values()
            sources |= set(by_source)
    if not excess:
        raise MeasureError("no pair was measured with two training runs of its language adapter, on the same items")
    freedom = len(sources) * (len(runs) - 1)
    return AdapterVariance(max(float(np.mean(excess)), 0.0), float(freedom), len(sources), len(excess))


def _excess(one: MatrixView, other: MatrixView, target: str, shared: Sequence[str]) -> dict[str, float]:
    """((S_1 - S_2)^2 - v) / 2 of each shared source on a target, where both were measured with the same seeds."""
    place, beside = one.targets.index(target), other.targets.index(target)
    if one.seeds != other.seeds or one.n_items[place] != other.n_items[beside]:
        return {}
    sample, excess = Resamples(one).of(target), {}
    for code in shared:
        first, second = one.sources.index(code), other.sources.index(code)
        known = one.known[first, place]
        if not known.any() or (known != other.known[second, beside]).any():
            continue
        moved = _influence(one, first, place), _influence(other, second, beside)
        if moved[0] is None or moved[1] is None:
            return {}
        apart = np.where(known, one.scores[first, place] - other.scores[second, beside], 0)
        noise = spread(parts((moved[0] - moved[1])[None], apart[None], known[None], sample), None).error[0] ** 2
        excess[code] = float((apart[known].mean() ** 2 - noise) / 2)
    return excess


def _influence(view: MatrixView, source: int, place: int) -> Singles | None:
    """Of every item on the runs of a pair [K, N]; None where outcomes were not kept."""
    outcomes = view.outcomes(view.targets[place])
    if outcomes is None:
        return None
    total = outcomes.total[0] if len(outcomes.total) == 1 else outcomes.total[source]
    return influence(outcomes.correct[source], total, view.scores[source, place], view.known[source, place])
