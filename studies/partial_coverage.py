"""Do 90% intervals hold 90% where few scores of a target are measured, and of new sources? (2026-12-01)

    python studies/partial_coverage.py TABLE.csv|MATRIX ... [--models 10] [--every 1] [--sources-alone]

Of a target two, four, eight and half of its scores are shown, drawn at random; the rest are predicted. For each count
so many models are fitted, each of them shown its share of the targets in part and all scores of the others. Of every
so-many-th source all scores are hidden. Printed: the share of hidden scores within their 90% intervals, with its
standard error over targets (or sources), as widths are learned of each case, and as it is with one width for all.
A matrix is one of the box.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from matrices.bundled import store_or_box
from matrices.published.scores import read_scores
from matrices.recommend.predicted import Model, fit
from matrices.recommend.predicted.calibration import FEW
from matrices.scores import Floats, ScoreTable, scores_of

LEAST_HIDDEN = 3

Within = tuple[Floats, Floats]
"""Whether each score of a target, or of a source, is within its interval: with widths of its case, with one width."""


def within(model: Model, target: str, sources: list[str], truth: Floats) -> Within:
    widths = replace(model.widths, few=np.full(len(FEW), np.nan), new_source=model.widths.many)
    both = []
    for one in (model, replace(model, widths=widths)):
        low, high = one.predict(target, sources).intervals.T
        both.append(((low <= truth) & (truth <= high)).astype(float))
    return both[0], both[1]


def of_targets(table: ScoreTable, count: int | None, models: int, random: np.random.Generator) -> Iterator[Within]:
    """Of every target that has enough scores, with so many shown; half of them where ``count`` is None."""
    for part in np.array_split(random.permutation(len(table.targets)), models):
        scores, hidden = table.scores.copy(), {}
        for column in part.tolist():
            known = np.flatnonzero(np.isfinite(table.scores[:, column]))
            shown = len(known) // 2 if count is None else count
            if len(known) >= shown + LEAST_HIDDEN:
                hidden[column] = random.permutation(known)[shown:]
                scores[hidden[column], column] = np.nan
        model = fit(replace(table, scores=scores)) if hidden else None
        for column, rows in hidden.items():
            assert model is not None
            asked = [table.sources[row] for row in rows]
            yield within(model, table.targets[column], asked, table.scores[rows, column])


def of_sources(table: ScoreTable, every: int) -> Iterator[Within]:
    """Of every so-many-th source, as if it had not been measured."""
    for row in range(0, len(table.sources), every):
        known = np.flatnonzero(np.isfinite(table.scores[row])).tolist()
        scores = table.scores.copy()
        scores[row] = np.nan
        if known:
            model, source = fit(replace(table, scores=scores)), table.sources[row]
            found = [within(model, table.targets[at], [source], table.scores[row, [at]]) for at in known]
            now, before = (np.concatenate(values) for values in zip(*found, strict=True))
            yield now, before


def report(what: str, found: list[Within]) -> None:
    line: dict[str, object] = {"shown": what, "of": len(found)}
    for name, values in zip(("within %", "with one width %"), zip(*found, strict=True), strict=True):
        error = np.std([value.mean() for value in values], ddof=1) / np.sqrt(len(values))
        line[name] = round(100 * float(np.concatenate(values).mean()), 1)
        line[f"{name} error"] = round(100 * float(error), 1)
    print(json.dumps(line), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tables", nargs="+")
    parser.add_argument("--models", type=int, default=10)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--sources-alone", action="store_true")
    given = parser.parse_args()
    for name in given.tables:
        of_file = Path(name).is_file()
        table = (read_scores(Path(name)) if of_file else scores_of(store_or_box(None), name)).without_selves()
        print(name, flush=True)
        random = np.random.default_rng(0)
        for count in () if given.sources_alone else (*FEW, None):
            if found := list(of_targets(table, count, given.models, random)):
                report(f"{count or 'half'} of a target", found)
        report("nothing of a source", list(of_sources(table, given.every)))


if __name__ == "__main__":
    main()
