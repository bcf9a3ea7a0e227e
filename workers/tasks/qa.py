"""Extractive question answering: the span of a passage that answers a question, scored by SQuAD's token F1.

Read over windows of the passage that overlap, each behind the question; of all windows the best span is the answer.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from workers.rows import Row, Said
from workers.sequences import Batch, Pieces, TokenSequence
from workers.tasks.base import ColumnRoles, Outputs, Task, identity, passage
from workers.tasks.scoring import Outcome

if TYPE_CHECKING:
    from torch import Tensor


_ARTICLES = {
    "eng": "a an the",
    "deu": "ein eine einen einem eines einer der die das den dem des",
    "spa": "un una unos unas el la los las",
    "vie": "của là cái chiếc những",
}
"""Articles (in Vietnamese classifiers and particles) as MLQA lists them."""
_ARABIC_ARTICLE = "ال"
_BY_CHARACTER = {"zho", "yue", "jpn", "tha"}
_SPACELESS = re.compile("[\u4e00-\u9fff\u3040-\u30ff\u0e00-\u0e7f]")
"""Han characters, kana and Thai: each a token of its own in ``_BY_CHARACTER`` languages, among words in others'."""


def normalised(text: str, language: str) -> list[str]:
    """The tokens of an answer that count, in a language (ISO 639-3)."""
    text = "".join(char for char in text.lower() if not _is_punctuation(char))
    if language == "ara":
        text = text.replace(_ARABIC_ARTICLE, " ")
    elif language in _ARTICLES:
        text = re.sub(rf"\b(?:{'|'.join(_ARTICLES[language].split())})\b", " ", text)
    if language in _BY_CHARACTER:
        text = _SPACELESS.sub(lambda match: f" {match[0]} ", text)
    return text.split()


def exact_match(answer: str, right: Sequence[str], language: str) -> bool:
    """Whether an answer is one of the right ones but for what normalisation takes away. No right one: "" is right."""
    tokens = normalised(answer, language)
    return any(tokens == normalised(one, language) for one in right or ("",))


def token_f1(answer: str, right: Sequence[str], language: str) -> float:
    """The harmonic mean of precision and recall of an answer's tokens, of the right answer it agrees with most.

    Where one of the two has no tokens, 1 if neither has, else 0. No right one: "" is right.
    """
    return max(_f1(normalised(answer, language), normalised(one, language)) for one in right or ("",))


def _f1(found: Sequence[str], right: Sequence[str]) -> float:
    if not found or not right:
        return float(found == right)
    common = sum((Counter(found) & Counter(right)).values())
    return 2 * common / (len(found) + len(right))


def _is_punctuation(char: str) -> bool:
    return char in string.punctuation or unicodedata.category(char).startswith("P")


_OVERLAP = 128
"""Pieces that two windows of a passage share, so that an answer at the border of one is whole in the other."""
_LONGEST_ANSWER = 30
"""Pieces of an answer at most, as in BERT's reading of SQuAD (Devlin et al. 2019)."""
_LONGEST_QUESTION = 64


@dataclass(frozen=True, slots=True)
class AnswerSpan:
    """A right answer, and the character of the passage that it begins at."""

    text: str
    start: int


@dataclass(frozen=True, slots=True)
class PassageQuestion:
    """A question about a context, and its right answers; the first is learnt from.

    ``unanswerable`` says whether it has none; None where the corpus has no such questions, so that it must be answered.
    """

    id: str
    question: str
    context: str
    answers: tuple[AnswerSpan, ...]
    unanswerable: bool | None = None
    passage: str | None = None

    def fields(self) -> list[object]:
        """Question, context and answers with their places."""
        answers = [[answer.text, answer.start] for answer in self.answers]
        return [self.id, self.question, self.context, answers, self.unanswerable]

    def content(self) -> str:
        """Context and question, a line each."""
        return f"{self.context}\n{self.question}"


