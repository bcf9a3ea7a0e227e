"""The few plain types every corpus reader yields, and what a folder of corpora answers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal, Protocol

from matrices.items import Items
from workers.rows import CorpusError
from workers.tasks import Task, task_of
from workers.tasks.base import Item

__all__ = ["SPLITS", "Corpora", "CorpusError", "CorpusOrigin", "Dataset", "Entry", "Item", "RawText", "Split"]

Split = Literal["train", "dev", "test"]
SPLITS: tuple[Split, ...] = ("train", "dev", "test")


@dataclass(frozen=True, slots=True)
class CorpusOrigin:
    """Where items come from: the corpus by name, its files, and its licence as far as the folder states it.

    ``note`` says what was done to it that a reader of scores must know: how it was split, what was left out.
    """

    corpus: str
    files: tuple[str, ...]
    licence: str | None
    non_commercial: bool | None
    note: str | None = None

    def __str__(self) -> str:
        return self.corpus if self.note is None else f"{self.corpus}: {self.note}"


@dataclass(frozen=True)
class Dataset:
    """Labelled items of one task, language and split, in corpus order. ``kind`` is the name of the task's kind."""

    task: str
    kind: str
    language: str
    split: Split
    items: tuple[Item, ...]
    provenance: CorpusOrigin
    parallel: str | None = None
    """Name of the parallel corpus whose item ids these are: equal ids in two languages are translations."""
    stated: frozenset[str] = frozenset()
    """The labels that the corpus says there may be; empty where it does not say."""

    @property
    def rules(self) -> Task[Any]:
        """How items of its kind are encoded, learnt, answered and scored."""
        return task_of(self.kind)

    def first(self, most: int | None) -> Dataset:
        """The data set of the first ``most`` items, itself where that is None or they are all."""
        return self if most is None or most >= len(self.items) else replace(self, items=self.items[:most])

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) of task, kind and items: what a model sees, wherever the files lie; so no passages."""
        head = json.dumps([self.task, self.kind])
        return _digest([head, *(json.dumps(item.fields(), ensure_ascii=False) for item in self.items)])

    @cached_property
    def named(self) -> Items:
        """What is kept of the items beside their outcomes. Among passages, an item of none is one of its own."""
        passages = tuple(item.passage or item.id for item in self.items)
        stated = any(item.passage is not None for item in self.items)
        return Items(tuple(item.id for item in self.items), self.parallel, passages if stated else None)

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """The labels that a head learns from the items."""
        return self.rules.labels(self.items)


@dataclass(frozen=True)
class RawText:
    """Unlabelled sentences of one language, in corpus order."""

    language: str
    sentences: tuple[str, ...]
    provenance: tuple[CorpusOrigin, ...]

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) of the sentences."""
        return _digest(self.sentences)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a folder's contents: what is there, without its items read.

    ``kind`` is that of its task, or ``text`` for raw text, whose ``split`` is None.
    """

    task: str
    kind: str
    language: str
    split: Split | None
    corpus: str
    items: int | None
    parallel: str | None
    licence: str | None
    non_commercial: bool | None


class Corpora(Protocol):
    """A folder (or hub data set) of corpora. Every method raises ``CorpusError`` on data that cannot be used."""

    def entries(self) -> Sequence[Entry]:
        """Everything there is, sorted by task, language, split, corpus."""
        ...

    def dataset(self, task: str, language: str, split: Split) -> Dataset:
        """The items of one split; from the task's chosen corpus of that language where there are several."""
        ...

    def has(self, task: str, language: str, split: Split) -> bool:
        """Whether ``dataset`` would find a split, without its items read."""
        ...

    def text(self, language: str) -> RawText | None:
        """All raw text of a language, duplicates removed; None where there is none."""
        ...

    def parallel_text(self) -> dict[str, dict[str, str]]:
        """Line-aligned raw text: language -> line id -> sentence; equal ids are translations."""
        ...


def _digest(parts: Sequence[str]) -> str:
    total = hashlib.sha256()
    for part in parts:
        data = part.encode()
        total.update(len(data).to_bytes(8, "big") + data)
    return total.hexdigest()
