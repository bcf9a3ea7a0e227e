"""The ways `fill.py` compares: what each is given, how it is run and watched, and the scores it leaves."""

from __future__ import annotations

import argparse
import contextlib
import json
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from statistics import fmean
from typing import Any

import psutil
import yaml

from adapters_zoo.backbone import new_masked_language_model
from adapters_zoo.precision import best_precision
from adapters_zoo.recipes import LanguageAdapterRecipe, TaskAdapterRecipe
from matrices.cells import from_table
from matrices.store import Store
from workers.corpora.types import Corpora, Dataset
from workers.tasks.tagging import TaggedSentence

HERE = Path(__file__).parent

Scores = dict[tuple[str, str, int], float]


@dataclass(frozen=True, slots=True)
class Spent:
    """What a command and the processes below it took: seconds by the clock and of the processor, most bytes at once.

    Memory that processes share is counted once, and looked at every other second; the processor's time is twice a
    second, so that the last half second may miss.
    """

    seconds: float
    processor: float
    peak: int


@dataclass(frozen=True, slots=True)
class Size:
    """What one comparison fills; without a ``language`` recipe task adapters stand alone."""

    sources: tuple[str, ...]
    targets: tuple[str, ...]
    seeds: tuple[int, ...]
    language: LanguageAdapterRecipe | None
    task: TaskAdapterRecipe
    items: int

    @property
    def units(self) -> list[dict[str, Any]]:
        """Adapters, then cells, as the library's way does them one by one."""
        codes = dict.fromkeys((*self.sources, *self.targets)) if self.language else ()
        languages = [{"what": "language", "language": code} for code in codes]
        tasks = [{"what": "task", "source": source, "seed": seed} for source in self.sources for seed in self.seeds]
        cells = [
            {"what": "cell", "source": source, "target": target, "seed": seed}
            for target in self.targets
            for source in self.sources
            for seed in self.seeds
        ]
        return [*languages, *tasks, *cells]


@dataclass(frozen=True, slots=True)
class Filled:
    """A matrix that was filled: what it took in all, scores, and seconds by the clock of a unit of each kind.

    ``unit_seconds`` are of `language` and `task` adapters and of a `cell`, on average, what they share included.
    """

    spent: Spent
    scores: Scores
    unit_seconds: dict[str, float]

    def foreseen(self, units: Mapping[str, int]) -> float:
        """Seconds for so many units of each kind, were each to cost as much."""
        return sum(count * self.unit_seconds.get(what, 0.0) for what, count in units.items())


def one_by_one(work: Path, size: Size, every: int, folder: Path) -> Filled:
    """The library's way with a process a unit: all adapters, every so manieth cell, the others to cost as much."""
    spent: dict[str, list[Spent]] = {}
    cells = 0
    for number, unit in enumerate(size.units):
        if unit["what"] == "cell":
            cells += 1
            if (cells - 1) % every:
                continue
        spent.setdefault(unit["what"], []).append(_library(work, str(number), folder))
    unit_seconds = {what: fmean(one.seconds for one in some) for what, some in spent.items()}
    counts = Counter(unit["what"] for unit in size.units)
    total = Spent(
        seconds=sum(count * unit_seconds[what] for what, count in counts.items()),
        processor=sum(count * fmean(one.processor for one in spent[what]) for what, count in counts.items()),
        peak=max(one.peak for some in spent.values() for one in some),
    )
    return Filled(total, _library_scores(folder), unit_seconds)


def in_one_process(work: Path, folder: Path) -> Filled:
    """The library's way in one process that keeps its models."""
    spent = _library(work, "all", folder)
    seconds = json.loads((folder / "seconds.json").read_text(encoding="utf-8"))
    return Filled(spent, _library_scores(folder), {what: fmean(some) for what, some in seconds.items()})


def ours_filled(size: Size, encoder: Path, corpora: Path, folder: Path) -> Filled:
    """Runs `sprachbund fill`. Whatever no unit was busy with, the start and the waiting, is laid on the units."""
    spent = fill(size, encoder, corpora, folder)
    store = Store(folder / "store")
    cells = [cell for info in store.matrices() for cell in from_table(store.cells(info.matrix)) if cell.source]
    if failed := [cell.error for cell in cells if cell.status != "ok"]:
        raise SystemExit(f"{len(failed)} cells failed: {failed[0]}")
    busy: dict[str, list[float]] = {"language": [], "task": [], "cell": [cell.seconds for cell in cells]}
    for path in sorted(folder.rglob("manifest.json")):
        manifest = json.loads(path.read_text(encoding="utf-8"))
        busy["task" if manifest["labels"] else "language"].append(manifest["seconds"])
    if not size.language:
        del busy["language"]
    paid = spent.seconds / sum(map(sum, busy.values()))
    scores = {
        (cell.source, cell.target, cell.seed): cell.score for cell in cells if cell.source and cell.score is not None
    }
    return Filled(spent, scores, {what: paid * fmean(some) for what, some in busy.items()})


