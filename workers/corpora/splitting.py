"""Splits of a corpus that comes without them: by document, or by item, the same in every language."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping

from workers.corpora.types import Split
from workers.tasks.base import Item


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
