"""A folder of corpora, whatever its layout: what it holds, and its items once they are asked for."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Generic, TypeVar

from workers.corpora.types import CorpusOrigin, Dataset, Entry, Item, RawText, Split
from workers.rows import CorpusError, refusal

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

TEXT = "text"
"""The task name that raw text is listed under."""

MOST_KEPT = 50_000
"""Labelled items, and lines of raw text, that a folder keeps in memory: about 100 MiB."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """One split of one labelled corpus, and how to read it.

    ``stated`` are the labels that the corpus says there may be; ``note`` is what a reader of scores must know of it.
    """

    entry: Entry
    files: tuple[str, ...]
    read: Callable[[], tuple[Item, ...]]
    stated: frozenset[str] = frozenset()
    note: str | None = None


@dataclass(frozen=True, slots=True)
class RawTextFiles:
    """Raw text of one corpus, and how to read it: line id -> sentence."""

    entry: Entry
    files: tuple[str, ...]
    read: Callable[[], Mapping[str, str]]


class Folder:
    """The corpora of one folder. Nothing is read before it is asked for; what was read lately is kept.

    Where a language has several corpora for a task, all its splits come from one: one with a train split before one
    without, then the one with most train items, then the first by name.
    """

    def __init__(self, root: Path, labelled: Sequence[Labelled], texts: Sequence[RawTextFiles]) -> None:
        self.root, self.labelled, self.texts = root, tuple(labelled), tuple(texts)
        self._items: Recent[_Key, tuple[Item, ...]] = Recent(MOST_KEPT, len)
        self._datasets: Recent[tuple[str, str, str], Dataset] = Recent(MOST_KEPT, lambda dataset: len(dataset.items))
        self._raw: Recent[str, RawText] = Recent(MOST_KEPT, lambda text: len(text.sentences))
        self._chosen: dict[tuple[str, str], str] = {}

    def entries(self) -> Sequence[Entry]:
        """Everything there is, sorted by task, language, split, corpus."""
        every = [source.entry for source in self.labelled] + [text.entry for text in self.texts]
        return sorted(every, key=lambda entry: (entry.task, entry.language, entry.split or "", entry.corpus))

    def counted(self) -> Sequence[Entry]:
        """``entries`` with every number of items filled in, read from the files where the folder does not state it."""
        known = {_key(source.entry): self._count(source) for source in self.labelled}
        known |= {_key(text.entry): len(text.read()) for text in self.texts if text.entry.items is None}
        return [replace(entry, items=known.get(_key(entry), entry.items)) for entry in self.entries()]

    def has(self, task: str, language: str, split: Split) -> bool:
        """Whether ``dataset`` would find a split."""
        return self._find(task, language, split) is not None

    def chosen(self, task: str, language: str) -> str | None:
        """The corpus that a task's datasets of a language come from; None where there is none."""
        if (task, language) not in self._chosen:
            corpora = {source.entry.corpus: 0 for source in self._of.get((task, language), ())}
            if not corpora:
                return None
            if len(corpora) > 1:
                corpora |= self._train_items(task, language)
            self._chosen[task, language] = min(corpora, key=lambda corpus: (-corpora[corpus], corpus))
        return self._chosen[task, language]

    def dataset(self, task: str, language: str, split: Split) -> Dataset:
        """The items of one split. Raises ``CorpusError`` where there is none, or where its files cannot be used."""
        return self._datasets.get((task, language, split), lambda: self._dataset(task, language, split))

    def text(self, language: str) -> RawText | None:
        """All raw text of a language, corpus by corpus, only the first of equal lines; None where there is none."""
        sources = self._texts_of.get(language)
        return self._raw.get(language, lambda: _raw_text(language, sources)) if sources else None

    def parallel_text(self) -> dict[str, dict[str, str]]:
        """Line-aligned raw text: language -> ``corpus:line`` -> sentence; equal ids are translations."""
        aligned: dict[str, dict[str, str]] = defaultdict(dict)
        for text in sorted(self.texts, key=_by_corpus):
            if (corpus := text.entry.parallel) is not None:
                lines = aligned[text.entry.language]
                for id_, sentence in text.read().items():
                    lines.setdefault(f"{corpus}:{id_}", sentence)
        return dict(sorted(aligned.items()))

    @cached_property
    def _of(self) -> dict[tuple[str, str], list[Labelled]]:
        """Labelled corpora by task and language."""
        found: dict[tuple[str, str], list[Labelled]] = defaultdict(list)
        for source in self.labelled:
            found[source.entry.task, source.entry.language].append(source)
        return dict(found)

    @cached_property
    def _texts_of(self) -> dict[str, list[RawTextFiles]]:
        """Raw text by language, sorted by corpus."""
        found: dict[str, list[RawTextFiles]] = defaultdict(list)
        for text in sorted(self.texts, key=_by_corpus):
            found[text.entry.language].append(text)
        return dict(found)

    def _dataset(self, task: str, language: str, split: Split) -> Dataset:
        source = self._find(task, language, split)
        if source is None:
            raise CorpusError(self.root, None, self._missing(task, language, split))
        entry = source.entry
        return Dataset(
            task,
            entry.kind,
            language,
            split,
            self._read(source),
            _provenance(source),
            entry.parallel,
            source.stated,
        )

    def _train_items(self, task: str, language: str) -> dict[str, int]:
        return {
            source.entry.corpus: self._count(source)
            for source in self._of.get((task, language), ())
            if source.entry.split == "train"
        }

    def _find(self, task: str, language: str, split: Split) -> Labelled | None:
        wanted = (split, self.chosen(task, language))
        there = self._of.get((task, language), ())
        return next((source for source in there if (source.entry.split, source.entry.corpus) == wanted), None)

    def _count(self, source: Labelled) -> int:
        return len(self._read(source)) if source.entry.items is None else source.entry.items

    def _read(self, source: Labelled) -> tuple[Item, ...]:
        return self._items.get(_key(source.entry), source.read)

    def _missing(self, task: str, language: str, split: Split) -> str:
        tasks = {source.entry.task for source in self.labelled}
        if task not in tasks:
            return refusal("task", task, tasks) if tasks else f"no labelled corpora, so no task {task!r}"
        splits = _splits(source.entry for source in self.labelled if source.entry.task == task)
        if language in splits:
            corpus = self.chosen(task, language)
            return f"no {split} split of {task} in {language}; {corpus} has {', '.join(splits[language])}"
        return f"no {task} in {language}; {task} {split} is there in {_languages(splits, split)}"


