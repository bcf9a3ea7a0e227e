"""Spans of tokens with a type, tagged in IOB2 and scored by micro F1 over spans: names, slots."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from workers.rows import Row, Said, refusal
from workers.tasks.base import identity, passage
from workers.tasks.scoring import Outcome
from workers.tasks.tagging import TaggedSentence, Tagging, sentence

OUTSIDE = "O"
_TAG = re.compile(r"([BIES])-(\S+)")
_AS_IOB2 = {"B": "B", "I": "I", "E": "I", "S": "B"}


class Spans(Tagging):
    """A sentence's spans of tokens: ``B-X`` begins a span of type X, ``I-X`` goes on with it, ``O`` is outside."""

    name: ClassVar[str] = "spans"
    metric: ClassVar[str] = "f1"

    def item(self, row: Row, said: Said) -> TaggedSentence:
        """A sentence in IOB2. BIOES (``S-X`` alone, ``E-X`` the last) is read as the spans it means.

        ``repair`` makes a ``B-X`` of an ``I-X`` that follows neither ``B-X`` nor ``I-X``, as conlleval reads it: so
        IOB1 is read, which begins a span with ``B-X`` only behind another of its type.
        """
        tokens, tags = sentence(row, said, "tag")
        return TaggedSentence(
            identity(row, said.columns), tokens, tuple(_iob2(row, tags, said)), passage(row, said.columns)
        )

    def counts(self, items: Iterable[TaggedSentence]) -> Counter[str]:
        """How often each type of span begins."""
        return Counter(tag[2:] for item in items for tag in item.tags if tag.startswith("B-"))

    def universal(self) -> frozenset[str]:
        """No type of span is everybody's."""
        return frozenset()

    def outcome(self, item: TaggedSentence, answer: Any, language: str) -> Outcome:
        """2 x right spans, and predicted + true spans, so that the ratio of sums is micro F1.

        Spans are read as seqeval does in its default mode, which is conlleval's: an ``I-X`` out of place begins one.
        """
        from seqeval.metrics.sequence_labeling import get_entities  # It takes a second to import.

        true = set(get_entities(list(item.tags)))
        found = set(get_entities([label or OUTSIDE for label in answer]))
        return 2 * len(true & found), len(true) + len(found)

    def constant(self, items: Sequence[TaggedSentence], language: str) -> list[Outcome]:
        """Outcomes of ``O`` for every token, the most frequent tag wherever spans are sparse: it finds nothing.

        Calling every token a span of one word would find some where spans are short; it is no answer anyone gives.
        """
        return [self.outcome(item, [OUTSIDE] * len(item.tags), language) for item in items]


def _iob2(row: Row, tags: Sequence[str], said: Said) -> Iterable[str]:
    types = None if said.names is None else {*map(_type_of, said.names)} - {OUTSIDE}
    open_type: str | None = None
    for at, tag in enumerate(tags):
        position, type_ = _parted(row, tag, at, types)
        if position == "I" and type_ != open_type:
            if not said.repair:
                raise row.error(
                    f"tag {tag!r} follows neither 'B-{type_}' nor 'I-{type_}'; a span begins with 'B-{type_}': mend "
                    "the file, or say `repair: true`, which begins it there (so files in IOB1 are read)",
                    at,
                )
            position = "B"
        # The last and the only token of a span in BIOES end it: an I-X behind them belongs to no span.
        open_type = None if tag[0] in "ES" and type_ else type_
        yield OUTSIDE if type_ is None else f"{position}-{type_}"


def _parted(row: Row, tag: str, at: int, types: Iterable[str] | None) -> tuple[str, str | None]:
    if tag == OUTSIDE:
        return OUTSIDE, None
    match = _TAG.fullmatch(tag)
    if match is None:
        hint = "; where it is a number, `labels: [O, B-TYPE, ...]` says which tag it means" if tag.isdecimal() else ""
        raise row.error(f"tag {tag!r} is not IOB2 ('O', 'B-TYPE', 'I-TYPE') nor BIOES ('E-TYPE', 'S-TYPE'){hint}", at)
    if types is not None and match[2] not in types:
        raise row.error(refusal("span type", match[2], [*types]), at)
    return _AS_IOB2[match[1]], match[2]


def _type_of(name: str) -> str:
    """The span type that a name among ``labels`` stands for: a type, or a tag."""
    match = _TAG.fullmatch(name)
    return name if match is None else match[2]


TASK = Spans()
