"""How long a model takes to fit, and then to answer about a target that nobody measured, with its explanation.

    python benchmarks/answers.py --generated 200 ../shared/matrices/langrank_dep_with_features.csv

Processor time, one thread. An answer is everything a reader gets: every source with its score, interval, probability of
being best, and what was known of the pair; the shortlist; what the first ten rest on; features by weight. ``whole`` is
the same through ``matrices.recommend.ask`` from cells held in memory, to the last byte of its JSON.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from language_data.population_data import LANGUAGE_SPEAKING_POPULATION

from matrices.cells import Cell, to_table
from matrices.languages import UnknownLanguageError, kinship, resolve
from matrices.languoids import speakers
from matrices.names import by_speakers
from matrices.published.scores import read_scores
from matrices.recommend import Question, ask, predictions, to_json
from matrices.scores import ScoreTable
from matrices.snapshot import Snapshot

TIMES = 100


def generated(size: int) -> ScoreTable:
    """Scores of ``size`` languages on each other: what is peculiar to source, target, kin, and chance."""
    codes = tuple(by_speakers((resolve(code).code for code in speakers()), speakers())[:size])
    random = np.random.default_rng(0)
    kin = np.array([[kinship(source, target) for target in codes] for source in codes])
    level, quality = random.normal(size=size), random.normal(size=(size, 1))
    scores = 0.5 + 0.05 * level + 0.04 * quality + 0.03 * kin + 0.03 * random.normal(size=(size, size))
    return ScoreTable(codes, codes, np.clip(scores, 0, 1))


def unmeasured(table: ScoreTable, count: int) -> list[str]:
    """Languages that people speak and the table lacks."""
    found: dict[str, None] = {}
    for tag in LANGUAGE_SPEAKING_POPULATION:
        try:
            code = resolve(tag).code
        except UnknownLanguageError:
            continue
        if code not in table.sources and code not in table.targets:
            found[code] = None
        if len(found) == count:
            break
    return list(found)


def snapshot_of(table: ScoreTable) -> Snapshot:
    """The table as cells in memory."""
    made = datetime(2026, 1, 1, tzinfo=UTC)
    cells = [
        Cell(
            matrix="generated",
            encoder="none",
            kind="zero_shot",
            composition="stack",
            task="any",
            metric="score",
            source=source,
            target=target,
            selection="last",
            seed=0,
            score=float(table.scores[row, column]),
            n_items=0,
            correct=None,
            total=None,
            status="ok",
            error=None,
            seconds=0.0,
            device="cpu",
            created_at=made,
            cell_id=f"{source}-{target}",
        )
        for row, source in enumerate(table.sources)
        for column, target in enumerate(table.targets)
        if np.isfinite(table.scores[row, column])
    ]
    return Snapshot({"generated": to_table(cells)}, version=1)


def measure(table: ScoreTable) -> dict[str, float]:
    """Seconds to fit, and milliseconds an answer takes: median and 95th percentile."""
    begin = time.process_time()
    predict = predictions(table)
    fit = time.process_time() - begin
    reader = snapshot_of(table)

    def whole(target: str) -> None:
        to_json(ask(reader, Question(task="any", target=target), lambda *_: predict))

    warm, *targets = unmeasured(table, TIMES + 1)
    answers = _milliseconds(lambda target: predict(target, ()), warm, targets)
    wholes = _milliseconds(whole, warm, targets)
    return {
        "sources": len(table.sources),
        "targets": len(table.targets),
        "fit_s": fit,
        "answer_ms": float(np.median(answers)),
        "answer_p95_ms": float(np.quantile(answers, 0.95)),
        "whole_ms": float(np.median(wholes)),
        "whole_p95_ms": float(np.quantile(wholes, 0.95)),
    }


def _milliseconds(answer: Callable[[str], object], warm: str, targets: list[str]) -> list[float]:
    answer(warm)
    taken = []
    for target in targets:
        begin = time.process_time()
        answer(target)
        taken.append(1000 * (time.process_time() - begin))
    return taken


def main() -> None:
    """Prints a line a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tables", type=Path, nargs="*")
    parser.add_argument("--generated", type=int, action="append", default=[], help="languages; repeatable")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    tables = {f"generated {size}": generated(size) for size in given.generated}
    tables |= {path.stem: read_scores(path) for path in given.tables}
    found = {name: measure(table) for name, table in tables.items()}
    if given.json:
        print(json.dumps(found))
        return
    for name, one in found.items():
        print(
            f"{name}: {one['sources']} x {one['targets']}; fit {one['fit_s']:.1f} s; answer {one['answer_ms']:.1f} ms "
            f"(95th percentile {one['answer_p95_ms']:.1f}), whole {one['whole_ms']:.1f} ms ({one['whole_p95_ms']:.1f})"
        )


if __name__ == "__main__":
    main()
