"""How long may threads of a worker turn in circles before they sleep: alone, and beside two busy processes?

    python studies/waiting_threads.py runs/multilingual-e5-small-4bit ../shared/data

Prints the median seconds of five short trainings of a task adapter in bf16 with two threads, by ``GOMP_SPINCOUNT``
(libgomp's own is 300,000), and each as a ratio to libgomp's own. Run on 1 December 2026 at d9e15da.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

COUNTS = (300_000, 10_000, 3_000)
ROUNDS, ITEMS = 5, 160
_BUSY = "while True: pass"


def seconds(encoder: Path, corpora: Path) -> float:
    """The median of some trainings, in this process."""
    import torch

    from adapters_zoo.backbone import Encoder
    from adapters_zoo.recipes import TaskAdapterRecipe
    from adapters_zoo.sources import check_encoder
    from workers.corpora import open_corpora
    from workers.hidden_states import CachedText
    from workers.training import train_task_adapter

    torch.set_num_threads(2)
    model = Encoder(check_encoder(encoder), precision="bf16")
    whole = open_corpora(corpora).dataset("pos", "vie", "train")
    text = CachedText(model, [replace(whole, items=whole.items[:ITEMS])], language=None)
    recipe, spent = TaskAdapterRecipe(epochs=1, batch=16, reduction=4, leave_out=2), []
    for at in range(1 + ROUNDS):
        begun = time.monotonic()
        train_task_adapter(model, f"round {at}", text, recipe, labels=whole.labels, seed=0)
        spent.append(time.monotonic() - begun)
    return statistics.median(spent[1:])  # The first warms up.


@contextmanager
def beside(count: int) -> Iterator[None]:
    """So many processes that are busy meanwhile."""
    busy = [subprocess.Popen([sys.executable, "-c", _BUSY]) for _ in range(count)]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


def main() -> None:
    """Print a line a count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("encoder", type=Path)
    parser.add_argument("corpora", type=Path)
    parser.add_argument("--once", action="store_true", help="in this process, with what the environment says")
    given = parser.parse_args()
    if given.once:
        print(seconds(given.encoder, given.corpora))
        return
    command = [sys.executable, __file__, str(given.encoder), str(given.corpora), "--once"]
    for what, count in (("alone", 0), ("beside two busy processes", 2)):
        with beside(count):
            first: float | None = None
            for spins in COUNTS:
                environment = {**os.environ, "OMP_NUM_THREADS": "2", "GOMP_SPINCOUNT": str(spins)}
                done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
                found = float(done.stdout)
                first = first or found
                print(f"{what}, {spins:7,} turns: {found:.2f} s, ratio {found / first:.2f}", flush=True)


if __name__ == "__main__":
    main()
