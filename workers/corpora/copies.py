"""Items of a train split that stand in the dev or test split too: a score on those tells what was learnt by heart."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import replace

from workers.corpora.types import Corpora, Dataset, Item, Split

_HELD_OUT: tuple[Split, ...] = ("dev", "test")


def without_copies(corpora: Corpora, train: Dataset) -> Dataset:
    """``train`` without the items whose text is in its language's dev or test split; itself where there is none.

    Texts are compared by their letters and digits, case folded, whatever their labels. Raises ``CorpusError``.
    """
    held_out = {
        text
        for split in _HELD_OUT
        if corpora.has(train.task, train.language, split)
        for text in _texts(corpora.dataset(train.task, train.language, split).items)
    }
    kept = tuple(item for item, text in zip(train.items, _texts(train.items), strict=True) if text not in held_out)
    return train if len(kept) == len(train.items) else replace(train, items=kept)


def _texts(items: Iterable[Item]) -> Iterable[str]:
    return (_normalised(item.content()) for item in items)


def _normalised(text: str) -> str:
    """Letters, digits and marks in one form and case; all of a text that has none."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(char for char in folded if char.isalnum() or unicodedata.category(char)[0] == "M") or folded
