"""Checks across languages, before anything is trained: enough items, and labels that mean the same everywhere."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from matrices.items import Items
from matrices.nearest import nearest_hint
from workers.corpora.types import CorpusError, Dataset, Split
from workers.tasks import task_of

_COMMON = 0.05
"""Share of all labels from which on one is missed where no item that is read has it."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is kept of a dataset once its items are let go: a job of hundreds of languages does not fit in memory.

    ``limit`` is how many of the items a job reads, the first, None for all; ``characters`` are those of these.
    ``named`` are the items by id. ``labels`` counts how often each label occurs, as its kind of task counts them;
    ``stated`` are those that the corpus says there may be; ``unread`` are common ones that no item within the limit
    has. ``copies`` are items of the dev and test splits that were left out.
    """

    task: str
    kind: str
    language: str
    split: Split
    items: int
    limit: int | None
    characters: int
    labels: Counter[str]
    stated: frozenset[str]
    unread: tuple[str, ...]
    digest: str
    files: tuple[str, ...]
    named: Items
    copies: int = 0


def facts_of(dataset: Dataset, limit: int | None = None, *, copies: int = 0) -> Facts:
    """The facts of a dataset of which the first ``limit`` items are read, or all; ``copies`` were left out of it."""
    labels = dataset.rules.counts(dataset.items)
    return Facts(
        task=dataset.task,
        kind=dataset.kind,
        language=dataset.language,
        split=dataset.split,
        items=len(dataset.items),
        limit=limit,
        characters=sum(len(item.content()) for item in dataset.items[:limit]),
        labels=labels,
        stated=dataset.stated,
        unread=_unread(labels, dataset.rules.counts(dataset.items[:limit])),
        digest=dataset.digest,
        files=dataset.provenance.files,
        named=dataset.named,
        copies=copies,
    )


def _unread(labels: Counter[str], read: Counter[str]) -> tuple[str, ...]:
    least = _COMMON * labels.total()
    return tuple(sorted(label for label, count in labels.items() if count >= least and label not in read))


def check(datasets: Sequence[Facts], minimum_items: int) -> None:
    """Raise ``CorpusError`` for data of which no fair matrix can be made; all the datasets of one job at once.

    - A split without items, or with fewer than ``minimum_items``.
    - A label (or span type) outside the label set. The set is that of the language with the most different labels in
      its train split (ties: most items, then the code), and what its corpus states; without any train split, in
      whatever splits there are. A language may so lack a rare label, but ``sport`` beside ``sports`` is refused.
    - Where labels are universal (parts of speech), one that is neither among those nor in any train split.
    """
    for dataset in datasets:
        _check_size(dataset, minimum_items)
    by_task: dict[str, list[Facts]] = defaultdict(list)
    for dataset in datasets:
        by_task[dataset.task].append(dataset)
    for same_task in by_task.values():
        _check_labels(same_task)


def _check_size(dataset: Facts, minimum: int) -> None:
    found = dataset.items
    if found == 0 or found < minimum:
        what = f"{found} items in the {dataset.split} split of {dataset.task} in {dataset.language}"
        fix = f"the minimum is {max(minimum, 1)}; add items, leave the language out, or lower the minimum (`min_items`)"
        raise CorpusError(_file(dataset), None, f"{what}; {fix}")


def _check_labels(datasets: Sequence[Facts]) -> None:
    allowed, origin = _label_set(datasets)
    for dataset in datasets:
        for label, count in sorted(dataset.labels.items()):
            if label not in allowed:
                raise CorpusError(_file(dataset), None, _stray(dataset, label, count, datasets, allowed, origin))


def _label_set(datasets: Sequence[Facts]) -> tuple[Collection[str], str]:
    """The labels there may be, and whose they are, in words."""
    train = [dataset for dataset in datasets if dataset.split == "train"] or datasets
    if universal := task_of(datasets[0].kind).universal():
        return universal.union(*(dataset.labels for dataset in train)), "any language"
    fullest = min(train, key=lambda dataset: (-len(dataset.labels), -dataset.items, dataset.language))
    return fullest.stated.union(fullest.labels), fullest.language


def _stray(
    dataset: Facts, label: str, count: int, datasets: Sequence[Facts], allowed: Collection[str], origin: str
) -> str:
    having = sorted({other.language for other in datasets if label in other.labels})
    return (
        f"label {label!r} ({count} in the {dataset.split} split of {dataset.task}) occurs in {', '.join(having)} only; "
        f"the labels of {origin} are {', '.join(sorted(allowed))}{nearest_hint(label, allowed)}; rename it, or leave "
        "the language out"
    )


def _file(dataset: Facts) -> str:
    return ", ".join(dataset.files)
