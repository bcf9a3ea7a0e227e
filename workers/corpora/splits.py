"""Which items a split has: made where a corpus comes without them, and free of copies of what is held out."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Callable, Iterable, Mapping
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


def split_of(item: Item, shares: Mapping[Split, float]) -> Split:
    """The split that an item belongs to, by a hash of its document, or of its id where it is of none.

    So all items of a document are in one split, and so are translations, whose ids (and documents) are the same; an
    item stays where it is whatever else the corpus has. ``shares`` add up to 1, and are met about.
    """
    digest = hashlib.sha256((item.passage or item.id).encode()).digest()
    left = int.from_bytes(digest[:8], "big") / 2**64
    for split, share in shares.items():
        left -= share
        if left < 0:
            return split
    return split


def part_of(read: Callable[[], Iterable[Item]], shares: Mapping[Split, float], wanted: Split) -> tuple[Item, ...]:
    """The items of what is read that belong to a split."""
    return tuple(item for item in read() if split_of(item, shares) == wanted)


def said_of(shares: Mapping[Split, float]) -> str:
    """What was done, for whoever reads the scores."""
    parts = ", ".join(f"{split} about {share:.0%}" for split, share in shares.items())
    return f"split by a hash of documents, or of ids where there are none: {parts}"
