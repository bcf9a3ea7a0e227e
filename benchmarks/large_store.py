"""A service before one matrix of a million cells with the outcomes of their items: how long, and how much memory.

    python benchmarks/large_store.py [--store FOLDER] [--sources 500] [--targets 400] [--seeds 5] [--items 100] [--json]

Without a folder that is there already, the store is made first: real languages, scores of a source's worth, a target's
level and chance, appended by Delta Lake in commits of a target each 20. Then a service of one process is started on it
and asked one thing after another. Of each: seconds to the first answer, its size, resident memory after it (what is
mapped from files not counted), and the longest that a request for /health, asked all the time beside it, had to wait.
"""

from __future__ import annotations

import argparse
import http.client
import json
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
from deltalake import write_deltalake
from serve import get, resident, served

from matrices.cells import SCHEMA, SCHEMA_VERSION
from matrices.languoids import speakers
from matrices.store import Store

MATRIX = "pos-zero_shot-large"
_TARGETS_A_COMMIT = 20


@dataclass(frozen=True)
class Line:
    """What one request took."""

    what: str
    seconds: float
    mebibytes: float
    resident: int
    others_waited_ms: float


def languages(count: int) -> list[str]:
    """The codes of the languages most spoken."""
    counted = speakers()
    return sorted(counted, key=lambda code: (-counted[code], code))[:count]


def make(folder: Path, sources: int, targets: int, seeds: int, items: int) -> None:
    """A store of one matrix, its rows a place each."""
    Store.open(folder, create=True)
    random = np.random.default_rng(0)
    codes = languages(sources)
    worth, level = random.normal(0, 0.06, sources), random.normal(0.6, 0.1, targets)
    pairs = random.normal(0, 0.04, (targets, sources))
    for begin in range(0, targets, _TARGETS_A_COMMIT):
        chosen = range(begin, min(begin + _TARGETS_A_COMMIT, targets))
        tables = [_column(codes, at, worth, level[at], pairs[at], seeds, items, random) for at in chosen]
        write_deltalake(str(folder), pa.concat_tables(tables), mode="append")
        print(f"\r{100 * (begin + len(chosen)) // targets:3d} % made", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)


def _column(
    codes: list[str],
    at: int,
    worth: np.ndarray,
    level: float,
    pairs: np.ndarray,
    seeds: int,
    items: int,
    random: np.random.Generator,
) -> pa.Table:
    """The cells of all sources and seeds on one target."""
    runs = len(codes) * seeds
    of_run = np.repeat(level + worth + pairs, seeds) + random.normal(0, 0.01, runs)
    hard = random.normal(0, 0.15, items)
    correct = (random.random((runs, items)) < np.clip(of_run[:, None] - hard, 0.02, 0.98)).astype(np.float64)
    offsets = pa.array(np.arange(0, runs * items + 1, items, dtype=np.int32))

    def lists(values: np.ndarray) -> pa.Array:
        return pa.ListArray.from_arrays(offsets, pa.array(values.ravel()))

    target = codes[at]
    named = {
        "schema_version": SCHEMA_VERSION,
        "matrix": MATRIX,
        "encoder": "FacebookAI/xlm-roberta-base",
        "kind": "zero_shot",
        "composition": "stack",
        "task": "pos",
        "metric": "accuracy",
        "target": target,
        "selection": "last",
        "n_items": items,
        "status": "ok",
        "seconds": 1.0,
        "device": "cpu",
        "created_at": datetime(2026, 1, 1, tzinfo=UTC),
        "method": "bottleneck",
        "shots": 0,
    }
    columns: dict[str, pa.Array] = {
        "source": pa.array(np.repeat(codes, seeds)),
        "seed": pa.array(np.tile(np.arange(seeds), len(codes)), pa.int32()),
        "score": pa.array(correct.mean(axis=1)),
        "correct": lists(correct),
        "total": lists(np.ones_like(correct)),
        "cell_id": pa.array([f"{at:08x}{run:024x}" for run in range(runs)]),
    }
    return pa.table(
        [
            columns.get(field.name, pa.array([named.get(field.name)] * runs, field.type)).cast(field.type)
            for field in SCHEMA
        ],
        schema=SCHEMA,
    )


@contextmanager
def beside(port: int) -> Iterator[list[float]]:
    """Requests for /health, one after another, while something else is asked: how long each took."""
    laps: list[float] = []
    over = threading.Event()

    def ask() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        while not over.wait(0.005):
            begun = time.perf_counter()
            get(connection, "/health", {})
            laps.append(time.perf_counter() - begun)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield laps
    finally:
        over.set()
        thread.join()


def questions(codes: list[str], measured: list[str]) -> dict[str, str]:
    """What is asked, in this order."""
    unmeasured = next(code for code in languages(len(codes) + 400) if code not in codes)
    matrix, ask = f"/v1/matrices/{MATRIX}", f"/v1/recommendations?task=pos&matrix={MATRIX}"
    return {
        "list": "/v1/matrices",
        "measured, the first target": f"{ask}&target={measured[0]}",
        "measured, another target": f"{ask}&target={measured[1]}",
        "measured, more sources of it": f"{ask}&target={measured[1]}&k=20",
        "the matrix as a grid": matrix,
        "1,000 cells": f"{matrix}/cells?limit=1000",
        "1,000 cells of a target": f"{matrix}/cells?limit=1000&target={measured[2]}",
        "1,000 cells, sorted by score": f"{matrix}/cells?limit=1000&sort=-score",
        "1,000 cells with outcomes": f"{matrix}/cells?limit=1000&outcomes=true",
        "pairs": f"{matrix}/cells?form=pairs",
        "predicted, a language nobody measured": f"{ask}&target={unmeasured}",
        "predicted, more sources of it": f"{ask}&target={unmeasured}&k=20",
        "download": f"{matrix}/download",
        "download again": f"{matrix}/download",
    }


def main() -> None:
    """Print a line a request, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", type=Path)
    for name, default in (("sources", 500), ("targets", 400), ("seeds", 5), ("items", 100)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--wait", type=float, default=0.0, help="seconds of rest after it is ready, to prepare answers")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    lines = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.store or Path(temporary) / "store"
        if not folder.exists():
            make(folder, given.sources, given.targets, given.seeds, given.items)
        codes = languages(given.sources)
        with served(str(folder), prepare=given.wait > 0) as server:
            time.sleep(given.wait)
            for what, path in questions(codes, codes[: given.targets]).items():
                with beside(server.port) as laps:
                    begun = time.perf_counter()
                    status, body, _ = get(http.client.HTTPConnection("127.0.0.1", server.port), path, {})
                    seconds = time.perf_counter() - begun
                if status != 200:
                    print(f"{what}: {status} {body[:300].decode()}", file=sys.stderr)
                line = Line(what, seconds, len(body) / 2**20, resident(server.pid), 1e3 * max(laps, default=0.0))
                lines.append(line)
                if not given.json:
                    print(
                        f"{what:40} {line.seconds:7.3f} s  {line.mebibytes:8.2f} MiB  resident {line.resident:5d} MiB  "
                        f"others waited at most {line.others_waited_ms:6.1f} ms",
                        flush=True,
                    )
    if given.json:
        print(json.dumps({"lines": [asdict(line) for line in lines]}))


if __name__ == "__main__":
    main()
