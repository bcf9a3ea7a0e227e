"""What plain text is worth of languages that no database knows: left-out targets ranked with it and without.

    python studies/texts.py ../shared/data ../shared/matrices/*.csv

Every language is given a code for private use, so that nothing is known of any but its scores on others, and its text
where the folder of corpora has some. Features of a table's own are left out too. Targets without text are not judged.
Differences from ``nothing`` with their standard errors over targets.

The figures in docs/ were first stated in commit 0b1c60c (2026-11-21).
"""

from __future__ import annotations

import argparse
import string
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np

from matrices.backtest import Forecast, Judgement, Method, judge_all, report
from matrices.backtest.methods import sprachbund
from matrices.likeness.text import Overlaps
from matrices.published.scores import read_scores
from matrices.scores import ScoreTable
from sprachbund.text_overlaps import overlaps_in

PRIVATE = ["".join(letters) for letters in product("q", string.ascii_lowercase[:20], string.ascii_lowercase)]
"""The codes that ISO 639 leaves to private use."""


def nothing(table: ScoreTable, target: str) -> Forecast:
    """As if there were no texts."""
    return sprachbund(replace(table, overlaps=None), target)


METHODS: dict[str, Method] = {"nothing": nothing, "texts": sprachbund}


def unknown(table: ScoreTable, overlaps: Overlaps) -> ScoreTable:
    """The table under private codes, with the targets that there is text of."""
    table = table.without_selves()
    kept = [at for at, code in enumerate(table.targets) if code in overlaps.codes]
    known = sorted({*table.sources, *table.targets, *overlaps.codes})
    private = dict(zip(known, PRIVATE, strict=False))
    return ScoreTable(
        sources=tuple(private[code] for code in table.sources),
        targets=tuple(private[table.targets[at]] for at in kept),
        scores=table.scores[:, kept],
        overlaps=replace(overlaps, codes=tuple(private[code] for code in overlaps.codes)),
    )


def compared(table: ScoreTable, methods: Mapping[str, Method], processes: int) -> Iterator[str]:
    """A line about every method, with its differences from the first."""
    judgements = judge_all(table, methods, processes=processes)
    first = [one for one in judgements if one.method == next(iter(methods))]
    for line in report(judgements):
        found = [one for one in judgements if one.method == line.method]
        regret, ndcg = _change(first, found, "regret_at_1"), _change(first, found, "ndcg_at_3")
        yield (
            f"  {line.method:7} NDCG@3 {line.ndcg_at_3:.1%} ({ndcg})  regret@1 {line.regret_at_1:.2%} ({regret})  "
            f"intervals hold {line.interval_coverage:.1%}  shortlists {line.shortlist_coverage:.1%}"
        )


def _change(first: list[Judgement], found: list[Judgement], figure: str) -> str:
    before = {one.target: getattr(one, figure) for one in first}
    change = 100 * np.array([getattr(one, figure) - before[one.target] for one in found])
    return f"{np.nanmean(change):+.2f} ± {np.nanstd(change, ddof=1) / np.sqrt(len(change)):.2f}"


def main() -> None:
    """Prints two lines a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpora", type=Path)
    parser.add_argument("tables", type=Path, nargs="+")
    parser.add_argument("--processes", type=int, default=1)
    given = parser.parse_args()
    for path in given.tables:
        scores = read_scores(path)
        overlaps = overlaps_in(given.corpora, {*scores.sources, *scores.targets})
        assert overlaps is not None
        table = unknown(scores, overlaps)
        print(f"{path.stem}: {len(table.sources)} x {len(table.targets)}", flush=True)
        for line in compared(table, METHODS, given.processes):
            print(line, flush=True)


if __name__ == "__main__":
    main()
