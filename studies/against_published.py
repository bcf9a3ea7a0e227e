"""A matrix of ours held against a published one of another encoder: does it choose the sources that pay there?

    python studies/against_published.py STORE/MATRIX ../shared/matrices/xpos_pos_main.csv

Sources and targets that both have are compared. For each target: Spearman's correlation of its sources, and the regret,
in the published matrix, of its choosing by ours; beside it that of choosing by popularity (a source's mean z-score over
the other published targets) and by our predictor, which is fitted to the published scores of all other targets. The
target itself is no source. Intervals resample targets.

The figures in docs/ were first stated in commit bae0926 (2026-11-30).
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr

from matrices.arrays import Floats
from matrices.backtest.methods import popularity, sprachbund
from matrices.backtest.protocol import Judgement, Method, judge_all
from matrices.bundled import store_or_box
from matrices.published.scores import read_scores
from matrices.scores import ScoreTable, scores_of

RESAMPLES = 10_000


def part(table: ScoreTable, sources: list[str], targets: list[str]) -> ScoreTable:
    """The table's scores of these languages alone."""
    at = np.ix_([table.sources.index(code) for code in sources], [table.targets.index(code) for code in targets])
    return ScoreTable(tuple(sources), tuple(targets), table.scores[at], pretrained=table.pretrained)


class MeasuredChooser:
    """Chooses by the scores of another matrix, whatever is hidden of the one that it is judged on."""

    def __init__(self, ours: ScoreTable) -> None:
        self._ours = ours

    def __call__(self, table: ScoreTable, target: str) -> Floats:
        chosen: Floats = self._ours.scores[:, self._ours.targets.index(target)]
        return chosen


def correlations(ours: ScoreTable, theirs: ScoreTable) -> Floats:
    """Spearman's correlation of the sources of each target [T], NaN where fewer than three are known of both."""
    found = np.full(len(ours.targets), np.nan)
    one, other = (table.without_selves().scores for table in (ours, theirs))
    for at in range(len(ours.targets)):
        known = np.isfinite(one[:, at]) & np.isfinite(other[:, at])
        if known.sum() >= 3:
            found[at] = spearmanr(one[known, at], other[known, at]).statistic
    return found


def interval(values: Floats) -> tuple[float, float]:
    """The 2.5th and the 97.5th percentile of means over resampled targets."""
    drawn = np.random.default_rng(0).integers(len(values), size=(RESAMPLES, len(values)))
    low, high = np.percentile(values[drawn].mean(axis=1), (2.5, 97.5))
    return float(low), float(high)


def regrets(judged: list[Judgement], method: str) -> Floats:
    """The regret@1 of a method on each target."""
    return np.array([one.regret_at_1 for one in judged if one.method == method])


def main() -> None:
    """Print what the two have in common, as a table or as JSON."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("matrix", help="STORE/MATRIX, or the name of one in the box")
    arguments.add_argument("published", type=Path)
    arguments.add_argument("--json", action="store_true")
    given = arguments.parse_args()
    place, _, name = given.matrix.rpartition("/")
    ours, theirs = scores_of(store_or_box(place or None), name), read_scores(given.published)
    sources = [code for code in ours.sources if code in theirs.sources]
    targets = [code for code in ours.targets if code in theirs.targets]
    ours, theirs = part(ours, sources, targets), part(theirs, sources, targets)
    alike = correlations(ours, theirs)
    alike = alike[np.isfinite(alike)]
    methods: dict[str, Method] = {
        "by ours": MeasuredChooser(ours),
        "popularity": popularity,
        "predicted": sprachbund,
    }
    judged = judge_all(theirs, methods, processes=os.cpu_count() or 1)
    both = np.isfinite(ours.scores) & np.isfinite(theirs.scores)
    apart = both & np.isfinite(ours.without_selves().scores)
    found = {
        "sources": len(sources),
        "targets": len(targets),
        "pairs": int(apart.sum()),
        "correlation_of_pairs": float(spearmanr(ours.scores[apart], theirs.scores[apart]).statistic),
        "correlation_within_targets": float(alike.mean()),
        "interval": interval(alike),
        "regret": {
            method: {"mean": float(of.mean()), "interval": interval(of)}
            for method in methods
            if len(of := regrets(judged, method))
        },
    }
    if given.json:
        print(json.dumps(found))
        return
    print(f"{len(sources)} sources, {len(targets)} targets, {found['pairs']} pairs that both measured")
    print(f"Spearman's correlation of all pairs {found['correlation_of_pairs']:.2f}")
    low, high = interval(alike)
    print(f"within targets, mean of {len(alike)}: {alike.mean():.2f} ({low:.2f} to {high:.2f})")
    print("regret@1 in the published matrix, percent of the best:")
    for method in methods:
        of = 100 * regrets(judged, method)
        low, high = interval(of)
        print(f"  {method:12} {of.mean():5.1f} ({low:.1f} to {high:.1f})")


if __name__ == "__main__":
    main()
