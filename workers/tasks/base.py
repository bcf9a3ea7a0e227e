"""What a kind of task is: how its items are read, encoded, learnt, answered and scored.

A head gives every *unit* of an encoded item a score a label. What a unit is, is the task's own affair: a word, a text,
a pair of texts, one of several alternatives, a place in a passage. Defaults are those of a task that gives each unit
one of its labels; a task says more only where it differs.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar

from workers.rows import Row, Said
from workers.sequences import Batch, Pieces, TokenSequence
from workers.tasks.scoring import Outcome

if TYPE_CHECKING:  # Whoever reads corpora need not wait for what computes.
    from torch import Tensor


ColumnRoles = Mapping[str, str | tuple[str, ...] | None]
"""By role, the name of a column, or of several; None for a role that is not filled unless a corpus says so."""


class Item(Protocol):
    """A labelled item. ``passage`` is the document it comes from, where the corpus says so."""

    @property
    def id(self) -> str: ...

    @property
    def passage(self) -> str | None: ...

    def fields(self) -> list[object]:
        """All that a model sees or is scored by, as JSON: what a digest covers, so no passage."""
        ...

    def content(self) -> str:
        """All its text, for a language adapter to learn from where there is no other."""
        ...


ItemT = TypeVar("ItemT", bound=Item)
Outputs = Sequence[tuple[TokenSequence, Any]]
"""The sequences of one item, each with what ``read`` made of the scores of its units."""


class Task(ABC, Generic[ItemT]):
    """A kind of task. An instance is registered under ``name``, which is part of the digest of its data sets."""

    name: ClassVar[str]
    metric: ClassVar[str]
    columns: ClassVar[ColumnRoles]
    """The roles of an item's columns, with their usual names."""
    together: ClassVar[bool] = False
    """Whether all sequences of an item must be in one batch of training."""

    @abstractmethod
    def item(self, row: Row, said: Said) -> ItemT | None:
        """An item of a row; None for one that ``repair`` leaves out.

        Raises ``CorpusError`` with file, line and value for what it cannot be.
        """

    @abstractmethod
    def gold(self, item: ItemT) -> Sequence[str]:
        """The right labels of an item's units."""

    def labels(self, items: Iterable[ItemT]) -> tuple[str, ...]:
        """The labels that a head learns from these items, sorted."""
        return tuple(sorted({label for item in items for label in self.gold(item)}))

    def counts(self, items: Iterable[ItemT]) -> Counter[str]:
        """How often each label occurs that must mean the same in every language; empty where there are none."""
        return Counter(label for item in items for label in self.gold(item))

    def universal(self) -> frozenset[str]:
        """Labels that any language may have or lack."""
        return frozenset()

    @abstractmethod
    def encode(self, pieces: Pieces, number: int, item: ItemT) -> Iterable[TokenSequence]:
        """The token sequences of an item, which is the ``number``-th of its data set."""

    def loss(self, scores: Tensor, batch: Batch, labels: Sequence[str]) -> Tensor:
        """The loss of a batch, from ``scores`` [units, labels] in the order of ``batch.units``."""
        from adapters_zoo.heads import label_loss

        place = {label: at for at, label in enumerate(labels)}
        return label_loss(scores, [place[label] for sequence in batch.sequences for label in sequence.gold])

    def read(self, scores: Tensor) -> Any:
        """What is kept of the scores [units, labels] until an item is answered: a sequence of something a unit."""
        chosen: list[int] = scores.argmax(1).tolist()
        return chosen

    def answer(self, item: ItemT, outputs: Outputs, labels: Sequence[str]) -> Any:
        """The answer to an item: here a label a unit, None for a unit beyond the encoder's reach."""
        answers: list[str | None] = [None] * len(self.gold(item))
        for sequence, chosen in outputs:
            for unit, label in zip(sequence.units, chosen, strict=True):
                answers[unit] = labels[label]
        return answers

    def outcome(self, item: ItemT, answer: Any, language: str) -> Outcome:
        """What an answer to an item in a language scores: here right units and all units."""
        gold = self.gold(item)
        return sum(a == b for a, b in zip(gold, answer, strict=True)), len(gold)

    def constant(self, items: Sequence[ItemT], language: str) -> list[Outcome]:
        """Outcomes of one answer to all items, the items' own most frequent label: no constant label scores higher."""
        most = most_frequent(label for item in items for label in self.gold(item))
        return [self.outcome(item, [most] * len(self.gold(item)), language) for item in items]


def most_frequent(labels: Iterable[str]) -> str:
    """The label that occurs most often, the first by name of several."""
    counts = Counter(labels)
    return min(counts, key=lambda label: (-counts[label], label))


def identity(row: Row, columns: Mapping[str, Any]) -> str:
    """The id of a row's item: of its id column, or its position where there is none."""
    column = columns.get("id")
    return str(row.position) if column is None else row.text(column, "id")


def passage(row: Row, columns: Mapping[str, Any]) -> str | None:
    """The document that a row is of, as a column says, or the format."""
    column = columns.get("passage")
    return row.passage if column is None else row.text(column, "passage")
