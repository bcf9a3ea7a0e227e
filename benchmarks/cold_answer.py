"""How long the first answer about a measured target takes: cells at hand, nothing computed yet.

    python benchmarks/cold_answer.py [--languages 30 --seeds 3 --items 400]

Processor time on one thread, of matrices of generated outcomes held in memory: from the question to the last byte of
its JSON. Modules are imported before, by an answer from a small matrix. The median of some targets, each asked once.

    python benchmarks/cold_answer.py --box

The first predicted answer from the largest matrix of the box, by a process that has just started, imports and all: as
it ships, with what was learned kept beside it, against a model fitted anew. The median of some processes each. Then the
same of languages that nobody measured, each asked about for the first time, by a process that answered before.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import json
import subprocess
import sys
import time
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa

from matrices.bundled import boxed
from matrices.cells import BASELINE, SCHEMA
from matrices.languoids import speakers
from matrices.names import by_speakers
from matrices.reading import in_order
from matrices.recommend import Question, ask, predictor, to_json
from matrices.snapshot import Snapshot

TARGETS = 5
WARM = 30


def generated(kind: str, languages: int, seeds: int, items: int) -> Snapshot:
    """A matrix of languages on each other and a baseline, an item right or wrong."""
    random = np.random.default_rng(0)
    codes = [f"q{chr(97 + at // 20)}{chr(97 + at % 20)}" for at in range(languages)]
    rows = []
    for target in codes:
        ease = random.normal(0.3, 1.0, items)
        for seed in range(seeds):
            for source in (None, *codes):
                chance = 1 / (1 + np.exp(-ease - random.normal(0, 0.3)))
                rows.append(_row(kind, source, target, seed, (random.random(items) < chance).astype(int)))
    columns = {field.name: pa.array([row[field.name] for row in rows], field.type) for field in SCHEMA}
    return Snapshot({f"any-{kind}": in_order(pa.table(columns, schema=SCHEMA))}, version=1)


def _row(kind: str, source: str | None, target: str, seed: int, correct: np.ndarray) -> dict[str, object]:
    known = {
        "schema_version": 1,
        "matrix": f"any-{kind}",
        "encoder": "none",
        "kind": kind,
        "composition": BASELINE if source is None else "stack",
        "task": "any",
        "metric": "accuracy",
        "source": source,
        "target": target,
        "selection": "last",
        "seed": seed,
        "score": float(correct.mean()),
        "n_items": len(correct),
        "correct": correct.tolist(),
        "total": [1] * len(correct),
        "status": "ok",
        "seconds": 0.0,
        "device": "cpu",
        "created_at": datetime(2026, 1, 1, tzinfo=UTC),
        "cell_id": f"{source}-{target}-{seed}",
    }
    return {name: known.get(name) for name in SCHEMA.names}


def measure(kind: str, languages: int, seeds: int, items: int) -> float:
    """Seconds of processor time of an answer, the median of some."""
    _answer(generated(kind, 4, 2, 20), "qaa")
    snapshot = generated(kind, languages, seeds, items)
    targets = sorted(set(snapshot.cells(f"any-{kind}")["target"].to_pylist()))
    return float(np.median([_answer(snapshot, target) for target in targets[:TARGETS]]))


_OF_THE_BOX = """
import json, time
from matrices.bundled import boxed
from matrices.recommend import Question, ask, predictor, to_json
from matrices.recommend.predicted import saved_model
if {anew}:
    saved_model.shipped = lambda: b""
box = boxed()
largest = max(box.matrices(), key=lambda info: info.cells)
question = Question(task=largest.task, target="Yiddish", matrix=largest.matrix)
to_json(ask(box, question, predictor))
print(time.process_time())
"""


def of_the_box(*, anew: bool) -> float:
    """Seconds of processor time of a process that answers one question from the box and ends."""
    program = _OF_THE_BOX.format(anew=anew)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return float(done.stdout)


def warm_of_the_box() -> float:
    """Seconds of processor time of an answer about a language nobody measured, the median of some."""
    box = boxed()
    assert box is not None
    largest = max(box.matrices(), key=lambda info: info.cells)
    measured = set(box.cells(largest.matrix, columns=["target"])["target"].to_pylist())
    targets = [code for code in by_speakers(speakers(), speakers()) if code not in measured][: WARM + 1]
    taken = []
    for target in targets:
        begin = time.process_time()
        to_json(ask(box, Question(task=largest.task, target=target, matrix=largest.matrix), predictor))
        taken.append(time.process_time() - begin)
    return float(np.median(taken[1:]))


def _answer(snapshot: Snapshot, target: str) -> float:
    begin = time.process_time()
    to_json(ask(snapshot, Question(task="any", target=target), predictor))
    return time.process_time() - begin


def main() -> None:
    """Prints a line a kind of matrix."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--languages", type=int, default=30)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--items", type=int, default=400)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--box", action="store_true", help="the first predicted answer from the box")
    given = parser.parse_args()
    if given.box:
        shipped, anew = (float(np.median([of_the_box(anew=one) for _ in range(TARGETS)])) for one in (False, True))
        warm = warm_of_the_box()
        found = {"shipped": shipped, "fitted anew": anew, "ratio": anew / shipped, "warm": warm}
        said = f"{shipped:.2f} s, {found['ratio']:.2f} x as fast as fitted anew; warm {1000 * warm:.0f} ms"
        print(json.dumps(found) if given.json else said)
        return
    size = given.languages, given.seeds, given.items
    found = {kind: measure(kind, *size) for kind in ("zero_shot", "interference")}
    if given.json:
        print(json.dumps(found))
        return
    for kind, seconds in found.items():
        print(f"{kind}: {seconds:.3f} s")


if __name__ == "__main__":
    main()