_Key = tuple[str, str, str | None, str]


def _key(entry: Entry) -> _Key:
    return entry.task, entry.language, entry.split, entry.corpus


def _raw_text(language: str, sources: Sequence[RawTextFiles]) -> RawText:
    sentences = dict.fromkeys(line for text in sources for line in text.read().values())
    return RawText(language, tuple(sentences), tuple(_provenance(text) for text in sources))


def _by_corpus(source: RawTextFiles) -> str:
    return source.entry.corpus


def _splits(entries: Iterable[Entry]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for entry in entries:
        found[entry.language].append(str(entry.split))
    return found


def _languages(splits: Mapping[str, Sequence[str]], split: Split) -> str:
    return ", ".join(sorted(language for language, there in splits.items() if split in there)) or "no language"


def _provenance(source: Labelled | RawTextFiles) -> CorpusOrigin:
    entry = source.entry
    note = source.note if isinstance(source, Labelled) else None
    return CorpusOrigin(entry.corpus, source.files, entry.licence, entry.non_commercial, note)


class Recent(Generic[Key, Value]):
    """Values by key, those asked for longest ago forgotten first: all data of hundreds of languages fit in no memory.

    ``most`` bounds the sum of their sizes. The value asked for last is always kept, however large.
    """

    def __init__(self, most: int, size: Callable[[Value], int]) -> None:
        self._most, self._size = most, size
        self._kept: OrderedDict[Key, Value] = OrderedDict()
        self._total = 0

    def get(self, key: Key, make: Callable[[], Value]) -> Value:
        """The value of a key, made where it is not there (any more)."""
        if key not in self._kept:
            value = self._kept[key] = make()
            self._total += self._size(value)
            while self._total > self._most and len(self._kept) > 1:
                self._total -= self._size(self._kept.popitem(last=False)[1])
        self._kept.move_to_end(key)
        return self._kept[key]
