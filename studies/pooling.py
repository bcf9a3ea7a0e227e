"""What a word's vector is made of: the mean over its pieces against the first piece alone, as published scores have it.

    python studies/pooling.py runs/multilingual-e5-small-4bit --source eng --targets eng deu rus fin tur yor zho kin

Trains parts of speech from one language with either, the same seeds, items and recipe, and prints accuracies on the
targets' test split and the mean difference over targets and seeds.

The figures in docs/ were first stated in commit f8b3411 (2026-11-30).
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from statistics import fmean

from adapters_zoo.backbone import Encoder
from adapters_zoo.precision import best_precision
from adapters_zoo.recipes import TaskAdapterRecipe
from adapters_zoo.sources import locate_encoder
from workers.corpora import open_corpora
from workers.encoding import encode_items
from workers.evaluation import Contestant, evaluate
from workers.hidden_states import CachedText
from workers.tasks.scoring import score
from workers.training import train_task_adapter

ITEMS, TESTED = 800, 80
RECIPE = TaskAdapterRecipe(epochs=3, learning_rate=3e-3, reduction=4, leave_out=2, dropout=False)


def main() -> None:
    """Train, measure and print one JSON object."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("encoder")
    arguments.add_argument("--corpora", type=Path, default=Path("../shared/data"))
    arguments.add_argument("--source", default="eng")
    arguments.add_argument("--targets", nargs="+", required=True)
    arguments.add_argument("--seeds", type=int, default=2)
    given = arguments.parse_args()
    encoder, corpora = Encoder(locate_encoder(given.encoder), precision=best_precision()), open_corpora(given.corpora)
    train = corpora.dataset("pos", given.source, "train").first(ITEMS)
    text = CachedText(encoder, [train], language=None, dropout=RECIPE.dropout)
    scores: dict[str, dict[str, float]] = {}
    for pool in ("mean", "first"):
        contestants = []
        for seed in range(given.seeds):
            recipe = RECIPE.model_copy(update={"pool": pool})
            name = f"{pool}-{seed}"
            head, _ = train_task_adapter(encoder, name, text, recipe, labels=train.labels, seed=seed)
            contestants.append(Contestant(name, head))
        scores[pool] = {}
        for target in given.targets:
            test = corpora.dataset("pos", target, "test").first(TESTED)
            outcomes = evaluate(encoder, test, encode_items(encoder, test), None, contestants)
            scores[pool][target] = fmean(score(one) or 0.0 for one in outcomes)
    differences = [scores["mean"][target] - scores["first"][target] for target in given.targets]
    print(json.dumps({"seeds": given.seeds, **scores, "mean_less_first": fmean(differences)}, indent=1))


if __name__ == "__main__":
    main()
