"""Does a mean of other languages' adapters help a target, beside its own and beside none?

    python studies/merging.py runs/e5/stack --merged MATRIX --english MATRIX --own MATRIX

Of jobs/merge_pos.yaml, jobs/merge_pos_english.yaml and jobs/e5_stack.yaml: a row a target with the score of the task
adapter alone and the change in points over its own language adapter (`stack`), over English's and over the mean of
five others' (`merge`), the mean over two sources; then the means over targets with 95% intervals.
"""

from __future__ import annotations

import argparse

import pandas as pd

from matrices.encoders import saw
from matrices.recommend.names import named
from matrices.store import Store
from workers.estimates import Estimate

OVER = {"own": "over its own adapter", "english": "over English's", "merge": "over a mean of five others'"}


def means(store: Store, matrix: str) -> pd.DataFrame:
    """Scores, the mean over sources other than the target and seeds: a row a target, a column a composition."""
    cells = store.cells(matrix).to_pandas()
    cells = cells[(cells["status"] == "ok") & (cells["source"] != cells["target"]) & cells["source"].notna()]
    table: pd.DataFrame = cells.pivot_table(index="target", columns="composition", values="score")
    return table


def points(changes: pd.Series) -> str:
    """A mean over targets in points, with its interval; nothing where no target has a value."""
    if changes.isna().all():
        return ""
    mean = Estimate.of(list(100 * changes.dropna()))
    low, high = mean.low, mean.high
    return f"{mean.mean:+.1f}" if low is None or high is None else f"{mean.mean:+.1f} ({low:+.1f} to {high:+.1f})"


def main() -> None:
    """Print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("store")
    for name in ("merged", "english", "own"):
        parser.add_argument(f"--{name}", required=True)
    given = parser.parse_args()
    store = Store.open(given.store)
    table = means(store, given.merged)
    table["english"] = means(store, given.english)["merge"]
    table["own"] = means(store, given.own)["stack"]
    changes = table[list(OVER)].sub(table["alone"], axis=0)
    pretrained = store.pretrained(store.cells(given.merged)["encoder"][0].as_py())
    seen = pd.Series({target: bool(saw(pretrained, str(target))) for target in table.index})
    print("| target | alone |", " | ".join(OVER.values()), "|")
    print("|---" * (2 + len(OVER)) + "|")
    for target, row in zip(map(str, changes.index), changes.itertuples(index=False), strict=True):
        cells = " | ".join("" if pd.isna(change) else f"{100 * change:+.1f}" for change in row)
        print(f"| {named(target).name}{'' if seen[target] else ' *unseen*'} |", end=" ")
        print(f"{table['alone'][target]:.3f} | {cells} |")
    with_own = table["own"].notna()
    parts = {
        "all": with_own | True,
        "with adapters of their own": with_own,
        "without": ~with_own,
        "seen": seen,
        "unseen": ~seen,
    }
    for name, chosen in parts.items():
        cells = " | ".join(points(changes[over][chosen]) for over in OVER)
        print(f"| {name}, {chosen.sum()} | {table['alone'][chosen].mean():.3f} | {cells} |")
    print("mean of five less English's:", points(table["merge"] - table["english"]))


if __name__ == "__main__":
    main()
