"""What a landscape says: its curves as a table, and two questions about seeds and about averaged snapshots.

    python studies/landscape.py runs/landscape/bottleneck/numbers.parquet [MATRIX of the box]

Does the slope of a target's curve at the source's solution predict how much that cell's score varies over seeds: over
those of the runs themselves, and of the matrix? Spearman's correlation over targets, with its p over all permutations;
beside it that of the error itself, which rises with both.

Does the mean of a run's snapshots lie on the way to the solution of both languages? Its projection on that line beside
that on the line to another run of the source alone, paired by seed; and what it scores.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from itertools import permutations
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from scipy.stats import spearmanr

import sprachbund
from workers.estimates import Estimate
from workers.landscape.numbers import SCHEMA
from workers.landscape.statistics import LandscapeSummary, summarise

MATRIX = "pos-zero_shot-multilingual-e5-small-4bit-aca29158"


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table in Markdown; an empty place where there is nothing to say."""
    print("\n|", " | ".join(columns), "|")
    print("|" + "---|" * len(columns))
    for row in rows:
        cells = [f"{cell:.4f}" if isinstance(cell, float) else "" if cell is None else str(cell) for cell in row]
        print("|", " | ".join(cells), "|")


def curves(summary: LandscapeSummary, measure: str) -> None:
    """A row a pair: the target's curve, the control's slope, and the source's ends and barrier."""
    rows = []
    for source, target in summary.pairs:
        ends = [(target, target, name) for name in ("at_0", "at_1", "slope")]
        told = [*ends, (source, target, "slope"), (target, target, "r2"), (target, target, "barrier")]
        told += [(target, source, name) for name in ("at_0", "at_1", "barrier")]
        estimates = [summary.estimate(source, toward, code, measure, name) for toward, code, name in told]
        rows.append([f"{source} {target}", *estimates])
    of_target = ("target at 0", "at 1", "slope at 0", "of the control", "R2", "barrier")
    table((f"{measure} of", *of_target, "source at 0", "at 1", "barrier"), rows)


def seed_variance(summary: LandscapeSummary, matrix: str) -> None:
    """Does the slope predict the variance over seeds?"""
    cells = sprachbund.open("box").cells(matrix).to_frame()
    rows = []
    for source, target in summary.pairs:
        of = summary.curves[(summary.curves["source"] == source) & (summary.curves["toward"] == target)]
        loss, error = (of[(of["language"] == target) & (of["measure"] == name)] for name in ("loss", "error"))
        in_matrix = cells[(cells["source"] == source) & (cells["target"] == target) & (cells["status"] == "ok")]
        runs = in_matrix.groupby("seed")["score"].mean()
        rows.append(
            {
                "pair": f"{source} {target}",
                "slope of loss": loss["slope"].mean(),
                "slope of error": error["slope"].mean(),
                "error at 0": error["at_0"].mean(),
                "gap in error": (error["at_0"] - error["at_1"]).mean(),
                "SD of loss": loss["at_0"].std(ddof=1),
                "SD of error": error["at_0"].std(ddof=1),
                "SD in the matrix": runs.std(ddof=1) if len(runs) > 1 else np.nan,
                "seeds there": len(runs),
            }
        )
    frame = pd.DataFrame(rows)
    table(list(frame.columns), frame.itertuples(index=False))
    print()
    for slope in ("slope of loss", "slope of error", "error at 0"):
        for spread in ("SD of loss", "SD of error", "SD in the matrix"):
            known = frame[[slope, spread]].dropna()
            if len(known) > 2:
                steepness = known[slope].abs().tolist()
                rho, p = correlation(steepness, known[spread].tolist())
                print(f"- |{slope}| and {spread}: rho {rho:+.2f} over {len(known)} pairs, p = {p:.3f}")


def correlation(one: Sequence[float], other: Sequence[float]) -> tuple[float, float]:
    """Spearman's correlation, and the share of permutations with one as far from 0."""
    found = float(spearmanr(one, other).statistic)
    if len(one) > 8:
        return found, float(spearmanr(one, other).pvalue)
    drawn = [float(spearmanr(order, other).statistic) for order in permutations(one)]
    return found, float(np.mean(np.abs(drawn) >= abs(found) - 1e-9))


def averaging(summary: LandscapeSummary) -> None:
    """Where the mean of snapshots lies, and what it scores."""
    frame, rows = summary.frame, []
    for source, target in summary.pairs:
        told = []
        for point in ("averaged", "averaged_half"):
            both = [along(frame, source, toward, point, "along") for toward in (target, source)]
            told += [Estimate.of(list(one)) for one in both]
            if point == "averaged":
                told.append(Estimate.of(list((both[0] - both[1]).dropna())))
        told += [Estimate.of(list(along(frame, source, toward, "start", "along"))) for toward in (target, source)]
        told += [Estimate.of(list(along(frame, source, toward, "averaged", "cosine"))) for toward in (target, source)]
        rows.append([f"{source} {target}", *told])
    of_all = ("all snapshots, along", "control", "less the control")
    table(("pair", *of_all, "later half", "control", "start", "control", "cosine of all", "control"), rows)
    rows = []
    for source in dict.fromkeys(source for source, _ in summary.pairs):
        for language in (source, *(target for one, target in summary.pairs if one == source)):
            told = []
            for measure in ("error", "loss"):
                last = of_language(frame, source, language, "line", measure)
                told.append(Estimate.of(list(last)))
                for point in ("averaged", "averaged_half"):
                    told.append(Estimate.of(list(of_language(frame, source, language, point, measure) - last)))
            rows.append([language, *told])
    less = ("all snapshots, less last", "later half, less last")
    table(("measured in", "error of the last", *less, "loss of the last", *less), rows)


def along(frame: pd.DataFrame, source: str, toward: str, point: str, measure: str) -> pd.Series:
    """A projection or cosine, by seed."""
    chosen = (frame["source"] == source) & (frame["toward"] == toward) & (frame["point"] == point)
    return frame[chosen & (frame["measure"] == measure)].set_index("seed")["value"].sort_index()


def of_language(frame: pd.DataFrame, source: str, language: str, point: str, measure: str) -> pd.Series:
    """What a point of the source's run scores in a language, by seed; of the line, its beginning."""
    chosen = (frame["source"] == source) & (frame["language"] == language) & (frame["point"] == point)
    chosen &= frame["measure"] == measure
    if point == "line":
        chosen &= (frame["alpha"] == 0) & (frame["toward"] == source)
    return frame[chosen].set_index("seed")["value"].sort_index()


def main() -> None:
    """Print the tables of docs/landscape.md."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("numbers", type=Path)
    arguments.add_argument("matrix", nargs="?", default=MATRIX)
    given = arguments.parse_args()
    summary = summarise(pq.read_table(given.numbers, schema=SCHEMA))
    for measure in ("error", "loss"):
        curves(summary, measure)
    seed_variance(summary, given.matrix)
    averaging(summary)


if __name__ == "__main__":
    main()
