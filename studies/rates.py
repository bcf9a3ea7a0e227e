"""Which rate and how many epochs suit a task: one source's adapter on its dev split, before a job is begun.

    python studies/rates.py runs/multilingual-e5-small-4bit topic --source eng --rates 1e-3 3e-3 --epochs 5 10

Trains the source's adapter at every rate for every number of epochs and prints its score on the source's own dev split,
or, of a corpus without one, on the last items of its train split, which are then not trained on. Nothing of a test
split is read, so a recipe that is chosen by it has seen no test item.

The figures in docs/ were first stated on 2026-12-01.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path

from adapters_zoo.backbone import Encoder
from adapters_zoo.precision import best_precision
from adapters_zoo.recipes import TaskAdapterRecipe
from adapters_zoo.sources import locate_encoder
from workers.corpora import open_corpora
from workers.encoding import encode_items
from workers.evaluation import Contestant, evaluate
from workers.hidden_states import CachedText
from workers.rows import CorpusError
from workers.tasks.scoring import score
from workers.training import train_task_adapter


def main() -> None:
    """Train with every recipe, and print a line for each."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("encoder")
    arguments.add_argument("task")
    arguments.add_argument("--corpora", type=Path, default=Path("../shared/data"))
    arguments.add_argument("--source", default="eng")
    arguments.add_argument("--rates", type=float, nargs="+", default=[1e-3, 3e-3])
    arguments.add_argument("--epochs", type=int, nargs="+", default=[5])
    arguments.add_argument("--items", type=int, help="of the train split; all by default")
    arguments.add_argument("--tested", type=int, default=100, help="of the dev split")
    arguments.add_argument("--reduction", type=float, default=4)
    arguments.add_argument("--leave-out", type=int, default=6)
    given = arguments.parse_args()
    encoder, corpora = Encoder(locate_encoder(given.encoder), precision=best_precision()), open_corpora(given.corpora)
    train = corpora.dataset(given.task, given.source, "train")
    if given.items:
        train = train.first(given.items)
    try:
        dev = corpora.dataset(given.task, given.source, "dev").first(given.tested)
    except CorpusError:
        dev = replace(train, items=train.items[-given.tested :])
        train = train.first(len(train.items) - given.tested)
    text, tested = CachedText(encoder, [train], language=None, dropout=False), encode_items(encoder, dev)
    for epochs in given.epochs:
        for rate in given.rates:
            recipe = TaskAdapterRecipe(
                epochs=epochs,
                learning_rate=rate,
                reduction=given.reduction,
                leave_out=given.leave_out,
                dropout=False,
            )
            began, name = time.perf_counter(), f"{rate:g}-{epochs}".replace(".", "-")
            head, _ = train_task_adapter(encoder, name, text, recipe, labels=train.labels, seed=0)
            (outcome,) = evaluate(encoder, dev, tested, None, [Contestant(name, head)])
            took = time.perf_counter() - began
            print(
                f"{given.task} {given.source}: {len(train.items)} items, {epochs} epochs at {rate:g}: "
                f"{score(outcome):.3f} on {len(dev.items)} dev items ({took:.0f} s)",
                flush=True,
            )


if __name__ == "__main__":
    main()
