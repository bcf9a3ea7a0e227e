"""A folder with a ``manifest.csv``: a row a file, with task, language, split, item count, licence and digest."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from matrices.languages import UnknownLanguageError, resolve
from workers.corpora.folder import TEXT, Folder, Labelled, RawTextFiles
from workers.corpora.formats import FORMATS, Options, columns_of, read_items
from workers.corpora.opening import read_lines, read_text
from workers.corpora.splits import part_of, said_of
from workers.corpora.types import SPLITS, Entry, Item, Split
from workers.rows import CorpusError, Said
from workers.tasks import task_of
from workers.tasks.tagging import UNIVERSAL_TAGS

MANIFEST = "manifest.csv"
_NEEDED = ("path", "language", "task", "split", "items", "licence", "non_commercial", "sha256")

Row = Mapping[str, str]
_AS_THEY_ARE: Mapping[str, Split] = {split: split for split in SPLITS}
_DEV_AS_TRAIN: Mapping[str, Split] = {"dev": "train", "test": "test"}


@dataclass(frozen=True, slots=True)
class _ManifestTask:
    """What the manifest's word for a task means here.

    ``splits`` are ours by the manifest's; ``shares`` cut a file into splits of ours. ``said`` is of its labels and
    columns. ``corpus`` says which parts of a file's path name its corpus.
    """

    name: str
    kind: str
    format: str
    said: Said = field(default_factory=Said)
    columns: Mapping[str, Any] = field(default_factory=dict)
    options: Options = field(default_factory=Options)
    corpus: tuple[int, ...] = (0,)
    parallel: str | None = None
    not_parallel: frozenset[str] = frozenset()
    """Names (as ``corpus`` says them) of corpora whose items are in another order, or others."""
    splits: Mapping[str, Split] = field(default_factory=lambda: _AS_THEY_ARE)
    shares: Mapping[Split, float] | None = None
    named: Callable[[Item, str], Item | None] | None = None
    """Makes the id of an item, of the manifest's split, one that is the same in every language; None leaves it out."""
    note: str | None = None


def _with_split(item: Any, split: str) -> Item:
    named: Item = replace(item, id=f"{split}-{item.id}")
    return named


_AMERICAS_NLI = {"dev": ("d", 12451), "test": ("t", 25051)}
"""AmericasNLI's ids are lines of XNLI's files; these are the first of its Spanish, which it was translated from."""
_AMERICAS_NLI_TEST = 753


def _as_xnli(item: Any, split: str) -> Item:
    letter, first = _AMERICAS_NLI[split]
    return _with_premise(item, f"{letter}{int(item.id) - first}")


def _without_translations(item: Any, split: str) -> Item | None:
    """An item of XNLI, unless it is trained on and one of AmericasNLI's test items is its translation."""
    leave_out = split == "train" and item.id[0] == "t" and int(item.id[1:]) < _AMERICAS_NLI_TEST
    return None if leave_out else _with_premise(item, item.id)


def _with_premise(item: Any, id_: str) -> Item:
    """Each premise of XNLI has three hypotheses, one behind the other."""
    moved: Item = replace(item, id=id_, passage=f"{id_[0]}{int(id_[1:]) // 3}")
    return moved


