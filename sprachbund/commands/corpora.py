"""The command that shows what a folder of corpora holds: corpora."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from matrices.languages import resolve
from sprachbund.commands.arguments import JsonOption
from workers.corpora import open_corpora
from workers.corpora.folder import TEXT, Folder
from workers.corpora.splits import without_copies
from workers.corpora.types import SPLITS, Entry

RootArgument = Annotated[Path, typer.Argument(help="A folder with a corpora.yaml or a manifest.csv.")]

_NONE = "–"


def corpora(root: RootArgument, as_json: JsonOption = False) -> None:
    """Show what a folder of corpora holds: languages, tasks, splits, items, and what stands in two splits."""
    folder = open_corpora(root)
    with Console(stderr=True).status("reading the corpora"):
        entries = folder.counted()
        copies = _copies(folder, entries)
    if as_json:
        rows = [
            {**asdict(entry), "chosen": _is_chosen(folder, entry), "copies": copies.get(entry)} for entry in entries
        ]
        print(json.dumps({"root": str(root), "entries": rows}, ensure_ascii=False))
        return
    console = Console()
    console.print(_table(folder, entries))
    for line in [*_choices(folder, entries), *_told(copies)]:
        console.print(escape(line), highlight=False)


def _copies(folder: Folder, entries: Sequence[Entry]) -> dict[Entry, int]:
    """By train split that datasets come from, the items whose text is in the dev or test split too."""
    found: dict[Entry, int] = {}
    for entry in entries:
        if entry.split == "train" and _is_chosen(folder, entry):
            train = folder.dataset(entry.task, entry.language, "train")
            found[entry] = len(train.items) - len(without_copies(folder, train).items)
    return found


def _told(copies: Mapping[Entry, int]) -> list[str]:
    """A line for each task with copies: which languages', and how many of their train items."""
    by_task: dict[str, list[str]] = defaultdict(list)
    for entry, count in copies.items():
        if count:
            by_task[entry.task].append(f"{entry.language} {count} of {entry.items}")
    return [
        f"{task}: train items whose text is in the dev or test split too, which jobs leave out of training: "
        + ", ".join(languages)
        for task, languages in sorted(by_task.items())
    ]


def _is_chosen(folder: Folder, entry: Entry) -> bool:
    """Whether a dataset or text comes from the corpus of an entry: all raw text does."""
    return entry.task == TEXT or folder.chosen(entry.task, entry.language) == entry.corpus


def _table(folder: Folder, entries: Sequence[Entry]) -> Table:
    counts: dict[str, dict[str, dict[str | None, int]]] = defaultdict(lambda: defaultdict(lambda: defaultdict(int)))
    for entry in entries:
        if _is_chosen(folder, entry):
            counts[entry.language][entry.task][entry.split] += entry.items or 0
    tasks = sorted({entry.task for entry in entries} - {TEXT})
    title = f"{len(counts)} languages: items of train/dev/test, and lines of raw text"
    table = Table(box=SIMPLE, title=title, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("language", no_wrap=True, max_width=20)
    for name in (*tasks, TEXT):
        table.add_column(escape(name), justify="right", overflow="fold")
    for language in sorted(counts):
        there = counts[language]
        cells = [_splits(there[task]) if task in there else "" for task in tasks]
        table.add_row(escape(_named(language)), *cells, str(there[TEXT][None]) if TEXT in there else "")
    return table


def _splits(items: Mapping[str | None, int]) -> str:
    return "/".join(str(items[split]) if split in items else _NONE for split in SPLITS)


def _named(language: str) -> str:
    name = resolve(language).name
    return language if name == language else f"{language} {name}"


def _choices(folder: Folder, entries: Sequence[Entry]) -> list[str]:
    """A line for each task and language with several corpora: which one its datasets come from."""
    offered: dict[tuple[str, str], set[str]] = defaultdict(set)
    for entry in entries:
        if entry.task != TEXT:
            offered[entry.task, entry.language].add(entry.corpus)
    lines = []
    for (task, language), there in sorted(offered.items()):
        if len(there) > 1:
            chosen = folder.chosen(task, language)
            lines.append(f"{task} in {language}: {chosen}, not {', '.join(sorted(there - {str(chosen)}))}")
    return lines
