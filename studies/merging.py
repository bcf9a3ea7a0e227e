"""Does a mean of other languages' adapters help a target, beside its own and beside none?

    python studies/merging.py runs/e5/stack --merged MATRIX --own MATRIX

Of jobs/merge_pos.yaml and jobs/e5_stack.yaml: a row a target with the score of the task adapter alone and the change in
points over language adapters (`stack`) and over the mean of others' (`merge`), the mean over sources; then the means
over targets with 95% intervals, of those that the encoder saw in pretraining and those that it did not.
"""

from __future__ import annotations

import argparse

import pandas as pd

from matrices.encoders import saw
from matrices.languages import named
from matrices.store import Store
from workers.estimates import Estimate


def means(store: Store, matrix: str) -> pd.DataFrame:
    """Scores, the mean over sources other than the target and seeds: a row a target, a column a composition."""
    cells = store.cells(matrix).to_pandas()
    cells = cells[(cells["status"] == "ok") & (cells["source"] != cells["target"]) & cells["source"].notna()]
    return cells.pivot_table(index="target", columns="composition", values="score")


def points(changes: pd.Series) -> str:
    """A mean over targets in points, with its interval."""
    mean = Estimate.of(list(100 * changes.dropna()))
    low, high = mean.low, mean.high
    return f"{mean.mean:+.1f}" if low is None or high is None else f"{mean.mean:+.1f} ({low:+.1f} to {high:+.1f})"


def main() -> None:
    """Print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("store")
    parser.add_argument("--merged", required=True)
    parser.add_argument("--own", required=True)
    given = parser.parse_args()
    store = Store.open(given.store)
    table = means(store, given.merged).join(means(store, given.own)[["stack"]])
    changes = table[["stack", "merge"]].sub(table["alone"], axis=0)
    pretrained = store.pretrained(store.cells(given.merged)["encoder"][0].as_py())
    seen = pd.Series({target: saw(pretrained, target) for target in table.index})
    print("| target | alone | over its own adapter | over a mean of five others' |")
    print("|---|---|---|---|")
    for target, row in table.iterrows():
        own, merged = (
            "" if pd.isna(change) else f"{100 * change:+.1f}" for change in changes.loc[target, ["stack", "merge"]]
        )
        unseen = "" if seen[target] else " *unseen*"
        print(f"| {named(str(target)).name}{unseen} | {row['alone']:.3f} | {own} | {merged} |")
    with_own = table["stack"].notna()
    groups = {"all": with_own | True, "seen": seen.astype(bool), "unseen": ~seen.astype(bool)}
    for name, chosen in groups.items():
        for which, part in (("with an adapter of their own", with_own), ("without", ~with_own)):
            of = changes[chosen & part]
            print(f"{name}, {which}: {len(of)} targets, merge {points(of['merge'])}, stack {points(of['stack'])}")


if __name__ == "__main__":
    main()
