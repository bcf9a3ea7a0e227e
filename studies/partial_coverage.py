"""Do 90% intervals hold 90% where few scores of a target are measured, and of new sources? (2026-12-01)

    python studies/partial_coverage.py TABLE.csv ... [--every 1]

Of every so-many-th target two, four, eight and half of its scores are shown, drawn at random, and all scores of other
targets; the rest are predicted. Of every so-many-th source all scores are hidden. Printed: the share of hidden scores
within their 90% intervals, as learned from targets shown in part, and as they were with one width for all.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from matrices.published.scores import read_scores
from matrices.recommend.predicted import Model, fit
from matrices.recommend.predicted.partly import FEW
from matrices.scores import Floats, ScoreTable

ALONE = (*FEW, None)


def held(model: Model, target: str, sources: list[str], truth: Floats) -> Floats:
    """Whether each score is within its interval."""
    low, high = model.predict(target, sources).intervals.T
    inside: Floats = ((low <= truth) & (truth <= high)).astype(float)
    return inside


def with_one_width(model: Model) -> Model:
    return replace(model, partial_widths=np.full(len(FEW), np.nan))


def partly(table: ScoreTable, every: int) -> None:
    random = np.random.default_rng(0)
    for few in ALONE:
        now, before, targets = [], [], 0
        for column in range(0, len(table.targets), every):
            known = np.flatnonzero(np.isfinite(table.scores[:, column]))
            count = len(known) // 2 if few is None else few
            if len(known) < count + 3 or count < 2:
                continue
            hidden = random.permutation(known)[count:]
            scores = table.scores.copy()
            scores[hidden, column] = np.nan
            model = fit(replace(table, scores=scores))
            asked = [table.sources[row] for row in hidden]
            now.append(held(model, table.targets[column], asked, table.scores[hidden, column]))
            before.append(held(with_one_width(model), table.targets[column], asked, table.scores[hidden, column]))
            targets += 1
        if targets:
            line: dict[str, object] = {"measured": few or "half", "targets": targets}
            for name, values in (("held %", now), ("with one width %", before)):
                line[name] = round(100 * float(np.concatenate(values).mean()), 1)
            print(json.dumps(line), flush=True)


def of_new_sources(table: ScoreTable, every: int) -> None:
    found = []
    for row in range(0, len(table.sources), every):
        known = np.flatnonzero(np.isfinite(table.scores[row]))
        if not len(known):
            continue
        scores = table.scores.copy()
        scores[row] = np.nan
        model = fit(replace(table, scores=scores))
        found += [
            held(model, table.targets[at], [table.sources[row]], table.scores[row, [at]]) for at in known.tolist()
        ]
    print(json.dumps({"new sources": True, "held %": round(100 * float(np.concatenate(found).mean()), 1)}), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tables", nargs="+", type=Path)
    parser.add_argument("--every", type=int, default=1)
    given = parser.parse_args()
    for path in given.tables:
        table = read_scores(path).without_selves()
        print(path.name, flush=True)
        partly(table, given.every)
        of_new_sources(table, given.every)


if __name__ == "__main__":
    main()