_TOPICS = ("entertainment", "geography", "health", "politics", "science/technology", "sports", "travel")
_INFERENCES = ("contradiction", "entailment", "neutral")
_INTENTS = (
    *("AddToPlaylist", "BookRestaurant", "PlayMusic", "RateBook", "SearchCreativeWork", "SearchScreeningEvent"),
    *("alarm/cancel_alarm", "alarm/modify_alarm", "alarm/set_alarm", "alarm/show_alarms", "alarm/snooze_alarm"),
    *("alarm/time_left_on_alarm", "reminder/cancel_reminder", "reminder/set_reminder", "reminder/show_reminders"),
    "weather/find",
)
_SLOTS = (
    *("album", "artist", "best_rating", "condition_description", "condition_temperature", "cuisine", "datetime"),
    *("entity_name", "facility", "genre", "location", "movie_name", "movie_type", "music_item", "object_location_type"),
    *("object_name", "object_part_of_series_type", "object_select", "object_type", "party_size_description"),
    *("party_size_number", "playlist", "rating_unit", "rating_value", "recurring_datetime", "reference"),
    *("reference-part", "reminder/todo", "restaurant_name", "restaurant_type", "served_dish", "service", "sort"),
    *("track", "weather/attribute"),
)
_XSID: Mapping[str, Any] = {
    "format": "conll",
    "options": Options(token=1, tag=3, repair=True),
    "corpus": (0, 1),
    "parallel": "xsid",
    "not_parallel": frozenset({"xsid ar", "xsid de-ba", "xsid de-muc", "xsid ja"}),
    "splits": _DEV_AS_TRAIN,
    "named": _with_split,
    "note": "trained on its valid split, as it has no train split",
}
_TASKS: Mapping[str, Sequence[_ManifestTask]] = {
    "ud-pos-dep": [_ManifestTask("pos", "tagging", "conllu", corpus=(2,))],
    "ud-pos-dep-pud": [_ManifestTask("pud", "tagging", "conllu", corpus=(2,), parallel="pud")],
    "pos": [_ManifestTask("pos", "tagging", "conll", Said(allowed=UNIVERSAL_TAGS))],
    # A few dozen of four million tags of MasakhaNER continue a span that was never begun.
    "ner": [
        _ManifestTask(
            "ner",
            "spans",
            "conll",
            Said(labels=("DATE", "LOC", "ORG", "PER"), repair=True),
            options=Options(repair=True),
        )
    ],
    "topic-classification": [
        _ManifestTask(
            "topic",
            "classification",
            "tsv",
            Said(labels=_TOPICS),
            {"id": "index_id", "label": "category"},
            Options(quoted=True),
            parallel="sib200",
        )
    ],
    "nli": [
        _ManifestTask("nli", "pairs", "tsv", Said(labels=_INFERENCES), options=Options(quoted=False), parallel="xnli")
    ],
    "qa-extractive": [
        _ManifestTask("qa", "qa", "squad", parallel="xquad", shares={"train": 0.7, "dev": 0.1, "test": 0.2})
    ],
    "causal-commonsense-choice": [
        _ManifestTask(
            "choice",
            "choice",
            "jsonl",
            columns={"id": "idx"},
            parallel="xcopa",
            splits=_DEV_AS_TRAIN,
            named=_with_split,
            note="trained on its validation split, as translations have no train split",
        )
    ],
    "slot-intent": [
        _ManifestTask("intents", "classification", said=Said(labels=_INTENTS), columns={"label": "intent"}, **_XSID),
        _ManifestTask("slots", "spans", said=Said(labels=_SLOTS, repair=True), **_XSID),
    ],
}
_OF_CORPUS: Mapping[str, Mapping[str, Any]] = {
    "xnli": {
        "named": _without_translations,
        "note": "trained without the 753 items whose translations AmericasNLI tests",
    },
    "americasnli": {
        "named": _as_xnli,
        "said": Said(labels=_INFERENCES, repair=True),
        "splits": _DEV_AS_TRAIN,
        "note": "trained on its dev split, as it has no train split; pairs with an empty side are left out",
    },
}
"""What is said of one corpus of a task only, by the first part of its path."""
_TEXTS = {"raw-text": None, "raw-text-parallel": "ntrex"}


def read_manifest(root: Path) -> Folder:
    """The corpora that a manifest lists; no other file is read. Raises ``CorpusError``.

    Parts of speech of treebanks and of MasakhaPOS are the task ``pos``. The parallel treebanks (PUD) are the task
    ``pud``, so that their sentences, translations of one another, stand alone; they have a test split only, and the
    other splits of the task are those of the language's largest treebank. Named entities are ``ner``, topics ``topic``,
    XNLI and AmericasNLI ``nli``, XQuAD ``qa``, XCOPA ``choice``, and xSID ``intents`` and ``slots``. What stands in for
    a train split that is missing is said in their notes. Files of other tasks are left out.
    """
    labelled: list[Labelled] = []
    texts: list[RawTextFiles] = []
    for line, row in _rows(root / MANIFEST):
        if row["task"] in _TEXTS:
            texts.append(_text(root, line, row))
        for usual in _TASKS.get(row["task"], ()):
            task = replace(usual, **_OF_CORPUS.get(Path(row["path"]).parts[0], {}))
            if row["split"] in task.splits:
                labelled += _labelled(root, line, row, task)
    return Folder(root, tuple(_with_training(labelled)), tuple(texts))


