"""Which places in a ranking of sources are sure: rank intervals, and the set that is tied with the best.

Notation: n sources of a target, B(s) those better than s beyond doubt, W(s) those worse. With 95% confidence for all
sources of the target at once, 1 + |B(s)| <= rank(s) <= n - |W(s)| (Mogstad, Romano, Shaikh and Wilhelm 2024, "Inference
for Ranks", Review of Economic Studies 91:476). Differences and their bands are those of ``uncertainty.comparison``.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from matrices.arrays import Indices
from matrices.uncertainty.comparison import TargetRuns
from matrices.uncertainty.components import SeedVariance
from matrices.uncertainty.resampling import RESAMPLES, Resamples
from matrices.view import MatrixView, MeasureError


def ranks(view: MatrixView, *, resamples: int = RESAMPLES) -> pa.Table:
    """A row a (source, target), in order of target, then of mean score; in-language cells are left out.

    - ``rank``: by mean ``score`` over seeds, 1 the best; ``rank_low``, ``rank_high``: with 95% confidence for all
      sources of the target at once, 1 + those better beyond doubt, and the number ranked less those worse beyond doubt
      (``uncertainty.comparison``).
    - ``tied_with_best``: no source is better beyond doubt. Null where the matrix tells nothing of other seeds, and a
      source is behind on these.
    - ``behind``, ``behind_low``, ``behind_high``: the best score less this, and its band; 0 of the best.

    Sources are chosen and scored on the same items here; ``splits`` says what that flatters. Raises ``MeasureError``
    where no language was measured on another, or outcomes of items were not kept.
    """
    view.by_item()
    samples, seeds = Resamples(view, resamples), SeedVariance(view)
    tables = [
        _on_target(view, place, order, TargetRuns(view, target, samples, seeds))
        for place, target in enumerate(view.targets)
        if (order := ranked(view, target)).size
    ]
    if not tables:
        raise MeasureError(f"{view.matrix} has no score of a language on another: there is nothing to rank")
    return pa.concat_tables(tables)


def ranked(view: MatrixView, target: str) -> Indices:
    """Places of the sources measured on a target but itself, the best first, ties by code."""
    means = view.means[:, view.targets.index(target)].copy()
    means[[at for at, code in enumerate(view.sources) if code == target]] = np.nan
    order: Indices = np.argsort(-means, kind="stable")
    return order[np.isfinite(means[order])]


def _on_target(view: MatrixView, place: int, order: Indices, runs: TargetRuns) -> pa.Table:
    means, n = view.means[order, place], len(order)
    compared = runs.compared(order)
    behind = means[0] - means
    low, high = 1 + compared.better.sum(axis=0), n - compared.better.sum(axis=1)
    ties = {"tied": True, "worse": False, "unknown": None}
    return pa.table(
        {
            "target": [view.targets[place]] * n,
            "source": [view.sources[at] for at in order],
            "score": means,
            "rank": np.arange(1, n + 1),
            "rank_low": low,
            "rank_high": high,
            "tied_with_best": pa.array([ties[tie] for tie in runs.ties(order)], pa.bool_()),
            "behind": behind,
            "behind_low": behind - compared.reach[0],
            "behind_high": behind + compared.reach[0],
        }
    )
