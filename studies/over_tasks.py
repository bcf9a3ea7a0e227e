"""For which tasks does the choice of a source matter? The zero-shot matrices of a place, a row each.

    python studies/over_tasks.py [box | STORE] [--matrix NAME …]

Prints Markdown: shares of the variance of scores (the additive model of `sprachbund measure --what summary`: sources,
targets, single pairs beyond both, and noise, which is what other items, and other seeds where there are several, would
have changed), and what is lost against each target's best measured source, in % of it: by always English, and by the
source that is best on average over the other targets. A best source is the highest of many noisy scores, so that both
losses hold some noise; 95% over targets, by their bootstrap.
"""

from __future__ import annotations

import argparse
from statistics import fmean

import numpy as np

import sprachbund
from matrices.arrays import Floats
from matrices.backtest.ranking_metrics import regret
from sprachbund.opened import Opened

RESAMPLES = 2000


def main() -> None:
    """Print the table."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("place", nargs="?", default="box")
    arguments.add_argument("--matrix", nargs="+", help="these alone; all of zero-shot transfer by default")
    given = arguments.parse_args()
    opened = sprachbund.open(given.place)
    heads = ("task", "sources x targets, seeds", "mean", "source", "target", "pair", "noise")
    print(f"| {' | '.join(heads)} | always English | best on average |")
    print("|---|---|---|---|---|---|---|---|---|")
    for row in opened.matrices().to_arrow().to_pylist():
        if row["kind"] != "zero_shot" or (given.matrix and row["matrix"] not in given.matrix):
            continue
        summary = {one["statistic"]: one for one in opened.measure(row["matrix"], "summary").to_arrow().to_pylist()}
        shares = [_share(summary[f"share_of_{part}"]) for part in ("sources", "targets", "interaction", "noise")]
        scores, seeds = _scores(opened, row["matrix"])
        print(
            f"| {row['task']} | {row['sources']} x {row['targets']}, {seeds} | {summary['mean']['value']:.3f} | "
            f"{' | '.join(shares)} | {_english(scores)} | {_interval(_average(scores))} |",
            flush=True,
        )


def _scores(opened: Opened, matrix: str) -> tuple[dict[str, dict[str, float]], int]:
    """Mean scores by target and source, in-language ones left out, and how many seeds most cells have."""
    pairs = opened.pairs(matrix).to_arrow().to_pylist()
    scores: dict[str, dict[str, float]] = {}
    for pair in pairs:
        if pair["source"] != pair["target"] and pair["mean"] is not None:
            scores.setdefault(pair["target"], {})[pair["source"]] = pair["mean"]
    return scores, int(np.median([pair["seeds"] for pair in pairs]))


def _english(scores: dict[str, dict[str, float]]) -> str:
    lost = [
        regret(np.array(list(of.values())), np.array([float(source == "eng") for source in of]), 1)
        for of in scores.values()
        if "eng" in of
    ]
    return _interval(np.array(lost)) if lost else "not a source"


def _average(scores: dict[str, dict[str, float]]) -> Floats:
    """What the source loses that is best on average over the other targets, relative to each one's mean [T]."""
    relative = {
        target: {source: score - _mean(list(of.values())) for source, score in of.items()}
        for target, of in scores.items()
    }
    lost = []
    for target, of in scores.items():
        others = [one for other, one in relative.items() if other != target]
        popular = [_mean([one[source] for one in others if source in one]) for source in of]
        lost.append(regret(np.array(list(of.values())), np.array(popular), 1))
    return np.array(lost)


def _mean(values: list[float]) -> float:
    return fmean(values) if values else 0.0


def _interval(lost: Floats) -> str:
    lost = lost[np.isfinite(lost)]
    drawn = np.random.default_rng(0).choice(lost, (RESAMPLES, len(lost))).mean(axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return f"{100 * lost.mean():.1f} ({100 * low:.1f} to {100 * high:.1f})"


def _share(row: dict[str, float]) -> str:
    return f"{100 * row['value']:.0f}"


if __name__ == "__main__":
    main()
