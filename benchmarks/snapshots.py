"""What keeping ten snapshots of a run costs: training with and without, by turns, as a ratio.

    python benchmarks/snapshots.py ENCODER CORPORA --task pos --language eng [--method bottleneck] [--items 300]

Each turn trains the same adapter into a zoo in a new folder, the files of every snapshot synced to disk as in a job.
Wall seconds say all of it; where other work competes for the processor, those of the processor say more.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

from adapters_zoo.backbone import Encoder
from adapters_zoo.heads import Head
from adapters_zoo.precision import best_precision
from adapters_zoo.recipes import LowRankRecipe, TaskAdapterRecipe, TaskRecipe, TunedRecipe
from adapters_zoo.sources import check_encoder
from adapters_zoo.zoo import Trained, Zoo
from workers.corpora import open_corpora
from workers.hidden_states import CachedText
from workers.training import Stops, TrainingResult, train_task_adapter

RECIPES: dict[str, TaskRecipe] = {
    "bottleneck": TaskAdapterRecipe(epochs=4, reduction=4, leave_out=6, dropout=False),
    "lora": LowRankRecipe(epochs=4, leave_out=6, dropout=False),
    "full": TunedRecipe(epochs=4, leave_out=6, dropout=False),
}
SNAPSHOTS = 10


def seconds(
    encoder: Encoder, text: CachedText, labels: tuple[str, ...], recipe: TaskRecipe, snapshots: int
) -> tuple[float, float]:
    """Wall and processor seconds of one run with so many snapshots, its end among them, until the last file is kept."""
    with tempfile.TemporaryDirectory() as folder:
        zoo, made_from = Zoo(Path(folder) / "zoo"), {"encoder": encoder.files.digest}

        def keep(part: int, head: Head) -> None:
            zoo.save(encoder, "run", Trained(f"{part:032}", head.labels, 0.0, 0.0), made_from, head)

        def stops(head: Head) -> Stops:
            def keep_part(part: int, _: TrainingResult) -> None:
                keep(part, head)

            return Stops(max(1, snapshots), range(1, snapshots), keep_part)

        start, used = time.monotonic(), time.process_time()
        head, _ = train_task_adapter(encoder, "run", text, recipe, labels=labels, seed=0, stops=stops)
        keep(0, head)
        spent = time.monotonic() - start, time.process_time() - used
        encoder.remove("run")
    return spent


def main() -> None:
    """Print the median ratio of all turns."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("encoder", type=Path)
    parser.add_argument("corpora", type=Path)
    parser.add_argument("--task", default="pos")
    parser.add_argument("--language", default="eng")
    parser.add_argument("--method", choices=[*RECIPES], default="bottleneck")
    parser.add_argument("--items", type=int, default=300)
    parser.add_argument("--turns", type=int, default=4)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    encoder = Encoder(check_encoder(given.encoder), precision=best_precision())
    dataset = open_corpora(given.corpora).dataset(given.task, given.language, "train").first(given.items)
    text = CachedText(encoder, [dataset], language=None, dropout=False)
    recipe = RECIPES[given.method]
    seconds(encoder, text, dataset.labels, recipe, 0)  # What is computed once for all runs.
    turns = []
    for turn in range(given.turns):
        order = (SNAPSHOTS, 0) if turn % 2 else (0, SNAPSHOTS)
        turns.append({count: seconds(encoder, text, dataset.labels, recipe, count) for count in order})
    ratios = {
        what: statistics.median(one[SNAPSHOTS][at] / one[0][at] for one in turns)
        for at, what in enumerate(("wall", "processor"))
    }
    found = {"method": given.method, "turns": given.turns, "ratios": ratios}
    said = ", ".join(f"{ratio:.3f} of {what} seconds" for what, ratio in ratios.items())
    print(json.dumps(found) if given.json else f"{given.method}, median of {given.turns} turns: {said}")


if __name__ == "__main__":
    main()