def _with_training(labelled: Sequence[Labelled]) -> Iterator[Labelled]:
    """The same, and for every parallel treebank the training splits of its language's largest other treebank."""
    largest: dict[str, Entry] = {}
    for entry in (source.entry for source in labelled if source.entry.task == "pos" and source.entry.split == "train"):
        largest[entry.language] = max(largest.get(entry.language, entry), entry, key=lambda one: one.items or 0)
    for source in labelled:
        entry = source.entry
        trained_on = largest.get(entry.language)
        if entry.task != "pud" or trained_on is None:
            yield source
            continue
        # All splits come from one corpus, by its name.
        corpus = f"{entry.corpus} after {trained_on.corpus}"
        yield replace(source, entry=replace(entry, corpus=corpus))
        for other in labelled:
            of = other.entry
            if (of.task, of.language, of.corpus) == ("pos", entry.language, trained_on.corpus) and of.split != "test":
                yield replace(other, entry=replace(of, task="pud", corpus=corpus))


def _rows(manifest: Path) -> list[tuple[int, Row]]:
    reader = csv.DictReader(read_lines(manifest), restval="")
    missing = [name for name in _NEEDED if name not in (reader.fieldnames or ())]
    if missing:
        raise CorpusError(manifest, 1, f"the header lacks {', '.join(missing)}")
    return [(reader.line_num, row) for row in reader]


def _labelled(root: Path, line: int, row: Row, task: _ManifestTask) -> Iterator[Labelled]:
    said = replace(task.said, columns=columns_of(task_of(task.kind), FORMATS[task.format].columns, task.columns))
    read = partial(
        read_items,
        root / row["path"],
        FORMATS[task.format],
        task_of(task.kind),
        said,
        task.options,
        sha256=row["sha256"],
    )
    items = _items(root, line, row)
    corpus = " ".join(Path(row["path"]).parts[part] for part in task.corpus)
    whole = Labelled(
        Entry(
            task=task.name,
            kind=task.kind,
            language=_language(root, line, row),
            split=task.splits[row["split"]],
            corpus=corpus,
            # What is left out, or goes to another split, is known once the file is read.
            items=items if task.named is None and task.shares is None else None,
            parallel=None if corpus in task.not_parallel else task.parallel,
            licence=row["licence"] or None,
            non_commercial=row["non_commercial"] == "yes",
        ),
        (row["path"],),
        read if task.named is None else partial(_renamed, read, task.named, row["split"]),
        frozenset(task.said.names or ()),
        task.note,
    )
    if task.shares is None:
        yield whole
        return
    for split in task.shares:
        yield replace(
            whole,
            entry=replace(whole.entry, split=split),
            read=partial(part_of, whole.read, task.shares, split),
            note=said_of(task.shares),
        )


def _renamed(
    read: Callable[[], Sequence[Item]], named: Callable[[Item, str], Item | None], split: str
) -> tuple[Item, ...]:
    return tuple(item for item in (named(item, split) for item in read()) if item is not None)


def _text(root: Path, line: int, row: Row) -> RawTextFiles:
    entry = Entry(
        task=TEXT,
        kind="text",
        language=_language(root, line, row),
        split=None,
        corpus=Path(row["path"]).name.partition(".txt")[0],
        items=_items(root, line, row),
        parallel=_TEXTS[row["task"]],
        licence=row["licence"] or None,
        non_commercial=row["non_commercial"] == "yes",
    )
    return RawTextFiles(entry, (row["path"],), partial(read_text, root / row["path"], row["sha256"]))


def _language(root: Path, line: int, row: Row) -> str:
    try:
        return resolve(row["language"]).code
    except UnknownLanguageError as error:
        raise CorpusError(root / MANIFEST, line, str(error)) from error


def _items(root: Path, line: int, row: Row) -> int:
    if not row["items"].isdecimal():
        raise CorpusError(root / MANIFEST, line, f"items {row['items']!r} is not a number")
    return int(row["items"])
