"""Filling one matrix in three ways, side by side, and what filling costs as a matrix grows.

    .venv/bin/python benchmarks/fill.py [--encoder FOLDER | --random 12x768] [--corpora FOLDER] [--json]
    .venv/bin/python benchmarks/fill.py --growth 4,8,16,32
    .venv/bin/python benchmarks/fill.py --encoder runs/multilingual-e5-small-4bit --alone --skip-processes

The same encoder, sentences, cells, steps and hyper-parameters, from nothing to every score: (1) `adapters` as its
examples use it, a process for every adapter and every cell; (2) the same code in one process that keeps its models;
(3) `sprachbund fill` as a command, the start of Ray included. (1) and (2) use all cores in each process. (1) does all
adapters and every fifth cell (``--every``), and the others are taken to cost as much: a process knows nothing of those
before it. The libraries shuffle differently, so single scores differ as those of two seeds do; the mean over the cells
both measured must agree to 0.03 under a trained encoder.

A second table has what a unit of each kind cost, and what a job of 24,000 cells would at those costs.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import fmean
from typing import Any

from options import encoder_options, parsed
from rich.console import Console
from rich.table import Table
from ways import Filled, Size, described, fill, in_one_process, one_by_one, ours_filled, random_encoder

from adapters_zoo.precision import best_precision
from adapters_zoo.recipes import LanguageAdapterRecipe, TaskAdapterRecipe
from workers.corpora import open_corpora
from workers.corpora.types import Corpora

TOLERANCE = 0.03
LANGUAGES = ("eng", "deu", "fin", "rus", "tur", "fra", "spa", "ces", "ind", "ell", "eus", "wol")
SMALL = Size(
    LANGUAGES,
    LANGUAGES,
    (0,),
    LanguageAdapterRecipe(steps=20),
    TaskAdapterRecipe(epochs=3, learning_rate=2e-3, max_items=300),
    200,
)
BASE = Size(
    LANGUAGES[:2],
    LANGUAGES[:4],
    (0, 1),
    LanguageAdapterRecipe(steps=8),
    TaskAdapterRecipe(epochs=1, learning_rate=1e-3, max_items=160),
    200,
)
WIDE = (
    *LANGUAGES,
    *("afr", "bel", "bul", "cym", "dan", "est", "fas", "gle", "glg", "heb", "hun", "hye"),
    *("isl", "ita", "jpn", "kor", "lav", "lit", "mar", "nld", "pol", "por", "ron", "ukr"),
)
ALONE = Size(
    LANGUAGES[:4],
    WIDE,
    (0,),
    None,
    # The library reads a word off its first piece.
    TaskAdapterRecipe(epochs=2, learning_rate=3e-3, reduction=4, leave_out=2, max_items=160, pool="first"),
    80,
)
"""As wide as matrices of such an encoder are: many targets an adapter, items and layers as in jobs/e5_pos.yaml."""
LARGE = {"language": 40, "task": 600, "cell": 24_000}
"""Units of a job of 40 languages as sources and targets, three tasks and five seeds."""
WAYS = {
    "processes": "(1) adapters, a process an adapter and a cell",
    "in_memory": "(2) adapters, one process that keeps its models",
    "sprachbund": "(3) sprachbund fill",
}


def main() -> None:
    """Compare, or measure growth, and print it."""
    options = _options()
    corpora = open_corpora(options.corpora)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        encoder = options.encoder if options.random is None else random_encoder(options, folder / "random")
        if options.growth is not None:
            result = growth(options, encoder, corpora, folder)
        else:
            result = compare(options, encoder, corpora, folder)
    if options.json:
        print(json.dumps(result))


def compare(options: argparse.Namespace, encoder: Path, corpora: Corpora, folder: Path) -> dict[str, Any]:
    """The three ways. Raises ``SystemExit`` where their mean scores do not agree, under a trained encoder."""
    size = ALONE if options.alone else SMALL if options.random is None else BASE
    work = folder / "work.json"
    work.write_text(json.dumps(described(size, encoder, corpora)), encoding="utf-8")
    console = Console(stderr=options.json)
    ways: dict[str, Filled] = {}
    if not options.skip_processes:
        ways["processes"] = one_by_one(work, size, options.every, folder / "processes")
        console.print(f"{WAYS['processes']}: {ways['processes'].spent.seconds:.0f} s")
    ways["in_memory"] = in_one_process(work, folder / "in_memory")
    console.print(f"{WAYS['in_memory']}: {ways['in_memory'].spent.seconds:.0f} s")
    ways["sprachbund"] = ours = ours_filled(size, encoder, options.corpora, folder / "sprachbund")
    result = {
        "encoder": str(encoder) if options.random is None else options.random,
        "cores": os.cpu_count(),
        "precision": best_precision(),
        "adapters": sum(unit["what"] != "cell" for unit in size.units),
        "cells": len(ours.scores),
        "measured_cells": {way: len(filled.scores) for way, filled in ways.items()},
        "seconds": {way: round(filled.spent.seconds, 1) for way, filled in ways.items()},
        "processor_seconds": {way: round(filled.spent.processor, 1) for way, filled in ways.items()},
        "peak_gib": {way: round(filled.spent.peak / 2**30, 2) for way, filled in ways.items()},
        "ratios": {way: round(filled.spent.seconds / ours.spent.seconds, 2) for way, filled in ways.items()},
        "mean_score": {way: round(fmean(filled.scores.values()), 4) for way, filled in ways.items()},
        "mean_difference_of_a_cell": {
            way: round(fmean(abs(ours.scores[cell] - score) for cell, score in filled.scores.items()), 4)
            for way, filled in ways.items()
        },
        "unit_seconds": {
            way: {what: round(seconds, 2) for what, seconds in filled.unit_seconds.items()}
            for way, filled in ways.items()
        },
        "large_job": LARGE,
        "large_job_hours": {way: round(filled.foreseen(LARGE) / 3600, 2) for way, filled in ways.items()},
    }
    for table in tables(result):
        console.print(table)
    if options.random is None:
        _must_agree(ways)
        console.print(f"Where they measured the same cells, their mean scores agree to {TOLERANCE}.")
    else:
        console.print("With random weights scores are near chance: that they agree is not asked.")
    return result


def growth(options: argparse.Namespace, encoder: Path, corpora: Corpora, folder: Path) -> dict[str, Any]:
    """Time and peak memory of `sprachbund fill` on matrices of n sources x n targets."""
    languages = [
        code
        for code in sorted({entry.language for entry in corpora.entries()})
        if corpora.has("pos", code, "train") and corpora.has("pos", code, "test") and corpora.text(code) is not None
    ]
    rows: list[dict[str, Any]] = []
    console = Console(stderr=options.json)
    for count in options.growth:
        if count > len(languages):
            raise SystemExit(
                f"--growth {count}: only {len(languages)} languages have text and train and test sentences"
            )
        codes = tuple(languages[:count])
        size = Size(codes, codes, (0,), LanguageAdapterRecipe(steps=10), TaskAdapterRecipe(epochs=1, max_items=64), 50)
        spent = fill(size, encoder, options.corpora, folder / f"growth-{count}")
        rows.append(
            {
                "languages": count,
                "adapters": 2 * count,
                "cells": count * count,
                "seconds": round(spent.seconds, 1),
                "processor_seconds": round(spent.processor, 1),
                "cells_a_second": round(count * count / spent.seconds, 1),
                "peak_gib": round(spent.peak / 2**30, 2),
            }
        )
        console.print(f"{count} x {count}: {spent.seconds:.0f} s")
    table = Table(title="Growth: n sources x n targets, one seed")
    for name in rows[0]:
        table.add_column(name.replace("_", " "), justify="right")
    for row in rows:
        table.add_row(*map(str, row.values()))
    console.print(table)
    return {"growth": rows}


def _must_agree(ways: Mapping[str, Filled]) -> None:
    ours = ways["sprachbund"].scores
    for name, filled in ways.items():
        if not filled.scores.keys() <= ours.keys() or (name != "processes" and len(filled.scores) < len(ours)):
            raise SystemExit(f"{name} measured other cells than sprachbund")
        apart = abs(fmean(filled.scores.values()) - fmean(ours[cell] for cell in filled.scores))
        if apart > TOLERANCE:
            raise SystemExit(f"mean scores do not agree: {name} is {apart:.3f} away from sprachbund")


def tables(result: dict[str, Any]) -> Iterator[Table]:
    """The ways side by side, with the peak of their memory, their mean score, and how far a cell's is from ours on
    average; and what a unit costs in each."""
    size = f"{result['cells']} cells over {result['adapters']} adapters"
    legend = "\n".join(WAYS[way] for way in result["seconds"])
    title = f"{size}, {result['encoder']}, {result['precision']}, {result['cores']} cores"
    table = Table(title=title, caption=legend, caption_justify="left")
    columns = {
        "measured": "measured_cells",
        "seconds": "seconds",
        "of CPU": "processor_seconds",
        "ratio": "ratios",
        "GiB": "peak_gib",
        "score": "mean_score",
        "apart": "mean_difference_of_a_cell",
    }
    table.add_column("way")
    for title in columns:
        table.add_column(title, justify="right")
    for way in result["seconds"]:
        table.add_row(WAYS[way][:3], *(str(result[name][way]) for name in columns.values()))
    yield table
    large = f"{LARGE['cell']:,} cells over {LARGE['language'] + LARGE['task']:,} adapters"
    table = Table(title=f"Seconds a unit, by the clock, and what {large} would take at those")
    for title in ("way", "language adapter", "task adapter", "cell", "hours", "ratio"):
        table.add_column(title, justify="left" if title == "way" else "right")
    hours = result["large_job_hours"]
    for way, costs in result["unit_seconds"].items():
        ratio = f"{hours[way] / hours['sprachbund']:.1f}"
        table.add_row(WAYS[way][:3], *(str(costs.get(what, "-")) for what in LARGE), str(hours[way]), ratio)
    yield table


def _options() -> argparse.Namespace:
    parser = encoder_options(__doc__)
    parser.add_argument("--growth", type=lambda text: [int(one) for one in text.split(",")], metavar="4,8,16,32")
    parser.add_argument("--skip-processes", action="store_true", help="leave out the first way, the longest by far")
    parser.add_argument("--alone", action="store_true", help="task adapters alone, as of an encoder without a head")
    parser.add_argument("--every", type=int, default=5, help="the first way measures every so manieth cell")
    return parsed(parser)


if __name__ == "__main__":
    main()
