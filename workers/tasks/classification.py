"""Classification: one label a text, scored by accuracy. Topics, sentiment, intents."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from workers.rows import Row, Said, refusal
from workers.sequences import Pieces, TokenSequence
from workers.tasks.base import ColumnRoles, Task, identity, passage


@dataclass(frozen=True, slots=True)
class LabelledText:
    """A text with one label (its topic, say)."""

    id: str
    text: str
    label: str
    passage: str | None = None

    def fields(self) -> list[object]:
        """Id, text and label."""
        return [self.id, self.text, self.label]

    def content(self) -> str:
        """The text."""
        return self.text


class Classification(Task[LabelledText]):
    """One label a text."""

    name: ClassVar[str] = "classification"
    metric: ClassVar[str] = "accuracy"
    columns: ClassVar[ColumnRoles] = {"id": "id", "text": "text", "label": "label", "passage": None}

    def item(self, row: Row, said: Said) -> LabelledText:
        """A text that is not blank, with a label that there may be."""
        columns = said.columns
        id_, text = identity(row, columns), row.text(str(columns["text"]), "text")
        return LabelledText(id_, text, label_of(row, said), passage(row, columns))

    def gold(self, item: LabelledText) -> Sequence[str]:
        """The label of the one unit."""
        return (item.label,)

    def encode(self, pieces: Pieces, number: int, item: LabelledText) -> Iterator[TokenSequence]:
        """One unit, of all pieces of the text's first window: what is beyond the encoder's reach is not read."""
        ids = pieces.text(item.text).ids
        yield pieces.single(number, ids[: pieces.room], item.label, cut=len(ids) > pieces.room)


def label_of(row: Row, said: Said) -> str:
    """The label in a row, one of those that there may be."""
    label = said.label(row, row.value(str(said.columns["label"])))
    if said.names is not None and label not in said.names:
        raise row.error(refusal("label", label, said.names))
    return label


TASK = Classification()
