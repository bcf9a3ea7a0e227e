"""How many bytes outcomes of items take in a box: matrices of the size a box is to hold, with simulated outcomes.

    python studies/box_size.py

An item's chance of being right has its ease, the source, how the two take to each other and the run; tagged sentences
have as many words as sentences have (a gamma-Poisson mixture of mean 18), names 1.2 spans a sentence.

The figures in docs/ were first stated in commit 136402e (2026-11-30).
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa

from matrices.cells import SCHEMA
from matrices.export import write_parquet

MATRICES = {"pos": (50, 100, 3, 150), "topic": (30, 120, 3, 204), "ner": (20, 21, 3, 200)}
"""Sources, targets, seeds, items."""


def outcomes(task: str, sources: int, targets: int, seeds: int, items: int) -> pa.Table:
    """The columns ``correct`` and ``total`` of a matrix, in the order of a box: target, source, seed."""
    random = np.random.default_rng(0)
    correct, total = [], []
    for _ in range(targets):
        words = np.maximum(1, random.poisson(random.gamma(2, 9, items))) if task == "pos" else np.ones(items, int)
        gold = random.poisson(1.2, items)
        ease = random.normal(0.5, 0.6) + random.normal(0, 0.5 if task == "pos" else 1.2, items)
        for _ in range(sources):
            taken = random.normal(0, 0.5) + random.normal(0, 0.5, items)
            for _ in range(seeds):
                chance = 1 / (1 + np.exp(-ease - taken - random.normal(0, 0.1) - random.normal(0, 0.3, items)))
                if task == "ner":
                    right = random.binomial(gold, chance)
                    correct.append(2 * right)
                    total.append(gold + right + random.poisson(0.6, items))
                else:
                    correct.append(random.binomial(words, chance))
                    total.append(words)
    starts = pa.array(np.arange(len(correct) + 1, dtype=np.int32) * items)
    columns = {"correct": correct, "total": total}
    return pa.table(
        {
            name: pa.ListArray.from_arrays(
                starts, pa.array(np.concatenate(lists)).cast(SCHEMA.field(name).type.value_type)
            )
            for name, lists in columns.items()
        }
    )


def main() -> None:
    """Prints a line a matrix."""
    whole = 0
    for task, size in MATRICES.items():
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "outcomes.parquet"
            table = outcomes(task, *size)
            write_parquet(table, path)
            taken = path.stat().st_size
        whole += taken
        count = int(np.prod(size))
        print(f"{task}, {' x '.join(map(str, size))}: {taken / 1e6:.2f} MB, {8 * taken / count:.1f} bits an outcome")
    print(f"together {whole / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
