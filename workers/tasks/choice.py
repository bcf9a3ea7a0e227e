"""Choice: which of several alternatives goes with a premise, scored by accuracy. Causes and effects (COPA, XCOPA)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from workers.rows import Row, Said
from workers.sequences import Batch, Pieces, TokenSequence
from workers.tasks.base import ColumnRoles, Outputs, Task, identity, most_frequent, passage
from workers.tasks.scoring import Outcome

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True)
class Choice:
    """A premise, a question about it (``cause`` or ``effect`` in COPA), alternatives, and which of them is right."""

    id: str
    premise: str
    question: str
    alternatives: tuple[str, ...]
    right: int
    passage: str | None = None

    def fields(self) -> list[object]:
        """All that is asked, and which alternative is right."""
        return [self.id, self.premise, self.question, self.alternatives, self.right]

    def content(self) -> str:
        """The premise and the alternatives, a line each."""
        return "\n".join((self.premise, *self.alternatives))


class Choosing(Task[Choice]):
    """Which alternative is right. Each is a unit, read as a pair with the premise; the best score is the answer."""

    name: ClassVar[str] = "choice"
    metric: ClassVar[str] = "accuracy"
    columns: ClassVar[ColumnRoles] = {
        "id": "id",
        "premise": "premise",
        "question": "question",
        "alternatives": ("choice1", "choice2"),
        "label": "label",
        "passage": None,
    }
    together: ClassVar[bool] = True

    def item(self, row: Row, said: Said) -> Choice:
        """A premise with two alternatives or more, none blank; the label counts them from 0.

        ``alternatives`` names their columns, or one column with a list of them.
        """
        columns = said.columns
        premise = row.text(str(columns["premise"]), "premise")
        alternatives = _alternatives(row, columns["alternatives"])
        if len(alternatives) < 2:
            raise row.error(f"{len(alternatives)} alternative(s); a choice has two or more")
        question = "" if columns["question"] is None else row.text(str(columns["question"]), "question")
        right = str(row.value(str(columns["label"]))).strip()
        if not right.isdecimal() or int(right) >= len(alternatives):
            raise row.error(f"label {right!r} is none of the alternatives, 0 to {len(alternatives) - 1}")
        return Choice(identity(row, columns), premise, question, alternatives, int(right), passage(row, columns))

    def gold(self, item: Choice) -> Sequence[str]:
        """The place of the right alternative."""
        return (str(item.right),)

    def labels(self, items: Iterable[Choice]) -> tuple[str, ...]:
        """One score an alternative: how well it fits."""
        return ("fits",)

    def counts(self, items: Iterable[Choice]) -> Counter[str]:
        """Places of right alternatives mean nothing across languages."""
        return Counter()

    def encode(self, pieces: Pieces, number: int, item: Choice) -> Iterator[TokenSequence]:
        """A sequence an alternative, in the order of time: of a cause the alternative comes before the premise."""
        for at, alternative in enumerate(item.alternatives):
            first, second = item.premise, alternative
            if item.question == "cause":
                first, second = second, first
            yield pieces.pair(number, first, second, unit=at, gold=(at == item.right,))

    def loss(self, scores: Tensor, batch: Batch, labels: Sequence[str]) -> Tensor:
        """Cross-entropy over the alternatives of each item."""
        from adapters_zoo.heads import group_loss

        sizes = [*Counter(sequence.item for sequence in batch.sequences).values()]
        right = [sequence.gold[0] for sequence in batch.sequences]
        starts = [sum(sizes[:at]) for at in range(len(sizes))]
        places = [right.index(True, start) - start for start in starts]
        return group_loss(scores[:, 0], sizes, places)

    def read(self, scores: Tensor) -> Any:
        """The score of each alternative."""
        fits: list[float] = scores[:, 0].tolist()
        return fits

    def answer(self, item: Choice, outputs: Outputs, labels: Sequence[str]) -> Any:
        """The alternative with the best score, the first of several."""
        score = {sequence.units[0]: scores[0] for sequence, scores in outputs}
        return max(sorted(score), key=lambda at: score[at])

    def outcome(self, item: Choice, answer: Any, language: str) -> Outcome:
        """1 where the right alternative was chosen."""
        return int(answer == item.right), 1

    def constant(self, items: Sequence[Choice], language: str) -> list[Outcome]:
        """Outcomes of always choosing the place that is right most often."""
        most = int(most_frequent(str(item.right) for item in items))
        return [self.outcome(item, most, language) for item in items]


def _alternatives(row: Row, columns: Any) -> tuple[str, ...]:
    names = [columns] if isinstance(columns, str) else [*columns]
    if len(names) == 1 and not isinstance(values := row.value(names[0]), str):
        blank = next((at for at, value in enumerate(values) if not str(value or "").strip()), None)
        if blank is not None:
            raise row.error(f"alternative {blank} is empty; fill it in or remove it")
        return tuple(map(str, values))
    return tuple(row.text(name) for name in names)


TASK = Choosing()