def fill(size: Size, encoder: Path, corpora: Path, folder: Path) -> Spent:
    """Runs `sprachbund fill` on an empty store and zoo."""
    folder.mkdir(parents=True)
    job = {
        "store": "store",
        "encoder": {"name": str(encoder.resolve())},
        "corpora": str(corpora.resolve()),
        "tasks": ["pos"],
        "sources": list(size.sources),
        "targets": list(size.targets),
        "seeds": list(size.seeds),
        "language_adapter": size.language.model_dump() if size.language else "none",
        "task_adapter": size.task.model_dump(),
        "evaluation": {"max_items": size.items},
    }
    (folder / "job.yaml").write_text(yaml.safe_dump(job), encoding="utf-8")
    command = [str(Path(sys.executable).parent / "sprachbund"), "fill", str(folder / "job.yaml"), "--json"]
    return run(command)


def run(command: list[str]) -> Spent:
    """Runs a command to its end. Raises ``SystemExit`` where it fails."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    peaks, processor = [0], dict[int, float]()
    watcher = threading.Thread(target=_watch, args=(process, peaks, processor))
    watcher.start()
    _, errors = process.communicate()
    seconds = time.perf_counter() - start
    watcher.join()
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{errors}")
    return Spent(seconds, sum(processor.values()), max(peaks))


def _watch(process: subprocess.Popen[str], peaks: list[int], processor: dict[int, float]) -> None:
    for look in count():
        if process.poll() is not None:
            return
        total = 0
        with contextlib.suppress(psutil.Error):  # One of them has just ended.
            for one in (parent := psutil.Process(process.pid), *parent.children(recursive=True)):
                times = one.cpu_times()
                processor[one.pid] = times.user + times.system
                # To add up what a process shares takes milliseconds, in which its memory cannot grow.
                total += one.memory_full_info().pss if look % 4 == 0 else 0
        peaks.append(total)
        time.sleep(0.5)


def described(size: Size, encoder: Path, corpora: Corpora) -> dict[str, Any]:
    """What the library's way needs, read before its clock starts."""
    train = {code: _cut(corpora.dataset("pos", code, "train"), size.task.max_items) for code in size.sources}
    test = {code: _cut(corpora.dataset("pos", code, "test"), size.items) for code in size.targets}
    texts = {code: corpora.text(code) for code in dict.fromkeys((*size.sources, *size.targets))}
    return {
        "encoder": str(encoder.resolve()),
        "precision": best_precision(),
        "language_adapter": size.language.model_dump() if size.language else None,
        "task_adapter": size.task.model_dump(),
        "labels": sorted({label for dataset in (*train.values(), *test.values()) for label in dataset.labels}),
        "texts": {code: list(text.sentences) for code, text in texts.items() if text is not None},
        "train": {code: _tagged(dataset) for code, dataset in train.items()},
        "test": {code: _tagged(dataset) for code, dataset in test.items()},
        "units": size.units,
    }


def _library(work: Path, unit: str, folder: Path) -> Spent:
    """Runs the library's way in a process: the unit of that number of ``described`` work, or ``all``."""
    return run([sys.executable, str(HERE / "library.py"), str(work), unit, str(folder)])


def _library_scores(folder: Path) -> Scores:
    found: Scores = {}
    for path in (folder / "scores").glob("*.json"):
        source, target, seed = path.stem.split("-")
        found[source, target, int(seed)] = json.loads(path.read_text(encoding="utf-8"))
    return found


def random_encoder(options: argparse.Namespace, folder: Path) -> Path:
    """An untrained encoder of LAYERSxHIDDEN with the tokenizer of ``--encoder``."""
    layers, hidden = map(int, options.random.split("x"))
    tokenizer = options.encoder / "tokenizer.json"
    words = len(json.loads(tokenizer.read_text(encoding="utf-8"))["model"]["vocab"])
    words = max(words, json.loads((options.encoder / "config.json").read_text(encoding="utf-8"))["vocab_size"])
    model = new_masked_language_model(
        vocabulary=words, layers=layers, hidden=hidden, heads=hidden // 64, max_length=256
    )
    model.save_pretrained(folder)
    for path in options.encoder.glob("*token*.json"):
        shutil.copy(path, folder)
    return folder


def _cut(dataset: Dataset, limit: int | None) -> Dataset:
    return replace(dataset, items=dataset.items[:limit])


def _tagged(dataset: Dataset) -> list[dict[str, list[str]]]:
    return [
        {"tokens": list(item.tokens), "tags": list(item.tags)}
        for item in dataset.items
        if isinstance(item, TaggedSentence)
    ]
