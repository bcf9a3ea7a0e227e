"""How long all measures of a matrix take, and how that grows with languages.

    .venv/bin/python benchmarks/measures.py --languages 15 30 60 120

For each size a matrix of that many sources and targets is drawn (items that differ in ease, sources and targets that
differ in level; 1,000 parallel items, five seeds) and held as a service holds it; then every measure is computed from
its cells, with 2,000 resamples. Seconds are of the wall, beside those of the processor; peak memory is of the
whole process, each size in one of its own.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from resource import RUSAGE_SELF, getrusage
from typing import Any

import numpy as np
import pyarrow as pa
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from matrices.arrays import Bools
from matrices.cells import BASELINE, SCHEMA, SCHEMA_VERSION
from matrices.items import Items
from matrices.measures.catalogue import MEASURES
from matrices.measures.registry import measure
from matrices.snapshot import Snapshot
from matrices.view import MeasureError

ITEMS, SEEDS = 1_000, 5


def main() -> None:
    """Measure every size in a process of its own and print the table, or with ``--json`` one object."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--languages", type=int, nargs="+", default=[15, 30, 60, 120])
    arguments.add_argument(
        "--kind", choices=("interference", "zero_shot"), nargs="+", default=["zero_shot", "interference"]
    )
    arguments.add_argument("--json", action="store_true")
    arguments.add_argument("--one", type=int, help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.one is not None:
        print(json.dumps(_measured(given.one, given.kind[0])))
        return
    found = []
    for kind in given.kind:
        for languages in given.languages:
            command = [sys.executable, __file__, "--one", str(languages), "--kind", kind]
            found.append(json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout))
            print(f"{kind}, {languages} languages: {found[-1]['seconds']:.1f} s", file=sys.stderr)
    if given.json:
        print(json.dumps({"items": ITEMS, "seeds": SEEDS, "sizes": found}))
    else:
        Console().print(_table(found))


def _measured(languages: int, kind: str) -> dict[str, Any]:
    snapshot = _snapshot(languages, kind)
    each: dict[str, float] = {}
    wall, processor = time.perf_counter(), time.process_time()
    for name in MEASURES:
        began = time.process_time()
        try:
            measure(snapshot, kind, name)
        except MeasureError:  # Of the other kind.
            continue
        each[name] = time.process_time() - began
    return {
        "kind": kind,
        "languages": languages,
        "cells": languages**2 * SEEDS,
        "seconds": time.perf_counter() - wall,
        "processor_seconds": time.process_time() - processor,
        "peak_mib": getrusage(RUSAGE_SELF).ru_maxrss / 1024,
        "each": each,
    }


def _snapshot(languages: int, kind: str) -> Snapshot:
    """A matrix in memory, as a service holds it."""
    random = np.random.default_rng(languages)
    codes = [f"q{97 + at // 26 % 20:c}{97 + at % 26:c}" for at in range(languages)]
    ease = random.normal(size=ITEMS)
    give, take = random.normal(0, 0.5, languages), random.normal(0, 0.7, languages)
    tables = []
    for at, target in enumerate(codes):
        level = 0.3 + take[at] + give[:, None, None] + random.normal(0, 0.1, (languages, SEEDS, 1)) + ease
        level[at] += 1
        alone = 0.3 + take[at] + ease + np.zeros((SEEDS if kind == "interference" else 1, 1))
        right, right_alone = (random.random(one.shape) < 1 / (1 + np.exp(-one)) for one in (level, alone))
        sources = np.repeat(np.array(codes, dtype=object), SEEDS).tolist()
        tables.append(_cells(kind, sources, target, list(range(SEEDS)) * languages, right.reshape(-1, ITEMS)))
        tables.append(_cells(kind, [None] * len(alone), target, list(range(len(alone))), right_alone))
    items = {code: Items(tuple(map(str, range(ITEMS))), "drawn") for code in codes}
    return Snapshot({kind: pa.concat_tables(tables)}, 0, items={kind: items})


def _cells(kind: str, sources: Sequence[str | None], target: str, seeds: Sequence[int], right: Bools) -> pa.Table:
    count = len(right)
    lists = {
        name: pa.ListArray.from_arrays(pa.array(np.arange(count + 1) * ITEMS, pa.int32()), pa.array(values.ravel()))
        for name, values in (("correct", right.astype(np.float64)), ("total", np.ones_like(right, np.float64)))
    }
    same: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "matrix": kind,
        "encoder": "drawn",
        "kind": kind,
        "composition": BASELINE if sources[0] is None else "stack",
        "task": "drawn",
        "metric": "accuracy",
        "target": target,
        "selection": "last",
        "n_items": ITEMS,
        "status": "ok",
        "error": None,
        "seconds": 0.0,
        "device": "none",
        "created_at": datetime(2026, 1, 1, tzinfo=UTC),
        "method": "bottleneck",
        "shots": 0,
        "language_seed": None,
        "provenance": None,
        "data": None,
    }
    own = {
        "source": list(sources),
        "seed": list(seeds),
        "score": right.mean(axis=1),
        "cell_id": [f"{source}-{target}-{seed}" for source, seed in zip(sources, seeds, strict=True)],
    }
    columns = {**{name: [value] * count for name, value in same.items()}, **own, **lists}
    return pa.table({name: columns[name] for name in SCHEMA.names}, schema=SCHEMA)


def _table(found: Sequence[dict[str, Any]]) -> Table:
    table = Table(
        title=f"All measures, {ITEMS:,} items, {SEEDS} seeds, 2,000 resamples", title_justify="left", box=SIMPLE
    )
    table.add_column("kind")
    for name in ("languages", "cells", "seconds", "processor", "peak MiB", "slowest"):
        table.add_column(name, justify="right")
    for one in found:
        slowest = max(one["each"], key=one["each"].__getitem__)
        table.add_row(
            one["kind"],
            f"{one['languages']}",
            f"{one['cells']:,}",
            f"{one['seconds']:.1f}",
            f"{one['processor_seconds']:.1f}",
            f"{one['peak_mib']:,.0f}",
            f"{slowest} {one['each'][slowest]:.1f}",
        )
    return table


if __name__ == "__main__":
    main()
