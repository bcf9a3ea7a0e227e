"""What leaving task adapters out of an encoder's lowest layers costs in quality, and what it saves.

    .venv/bin/python studies/leave_out.py [--encoder FOLDER] [--corpora FOLDER] [--seeds 3] [--json]

Part-of-speech accuracy of task adapters alone (reduction 16, 5 epochs over 400 sentences) on 200 test sentences, in the
language they learnt from and in three others; seconds are processor time of this process, for training and for
measuring one column each, with what the adapters leave out computed once. The interval is of the mean loss against
`leave_out: 0` over (source, target, seed), paired, by the bootstrap over sources and seeds.

The figures in docs/ were first stated in commit 2671d4f (2026-11-21).
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from adapters_zoo.backbone import Encoder
from adapters_zoo.precision import best_precision
from adapters_zoo.recipes import TaskAdapterRecipe
from adapters_zoo.sources import locate_encoder
from workers.corpora import open_corpora
from workers.corpora.types import Corpora, Dataset
from workers.encoding import encode_items
from workers.evaluation import Contestant, evaluate
from workers.hidden_states import CachedText
from workers.tasks.scoring import score
from workers.training import train_task_adapter

LANGUAGES = ("eng", "deu", "fin", "ind")
RECIPE = TaskAdapterRecipe(epochs=5, learning_rate=2e-3, max_items=400)
ITEMS = 200


def main() -> None:
    """Measure every choice that leaves a layer, and print it."""
    options = _options()
    torch.set_num_threads(1)
    encoder = Encoder(locate_encoder(str(options.encoder)), precision=best_precision())
    corpora = open_corpora(options.corpora)
    rows = []
    whole: np.ndarray | None = None
    for leave_out in range(encoder.layers):
        scores, training, measuring = measure(encoder, corpora, leave_out, options.seeds)
        whole = scores if whole is None else whole
        same = np.eye(len(LANGUAGES), dtype=bool)
        low, high = interval(scores - whole)
        rows.append(
            {
                "leave_out": leave_out,
                "in_language": round(float(scores[same].mean()), 3),
                "across": round(float(scores[~same].mean()), 3),
                "change": round(float((scores - whole).mean()), 3),
                "interval": [round(low, 3), round(high, 3)],
                "training_seconds": round(training, 1),
                "measuring_seconds": round(measuring, 1),
            }
        )
    if options.json:
        print(json.dumps({"encoder": str(options.encoder), "seeds": options.seeds, "rows": rows}))
        return
    table = Table(title=f"{options.encoder}: {encoder.layers} layers, {options.seeds} seeds")
    for name in rows[0]:
        table.add_column(name.replace("_", " "), justify="right")
    for row in rows:
        table.add_row(*map(str, row.values()))
    Console().print(table)


def measure(encoder: Encoder, corpora: Corpora, leave_out: int, seeds: int) -> tuple[np.ndarray, float, float]:
    """Accuracy [source, target, seed], and the seconds of training and of measuring."""
    recipe = RECIPE.model_copy(update={"leave_out": leave_out})
    scores = np.empty((len(LANGUAGES), len(LANGUAGES), seeds))
    tests = [_first(corpora.dataset("pos", code, "test"), ITEMS) for code in LANGUAGES]
    encoded = [encode_items(encoder, test) for test in tests]
    training = measuring = 0.0
    for row, source in enumerate(LANGUAGES):
        train = corpora.dataset("pos", source, "train")
        start = time.process_time()
        text = CachedText(encoder, [train.first(recipe.max_items)], language=None)
        heads = {
            f"seed{seed}": train_task_adapter(encoder, f"seed{seed}", text, recipe, labels=train.labels, seed=seed)[0]
            for seed in range(seeds)
        }
        training += time.process_time() - start
        contestants = [Contestant(name, head) for name, head in heads.items()]
        start = time.process_time()
        for column, (test, items) in enumerate(zip(tests, encoded, strict=True)):
            scores[row, column] = [score(one) for one in evaluate(encoder, test, items, None, contestants)]
        measuring += time.process_time() - start
        encoder.remove(*heads)
    return scores, training, measuring


def interval(change: np.ndarray) -> tuple[float, float]:
    """95% bootstrap interval of the mean of ``change`` [source, target, seed], over sources and seeds."""
    rng = np.random.default_rng(0)
    sources, _, seeds = change.shape
    means = [
        change[rng.integers(sources, size=sources)][:, :, rng.integers(seeds, size=seeds)].mean() for _ in range(2000)
    ]
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def _first(dataset: Dataset, items: int) -> Dataset:
    return Dataset(
        dataset.task, dataset.kind, dataset.language, dataset.split, dataset.items[:items], dataset.provenance
    )


def _options() -> argparse.Namespace:
    shared = Path(os.environ.get("SPRACHBUND_SHARED", "../shared"))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--encoder", type=Path, default=shared / "encoder")
    parser.add_argument("--corpora", type=Path, default=shared / "data")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
