"""Which places in a ranking of sources are sure: rank intervals, and the set that is tied with the best."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from matrices.items import Items
from matrices.measures.influence import influence, over_seeds
from matrices.measures.multiplicity import max_t
from matrices.measures.outcomes import Column, Floats, MeasureError, Outcomes
from matrices.measures.resampling import RESAMPLES, Resamples
from matrices.measures.spread import LEVEL, parts_of_pairs, spread

Indices = NDArray[np.int64]


def ranks(outcomes: Outcomes, *, items: Mapping[str, Items] | None = None, resamples: int = RESAMPLES) -> pa.Table:
    """A row a (source, target), in order of target, then of mean score; in-language cells are left out.

    - ``rank``: by mean ``score`` over seeds, 1 the best; ``rank_low``, ``rank_high``: with 95% confidence for all
      sources of the target at once, 1 + those better beyond doubt, and the number ranked less those worse beyond doubt.
      Differences are paired by item and seed, their bands joint (max-T): Mogstad, Romano, Shaikh and Wilhelm 2024,
      "Inference for Ranks", Review of Economic Studies 91:476.
    - ``tied_with_best``: no source is better beyond doubt.
    - ``behind``, ``behind_low``, ``behind_high``: the best score less this, and its band; 0 of the best.

    Sources are chosen and scored on the same items here; ``splits`` says what that flatters. Raises ``MeasureError``
    where no language was measured on another.
    """
    samples = Resamples(outcomes, resamples, items)
    tables = [
        _on_target(outcomes, column, place, samples)
        for place, column in enumerate(outcomes.by_item())
        if _ranked(outcomes, place).size
    ]
    if not tables:
        raise MeasureError(f"{outcomes.matrix} has no score of a language on another: there is nothing to rank")
    return pa.concat_tables(tables)


def _ranked(outcomes: Outcomes, place: int) -> Indices:
    """Indices of the sources measured on a target, the best first."""
    means = outcomes.means[:, place].copy()
    means[[at for at, code in enumerate(outcomes.sources) if code == outcomes.targets[place]]] = np.nan
    order: Indices = np.argsort(-means, kind="stable")
    return order[np.isfinite(means[order])]


def _on_target(outcomes: Outcomes, column: Column, place: int, samples: Resamples) -> pa.Table:
    order = _ranked(outcomes, place)
    means = outcomes.means[order, place]
    reach = _reach(outcomes, column, place, order, samples)
    ahead = means[:, None] - means
    # Where nothing varies, as between two sources that answer every item alike, nothing is beyond doubt.
    better = ahead > reach
    n = len(order)
    low, high = 1 + better.sum(axis=0), n - better.sum(axis=1)
    return pa.table(
        {
            "target": [column.target] * n,
            "source": [outcomes.sources[at] for at in order],
            "score": means,
            "rank": np.arange(1, n + 1),
            "rank_low": low,
            "rank_high": high,
            "tied_with_best": low == 1,
            "behind": ahead[0],
            "behind_low": ahead[0] - reach[0],
            "behind_high": ahead[0] + reach[0],
        }
    )


def _reach(outcomes: Outcomes, column: Column, place: int, order: Indices, samples: Resamples) -> Floats:
    """Half widths of the joint bands of all differences of two sources [S, S]."""
    sample = samples.of(column.target)
    scores, known = outcomes.scores[order, place], outcomes.known[order, place]
    total = column.total if len(column.total) == 1 else column.total[order]
    of_source = influence(column.correct[order], total, scores, known)
    # A run that failed stands for the mean of its source's others, so that every pair has the same seeds.
    mean = over_seeds(of_source, known)
    of_source = np.where(known[..., None], of_source, mean[:, None])
    scores = np.where(known, scores, outcomes.means[order, place][:, None])
    first, second = np.triu_indices(len(order), 1)
    found = spread([parts_of_pairs(of_source, scores, (first, second), sample)])
    moved = sample.deviations(mean)
    centred = scores - scores.mean(axis=1, keepdims=True)
    by_seed = (centred[first] - centred[second]) * found.shrink[:, None]
    deviations = moved[:, first] - moved[:, second] + (samples.seeds @ by_seed.T).astype(np.float32)
    critical = max_t(deviations, found.error, LEVEL)
    reach = np.zeros((len(order), len(order)))
    reach[first, second] = reach[second, first] = found.joint_half_width(critical)
    return reach
