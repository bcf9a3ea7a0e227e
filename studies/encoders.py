"""Two encoders side by side: a task adapter alone, in its own language and across, and topics by parallel text.

    .venv/bin/python studies/encoders.py runs/sprachbund-mini ../shared/encoder --corpora ../shared/data

Part-of-speech accuracy after training on 400 sentences (reduction 4, 6 epochs), on 200 test sentences; topic accuracy
after training on 400 texts, on all 204; mean over the seeds. The last column is the ratio of the first encoder to the
second. No language adapter is involved, so the figures speak of the encoder.

The figures in docs/ were first stated in commit 51dcf79 (2026-11-20).
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from statistics import fmean

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

PAIRS: dict[str, dict[str, tuple[str, ...]]] = {
    "pos": {
        "eng": ("eng", "deu", "ces", "hsb", "zho", "tur", "wol"),
        "ind": ("ind", "tur", "hsb"),
        "wol": ("wol", "bam"),
    },
    "topic": {"eng": ("eng", "deu", "rus", "hin", "zho", "swa", "wol")},
}
RECIPE = TaskAdapterRecipe(epochs=6, reduction=4, max_items=400, learning_rate=2e-3)


def measure(folder: str, corpora: Corpora, seeds: int) -> dict[tuple[str, str, str], float]:
    """Mean score by (task, source, target)."""
    encoder = Encoder(locate_encoder(folder), precision=best_precision())
    scores: dict[tuple[str, str, str], list[float]] = {}
    for task, sources in PAIRS.items():
        for source, targets in sources.items():
            train = corpora.dataset(task, source, "train")
            text = CachedText(encoder, [train.first(RECIPE.max_items)], language=None)
            for seed in range(seeds):
                head, _ = train_task_adapter(encoder, "task", text, RECIPE, labels=train.labels, seed=seed)
                for target in targets:
                    test = _test(corpora, task, target)
                    encoded = encode_items(encoder, test)
                    (outcomes,) = evaluate(encoder, test, encoded, None, [Contestant("task", head)])
                    scores.setdefault((task, source, target), []).append(score(outcomes) or 0.0)
                encoder.remove("task")
    return {key: fmean(values) for key, values in scores.items()}


def _test(corpora: Corpora, task: str, target: str) -> Dataset:
    dataset = corpora.dataset(task, target, "test")
    return replace(dataset, items=dataset.items[:200])


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("encoders", nargs=2)
    arguments.add_argument("--corpora", type=Path, default=Path("../shared/data"))
    arguments.add_argument("--seeds", type=int, default=2)
    arguments.add_argument("--json", action="store_true")
    given = arguments.parse_args()
    corpora = open_corpora(given.corpora)
    first, second = (measure(folder, corpora, given.seeds) for folder in given.encoders)
    if given.json:
        rows = [{"task": k[0], "source": k[1], "target": k[2], "first": first[k], "second": second[k]} for k in first]
        print(json.dumps({"encoders": given.encoders, "seeds": given.seeds, "rows": rows}))
        return
    table = Table(title=f"{given.encoders[0]} beside {given.encoders[1]}, {given.seeds} seeds")
    for name in ("task", "source", "target", "constant", "first", "second", "ratio"):
        table.add_column(name, justify="left" if name in ("task", "source", "target") else "right")
    for key in first:
        test = _test(corpora, key[0], key[2])
        constant = score(test.rules.constant(test.items, test.language)) or 0.0
        cells = [f"{value:.3f}" for value in (constant, first[key], second[key])]
        table.add_row(*key, *cells, f"{first[key] / second[key]:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
