"""What each source changes against the baseline: as the measure `interference` says, of one target."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from matrices.measures.interference import changes_on, labels
from matrices.recommend.answer import Effect
from matrices.uncertainty.comparison import TargetRuns
from matrices.uncertainty.components import SeedVariance
from matrices.uncertainty.resampling import Resamples
from matrices.view import MatrixView

Effects = Mapping[str, Effect]
"""By source, on one target."""


def effects_on(view: MatrixView, target: str, runs: TargetRuns, samples: Resamples, seeds: SeedVariance) -> Effects:
    """The effect of every source on a target; none where there is no baseline, or nothing is known of the items.

    Without outcomes of items, of an accuracy: by the interval of the difference of two independent shares, which is too
    wide, and not corrected for how many there are.
    """
    if not np.isfinite(view.baseline_means[view.targets.index(target)]):
        return {}
    if runs.paired:
        found = changes_on(view, target, samples, seeds)
        delta, half, q, said = found.delta, found.half, found.q.tolist(), found.labels
        places = found.sources
    else:
        delta, half = runs.unpaired_changes()
        places = np.flatnonzero(np.isfinite(delta) & np.isfinite(half))
        delta, half = delta[places], half[places]
        q, said = [None] * len(places), labels(delta, half, np.zeros(len(places)))
    return {
        view.sources[at]: Effect(
            difference=change,
            interval=(change - reach, change + reach),
            verdict=label,
            q=rate,
            of_this_run=view.of_one_run,
        )
        for at, change, reach, rate, label in zip(places, delta.tolist(), half.tolist(), q, said, strict=True)
    }
