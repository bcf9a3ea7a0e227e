"""What noise in measured scores costs a choice, and what drawing them towards predictions gains (2026-12-01).

    python studies/noisy_scores.py [--matrix MATRIX | --table TABLE.csv] [--items 20] [--measured 8] [--every 2]

Of each target some sources, drawn at random, get a score as few items would have given it; all other targets keep
theirs. A source is chosen by the highest score, measured or predicted, and judged by the scores there are of all items
(of a matrix in the box, whose outcomes of items are at hand: of those items that no noisy score was drawn from; of a
table, noise is binomial). Printed: regret@1 over targets where measured scores stand as they are, where they are drawn
by their known standard errors, and where these are not known and a share of the residual variance stands in.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from matrices.bundled import store_or_box
from matrices.published.scores import read_scores
from matrices.recommend.predicted import Model, fit
from matrices.recommend.predicted import model as of_models
from matrices.scores import Floats, ScoreTable, scores_of
from matrices.view import COLUMNS, view

SHARES = (0.1, 0.25, 0.5, 0.75)


def of_box(matrix: str, items: int, random: np.random.Generator) -> tuple[ScoreTable, Floats, Floats, Floats]:
    """Scores, what a few items give, its standard errors, and what the others give [S, T]."""
    box = store_or_box(None)
    found = view(box.cells(matrix, columns=COLUMNS), items=box.items(matrix))
    table = scores_of(box, matrix)
    few, errors, rest = (np.full(table.scores.shape, np.nan) for _ in range(3))
    for column, target in enumerate(table.targets):
        outcomes = found.outcomes(target)
        if outcomes is None or outcomes.items < 2 * items:
            continue
        chosen = np.isin(np.arange(outcomes.items), random.permutation(outcomes.items)[:items])
        total = np.broadcast_to(outcomes.total, outcomes.correct.shape)
        correct, total = outcomes.correct[:, 0], total[:, 0]
        right, of = correct[:, chosen], total[:, chosen]
        known = np.isfinite(table.scores[:, column]) & (of.sum(axis=1) > 0)
        few[known, column] = (right.sum(axis=1) / of.sum(axis=1))[known]
        # Of a ratio of sums over items (the delta method).
        away = right - np.nan_to_num(few[:, column])[:, None] * of
        errors[known, column] = np.sqrt((away**2).sum(axis=1) * items / (items - 1))[known] / of.sum(axis=1)[known]
        rest[known, column] = (correct[:, ~chosen].sum(axis=1) / total[:, ~chosen].sum(axis=1))[known]
    return table, few, errors, rest


def of_table(path: Path, items: int, random: np.random.Generator) -> tuple[ScoreTable, Floats, Floats, Floats]:
    table = read_scores(path)
    unit = 100.0 if np.nanmax(table.scores) > 1 else 1.0
    shares = np.clip(table.scores / unit, 0, 1)
    few = np.where(np.isfinite(shares), random.binomial(items, np.nan_to_num(shares)) / items, np.nan)
    errors = np.sqrt((few * items + 2) / (items + 4) * (1 - (few * items + 2) / (items + 4)) / (items + 4))
    return table, unit * few, unit * errors, table.scores


def regret(truth: Floats, model: Model, target: str) -> float:
    found = model.predict(target)
    by_source = dict(zip(model.table.sources, truth.tolist(), strict=True))
    scores = np.array([by_source[code] for code in found.sources])
    there = np.isfinite(scores)
    best = scores[there].max()
    return float((best - scores[there][found.mean[there].argmax()]) / best)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--matrix", default="pos-zero_shot-multilingual-e5-small-4bit-aca29158")
    parser.add_argument("--table", type=Path)
    parser.add_argument("--items", type=int, default=20)
    parser.add_argument("--measured", type=int, default=8)
    parser.add_argument("--every", type=int, default=2)
    given = parser.parse_args()
    random = np.random.default_rng(0)
    table, few, errors, rest = (
        of_box(given.matrix, given.items, random) if given.table is None else of_table(given.table, given.items, random)
    )
    table = table.without_selves()
    figures: dict[str, list[float]] = {}
    for column in range(0, len(table.targets), given.every):
        target = table.targets[column]
        known = np.flatnonzero(np.isfinite(few[:, column]) & np.isfinite(table.scores[:, column]))
        if len(known) < given.measured + 2:
            continue
        measured = random.permutation(known)[: given.measured]
        scores, noise = table.scores.copy(), np.zeros(table.scores.shape)
        scores[:, column] = np.nan
        scores[measured, column] = few[measured, column]
        model = fit(replace(table, scores=scores, errors=noise))
        judged = np.where(np.isfinite(table.scores[:, column]), rest[:, column], np.nan)
        figures.setdefault("as they are", []).append(regret(judged, model, target))
        noise[measured, column] = errors[measured, column]
        stated = replace(model, table=replace(model.table, errors=noise))
        figures.setdefault("errors known", []).append(regret(judged, stated, target))
        unknown = replace(model, table=replace(model.table, errors=None))
        for share in SHARES:
            of_models.UNKNOWN_NOISE = share
            figures.setdefault(f"share {share}", []).append(regret(judged, unknown, target))
    before = np.array(figures["as they are"])
    for name, values in figures.items():
        change = np.array(values) - before
        error = change.std(ddof=1) / np.sqrt(len(change))
        print(
            json.dumps(
                {
                    "measured scores": name,
                    "regret@1 %": round(100 * float(np.mean(values)), 2),
                    "change": round(100 * float(change.mean()), 2),
                    "error": round(100 * float(error), 2),
                    "targets": len(values),
                }
            ),
            flush=True,
        )


if __name__ == "__main__":
    main()
