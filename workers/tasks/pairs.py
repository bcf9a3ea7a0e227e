"""Pairs: one label for two texts read together, scored by accuracy. Natural language inference, paraphrase."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from workers.rows import Row, Said
from workers.sequences import Pieces, TokenSequence
from workers.tasks.base import ColumnRoles, Task, identity, passage
from workers.tasks.classification import label_of


@dataclass(frozen=True, slots=True)
class LabelledPair:
    """Two texts (a premise and a hypothesis, say) with one label."""

    id: str
    first: str
    second: str
    label: str
    passage: str | None = None

    def fields(self) -> list[object]:
        """Id, both texts and the label."""
        return [self.id, self.first, self.second, self.label]

    def content(self) -> str:
        """Both texts, a line each."""
        return f"{self.first}\n{self.second}"


class TextPairs(Task[LabelledPair]):
    """One label a pair of texts."""

    name: ClassVar[str] = "pairs"
    metric: ClassVar[str] = "accuracy"
    columns: ClassVar[ColumnRoles] = {
        "id": "id",
        "first": "premise",
        "second": "hypothesis",
        "label": "label",
        "passage": None,
    }

    def item(self, row: Row, said: Said) -> LabelledPair | None:
        """Two texts, neither of them blank, and a label that there may be.

        ``repair`` leaves out a pair of which a side is blank: a translation that was not made.
        """
        columns = said.columns
        if said.repair and not all(str(row.value(str(columns[side])) or "").strip() for side in ("first", "second")):
            return None
        first, second = (row.text(str(columns[side]), str(columns[side])) for side in ("first", "second"))
        return LabelledPair(identity(row, columns), first, second, label_of(row, said), passage(row, columns))

    def gold(self, item: LabelledPair) -> Sequence[str]:
        """The label of the one unit."""
        return (item.label,)

    def encode(self, pieces: Pieces, number: int, item: LabelledPair) -> Iterator[TokenSequence]:
        """One unit, of all pieces of both texts, joined as the encoder's tokenizer joins them.

        Where they are too long together, the longer one loses its end until they fit.
        """
        yield pieces.pair(number, item.first, item.second, unit=0, gold=(item.label,))


TASK = TextPairs()