class QuestionAnswering(Task[PassageQuestion]):
    """Which span of a passage answers a question.

    Every piece of the passage is a unit, scored as the answer's first and as its last. Unit 0 is the first token of
    the sequence: what a window without the answer is taught, and what stands for no answer where there may be none.
    """

    name: ClassVar[str] = "qa"
    metric: ClassVar[str] = "squad_f1"
    columns: ClassVar[ColumnRoles] = {
        "id": "id",
        "question": "question",
        "context": "context",
        "answers": "answers",
        "passage": None,
    }

    def item(self, row: Row, said: Said) -> PassageQuestion:
        """A question whose answers stand in its context where they say; they are as SQuAD or as the hub has them."""
        columns = said.columns
        question, context = (row.text(str(columns[role]), role) for role in ("question", "context"))
        answers = tuple(_answers(row, row.value(str(columns["answers"]))))
        for answer in answers:
            stands = context[answer.start : answer.start + len(answer.text)] if answer.start >= 0 else ""
            if stands != answer.text or not answer.text.strip():
                raise row.error(
                    f"answer {answer.text!r} is not in its passage at {answer.start}, where {stands!r} stands; offsets "
                    "count characters (not bytes) from 0"
                )
        if not answers and not said.unanswerable:
            raise row.error("a question without an answer; where there are such, say so (unanswerable: true)")
        unanswerable = not answers if said.unanswerable else None
        return PassageQuestion(identity(row, columns), question, context, answers, unanswerable, passage(row, columns))

    def gold(self, item: PassageQuestion) -> Sequence[str]:
        """The right answers."""
        return tuple(answer.text for answer in item.answers)

    def labels(self, items: Iterable[PassageQuestion]) -> tuple[str, ...]:
        """What a piece may be of an answer."""
        return ("start", "end")

    def counts(self, items: Iterable[PassageQuestion]) -> Counter[str]:
        """Answers are text, not labels."""
        return Counter()

    def encode(self, pieces: Pieces, number: int, item: PassageQuestion) -> Iterator[TokenSequence]:
        """The question before each window of the passage; ``gold`` is the answer's first and last unit in a window."""
        asked, read = pieces.text(item.question), pieces.text(item.context)
        question = asked.ids[: min(_LONGEST_QUESTION, pieces.pair_room // 2)]
        room = pieces.pair_room - len(question)
        step = room - min(_OVERLAP, room // 2)
        whole = _pieces_of(item, read.offsets)
        for start in range(0, max(1, len(read.ids) - room + step), step):
            window = read.ids[start : start + room]
            inside = whole is not None and start <= whole[0] and whole[1] < start + len(window)
            gold = (whole[0] - start + 1, whole[1] - start + 1) if whole is not None and inside else (0, 0)
            yield pieces.joined(
                number,
                question,
                window,
                second_units=range(start + 1, start + 1 + len(window)),
                begin=0,
                gold=gold,
                places=((0, 0), *read.offsets[start : start + room]),
                cut=len(question) < len(asked.ids),
            )

    def loss(self, scores: Tensor, batch: Batch, labels: Sequence[str]) -> Tensor:
        """Cross-entropy over the units of each window, for the first and for the last piece of the answer."""
        from adapters_zoo.heads import group_loss

        sizes = [len(sequence.units) for sequence in batch.sequences]
        first, last = ([sequence.gold[side] for sequence in batch.sequences] for side in (0, 1))
        return (group_loss(scores[:, 0], sizes, first) + group_loss(scores[:, 1], sizes, last)) / 2

    def read(self, scores: Tensor) -> Any:
        """Both scores of each unit, [units, 2]."""
        return scores.cpu().numpy()

    def answer(self, item: PassageQuestion, outputs: Outputs, labels: Sequence[str]) -> Any:
        """The text of the answer; "" for none.

        The best span of all windows, by the sum of its first and last piece's scores. There may be no answer where the
        corpus has such questions: then there is none if in the window surest of that it scores more than any span.
        """
        best, place, nothing = -np.inf, (0, 0), np.inf
        for sequence, scores in outputs:
            nothing = min(nothing, float(scores[0].sum()))
            spans: np.ndarray = scores[1:, :1] + scores[1:, 1]
            spans = np.where(_allowed(len(spans)), spans, -np.inf)
            first, last = divmod(int(spans.argmax()), len(spans))
            if spans[first, last] > best:
                best = float(spans[first, last])
                place = sequence.places[1 + first][0], sequence.places[1 + last][1]
        if item.unanswerable is not None and nothing > best:
            return ""
        return item.context[slice(*place)].strip()

    def outcome(self, item: PassageQuestion, answer: Any, language: str) -> Outcome:
        """The F1 of the tokens of an answer and of the right answer it is nearest to."""
        return token_f1(answer, self.gold(item), language), 1

    def constant(self, items: Sequence[PassageQuestion], language: str) -> list[Outcome]:
        """Outcomes of the whole passage as the answer, or of none where most questions have none."""
        none = sum(bool(item.unanswerable) for item in items) > len(items) / 2
        return [self.outcome(item, "" if none else item.context, language) for item in items]


def _answers(row: Row, value: Any) -> Iterator[AnswerSpan]:
    """Answers of a list of objects (SQuAD), or of an object of lists (as data sets of the hub have it)."""
    if isinstance(value, Mapping) and {"text", "answer_start"} <= {*value}:
        value = [
            {"text": text, "answer_start": start}
            for text, start in zip(value["text"], value["answer_start"], strict=True)
        ]
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise row.error(f"answers {value!r}: give a list of objects with `text` and `answer_start`")
    for one in value:
        if not isinstance(one, Mapping) or not isinstance(one.get("text"), str) or _integer(one) is None:
            raise row.error(f"answer {one!r}: give an object with `text` and `answer_start`, its first character")
        yield AnswerSpan(one["text"], int(one["answer_start"]))


def _integer(answer: Mapping[str, Any]) -> int | None:
    start = answer.get("answer_start")
    return start if isinstance(start, int) and not isinstance(start, bool) else None


def _pieces_of(item: PassageQuestion, offsets: Sequence[tuple[int, int]]) -> tuple[int, int] | None:
    """The first and last piece of the passage that have a character of the first answer; None without one."""
    if not item.answers:
        return None
    start, end = item.answers[0].start, item.answers[0].start + len(item.answers[0].text)
    inside = [at for at, (first, last) in enumerate(offsets) if first < end and last > start]
    return (inside[0], inside[-1]) if inside else None


def _allowed(pieces: int) -> np.ndarray:
    """Which pairs of a first and a last piece are an answer: in order, and not too long."""
    length = np.arange(pieces)[None, :] - np.arange(pieces)[:, None]
    return (length >= 0) & (length < _LONGEST_ANSWER)


class ExactAnswering(QuestionAnswering):
    """The same, scored by exact match: 1 for an answer that is a right one, but for what normalisation takes away."""

    name: ClassVar[str] = "qa_exact"
    metric: ClassVar[str] = "exact_match"

    def outcome(self, item: PassageQuestion, answer: Any, language: str) -> Outcome:
        """1 where an answer is one of the right ones."""
        return int(exact_match(answer, self.gold(item), language)), 1


TASK = QuestionAnswering()
EXACT = ExactAnswering()
