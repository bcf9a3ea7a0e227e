"""How soon measuring part of a matrix is enough: regret against the share of cells measured, by plan, row and chance.

    python benchmarks/recommend.py ../shared/matrices/xpos_pos_main.csv --svg docs/results/budget.svg

Starts from an empty table, measures some cells, fits, asks what to measure next, and so on. Regret is that of choosing
for every target the source with the highest score, measured or predicted, as a share of the best source's score.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import altair as alt
import numpy as np
import pandas as pd

from matrices.backtest.ranking_metrics import regret
from matrices.grid import Place
from matrices.published.scores import read_scores
from matrices.recommend.predicted.acquisition import next_cells
from matrices.recommend.predicted.model import fit
from matrices.recommend.prediction import NothingToPredictError
from matrices.scores import ScoreTable

SHARES = (0.02, 0.04, 0.06, 0.08, 0.1, 0.15, 0.25, 0.5)
Chooser = Callable[[ScoreTable, int], list[Place]]


def by_row(table: ScoreTable, budget: int) -> list[Place]:
    """One source after another, each on all targets: what a job does that is stopped early. Sources in random order."""
    return _open(table, np.random.default_rng(0).permutation(len(table.sources)).tolist())[:budget]


def by_chance(table: ScoreTable, budget: int) -> list[Place]:
    """Any cells."""
    cells = _open(table, list(range(len(table.sources))))
    order = np.random.default_rng(len(cells)).permutation(len(cells))[:budget]
    return [cells[at] for at in order]


def curve(full: ScoreTable, choose: Chooser) -> list[dict[str, float]]:
    """Mean regret@1 over targets at every share of cells measured."""
    truth = full.without_selves()
    total = int(np.isfinite(truth.scores).sum())
    held, points, measured = replace(truth, scores=np.full(truth.scores.shape, np.nan)), [], 0
    for share in SHARES:
        budget = round(share * total)
        scores = held.scores.copy()
        for source, target in choose(_askable(held, truth), budget - measured):
            scores[truth.sources.index(source), truth.targets.index(target)] = truth.scores[
                truth.sources.index(source), truth.targets.index(target)
            ]
        held, measured = replace(held, scores=scores), budget
        points.append({"share": share, "regret_at_1": _regret(held, truth)})
    return points


def _askable(held: ScoreTable, truth: ScoreTable) -> ScoreTable:
    if not np.isfinite(truth.scores).sum() == truth.scores.size - len(set(truth.sources) & set(truth.targets)):
        raise SystemExit(
            "this matrix has holes: a simulation needs one where every source was measured on every target"
        )
    return held


def _regret(held: ScoreTable, truth: ScoreTable) -> float:
    try:
        model = fit(held)
    except NothingToPredictError:
        return float("nan")
    found = []
    for column, target in enumerate(truth.targets):
        predicted = model.predict(target)
        actual = np.array([truth.scores[truth.sources.index(source), column] for source in predicted.sources])
        found.append(regret(actual, predicted.mean, 1))
    return float(np.nanmean(found))


def _open(table: ScoreTable, rows: list[int]) -> list[Place]:
    return [
        (table.sources[row], target)
        for row in rows
        for column, target in enumerate(table.targets)
        if table.sources[row] != target and not np.isfinite(table.scores[row, column])
    ]


def main() -> None:
    """Prints the curves; draws them where ``--svg`` says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table", type=Path)
    parser.add_argument("--svg", type=Path)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    full = read_scores(given.table)
    curves = {
        name: curve(full, choose) for name, choose in (("plan", next_cells), ("row", by_row), ("chance", by_chance))
    }
    if given.json:
        print(json.dumps(curves))
    else:
        for name, points in curves.items():
            print(name, "  ".join(f"{p['share']:.0%} {p['regret_at_1']:.2%}" for p in points))
    if given.svg:
        rows = [{"measured by": name, **point} for name, points in curves.items() for point in points]
        chart = alt.Chart(pd.DataFrame(rows)).mark_line(point=True)
        chart.encode(
            x=alt.X("share", title="cells measured", axis=alt.Axis(format="%")),
            y=alt.Y("regret_at_1", title="regret@1", axis=alt.Axis(format="%")),
            color="measured by",
        ).properties(width=520, height=320).save(given.svg)


if __name__ == "__main__":
    main()
