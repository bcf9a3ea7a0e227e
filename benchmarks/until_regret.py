"""What it costs to know enough: choices from cells measured bit by bit, against the matrix they are hidden from.

    python benchmarks/until_regret.py TABLE.csv|MATRIX ... [--until 3 --stop-at 15]

Of every table (a file, or a matrix of the box) cells are shown as `sprachbund fill --until-regret` would choose them,
until what the choices are expected to cost is below the bound (in percent). Printed a round: the share of cells shown,
the regret expected, and the true one: the best score of a target less that of the source chosen, over the best.

    python benchmarks/until_regret.py MATRIX --store STORE --shown STORE

Of a matrix that one store holds whole, and another as far as a job measured it: the last round of the other.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from matrices.bundled import store_or_box
from matrices.published.scores import read_scores
from matrices.recommend.predicted.racing import next_round
from matrices.scores import ScoreTable, scores_of


def table_of(name: str, store: str | None) -> ScoreTable:
    """The scores of a file, or of a matrix in a store or the box."""
    return read_scores(Path(name)) if Path(name).is_file() else scores_of(store_or_box(store), name)


def true_regret(table: ScoreTable, choices: Mapping[str, str]) -> float:
    """The mean over targets; of a source that has no score on the target, that of the worst."""
    lost = []
    for target, source in choices.items():
        column = table.scores[:, table.targets.index(target)]
        if np.isfinite(column).sum() > 1 and np.nanmax(column) > 0:
            score = column[table.sources.index(source)]
            lost.append(1 - (score if np.isfinite(score) else np.nanmin(column)) / np.nanmax(column))
    return float(np.mean(lost))


def judge(name: str, store: str | None, shown: str, until: float) -> dict[str, object]:
    """What the cells of the store ``shown`` cost and let choose, by all cells of the matrix."""
    full, part = (table_of(name, place).without_selves() for place in (store, shown))
    rows, columns = [full.sources.index(one) for one in part.sources], [full.targets.index(one) for one in part.targets]
    seen = np.full(full.scores.shape, np.nan)
    seen[np.ix_(rows, columns)] = part.scores
    among = np.isfinite(full.scores)
    step = next_round(replace(full, scores=seen, errors=None), among, until)
    assert step.regret is not None
    return {
        "matrix": name,
        "measured %": round(100 * float(np.isfinite(seen).sum() / among.sum()), 1),
        "expected regret %": round(100 * step.regret, 2),
        "true regret %": round(100 * true_regret(full, step.choices), 2),
    }


def simulate(name: str, store: str | None, until: float, stop_at: float) -> dict[str, object]:
    """One table, round after round; the last round's figures."""
    full = table_of(name, store).without_selves()
    among = np.isfinite(full.scores)
    shown = replace(full, scores=np.full(full.scores.shape, np.nan), errors=None)
    line: dict[str, object] = {}
    step = None
    while True:
        step = next_round(shown, among, until, before=step)
        share = float(np.isfinite(shown.scores).sum() / among.sum())
        if step.regret is not None:
            line = {
                "table": Path(name).name,
                "measured %": round(100 * share, 1),
                "expected regret %": round(100 * step.regret, 2),
                "true regret %": round(100 * true_regret(full, step.choices), 2),
            }
            print(json.dumps(line), flush=True)
        if not step.cells or share >= stop_at:
            return line
        scores = shown.scores.copy()
        for source, target in step.cells:
            at = full.sources.index(source), full.targets.index(target)
            scores[at] = full.scores[at]
        shown = replace(shown, scores=scores)


def main() -> None:
    """Prints a JSON object a round."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tables", nargs="+")
    parser.add_argument("--until", type=float, default=3.0)
    parser.add_argument("--stop-at", type=float, default=100.0)
    parser.add_argument("--store", help="of the matrices; the box by default")
    parser.add_argument("--shown", help="store with the part of them that a job measured")
    given = parser.parse_args()
    for name in given.tables:
        if given.shown is not None:
            print(json.dumps(judge(name, given.store, given.shown, given.until / 100)), flush=True)
        else:
            simulate(name, given.store, given.until / 100, given.stop_at / 100)


if __name__ == "__main__":
    main()
