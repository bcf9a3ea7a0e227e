"""Does one task adapter of several sources, or a fusion of theirs, beat the best single one of them?

    python studies/several_sources.py runs/sources/store [MATRIX] [--composition fuse]

Single sources are read from the box, under the same recipe, data and seeds; sets (`multi` or `fuse`) from the store.
The best member of a set is chosen for each seed by the scores of the others, so that it is not flattered by the runs it
was chosen by. Gains are in points, with 95% intervals over targets.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import numpy as np
import pandas as pd

import sprachbund
from matrices.encoders import saw
from matrices.store import Store
from workers.estimates import Estimate

MATRIX = "pos-zero_shot-multilingual-e5-small-4bit-aca29158"


def by_seed(cells: pd.DataFrame) -> pd.DataFrame:
    """Scores, a row a target and seed, a column a source."""
    known = cells[cells["status"] == "ok"]
    return known.pivot_table(index=["target", "seed"], columns="source", values="score")


def best_member(singles: pd.DataFrame, members: Sequence[str]) -> pd.Series:
    """What the member scores, by target and seed, that is best on the target over the other seeds."""
    scores = singles[[*members]].dropna()
    counts = scores.groupby("target").transform("count")
    others = (scores.groupby("target").transform("sum") - scores) / (counts - 1)
    chosen = others[counts.iloc[:, 0] > 1].idxmax(axis=1)
    rows = scores.index.get_indexer(chosen.index)
    columns = scores.columns.get_indexer(pd.Index(chosen))
    return pd.Series(scores.to_numpy()[rows, columns], chosen.index)


def points(differences: pd.Series) -> str:
    """A mean over targets, in points, with its interval."""
    means = 100 * differences.groupby(level=0).mean()
    found = Estimate.of(list(means))
    if found.low is None or found.high is None:
        return f"{found.mean:+.1f}"
    return f"{found.mean:+.1f} ({found.low:+.1f} to {found.high:+.1f})"


def main() -> None:
    """Print a row a set, of all targets, of those that the encoder saw, and of those that it did not."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("store")
    arguments.add_argument("matrix", nargs="?", default=MATRIX)
    arguments.add_argument("--composition", choices=("multi", "fuse"), default="multi")
    given = arguments.parse_args()
    box, store = sprachbund.open("box").cells(given.matrix).to_frame(), Store.open(given.store)
    together = store.cells(given.matrix).to_pandas()
    pretrained = store.pretrained(together["encoder"].iloc[0])
    singles = by_seed(box[box["composition"] == "alone"])
    sets = by_seed(together[together["composition"] == given.composition])
    print(
        "| set | targets | its mean | best member | gain | gain over the mean member | over English | seeds of gain |"
    )
    print("|" + "---|" * 8)
    for name in sorted(sets.columns, key=lambda name: (name.count("+"), name)):
        members = name.split("+")
        for which, wanted in (("all", (True, False)), ("seen", (True,)), ("unseen", (False,))):
            own = sets[name].dropna()
            own = own[[(saw(pretrained, target) in wanted) for target, _ in own.index]]
            best = best_member(singles, members).reindex(own.index).dropna()
            own = own.reindex(best.index)
            member = singles[members].mean(axis=1).reindex(own.index)
            english = singles["eng"].reindex(own.index)
            targets = own.index.get_level_values(0).nunique()
            won = (own > best).groupby(level=0).mean()
            row = [name, f"{targets} {which}", f"{own.groupby(level=0).mean().mean():.3f}"]
            row += [f"{best.groupby(level=0).mean().mean():.3f}", points(own - best), points(own - member)]
            row += [points(own - english), f"{np.mean(won):.2f}"]
            print("|", " | ".join(row), "|")


if __name__ == "__main__":
    main()
