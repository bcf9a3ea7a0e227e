"""Features of pairs from plain sentences: what a language that no database knows can be told apart by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from matrices.scores import Floats, ScoreTable

GRAM = 3
"""Characters of a piece of a word, its ends marked: short enough to be shared by related languages' spellings."""


@dataclass(frozen=True, eq=False, slots=True)
class Text:
    """What a language's sentences hold: its words and pieces of words, each once, and how many words they are."""

    words: frozenset[str]
    pieces: frozenset[str]
    size: int


def read(sentences: Iterable[str]) -> Text:
    """Words are what stands between spaces, in lower case; a language written without spaces has its pieces still."""
    words: set[str] = set()
    size = 0
    for sentence in sentences:
        found = sentence.casefold().split()
        size += len(found)
        words.update(found)
    marked = (f"^{word}$" for word in words)
    pieces = frozenset(word[at : at + GRAM] for word in marked for at in range(max(len(word) - GRAM + 1, 1)))
    return Text(frozenset(words), pieces, size)


def with_text(table: ScoreTable, texts: Mapping[str, Text]) -> ScoreTable:
    """The table with features of its pairs from texts by language; NaN where either language has none.

    Overlaps as in Lin et al. 2019, section 4.1.1: what two vocabularies share, over the sum of their sizes. A target
    that nobody measured gets such features as a column of the table without scores.
    """
    sides = [[texts.get(code) for code in codes] for codes in (table.sources, table.targets)]
    sources, targets = sides
    size_of = [np.array([np.nan if one is None else float(one.size) for one in side]) for side in sides]
    kinds = [np.array([np.nan if one is None else len(one.words) / max(one.size, 1) for one in side]) for side in sides]
    shape = (len(table.sources), len(table.targets))
    features = {
        "text word overlap": _overlap([_words(one) for one in sources], [_words(one) for one in targets]),
        "text piece overlap": _overlap([_pieces(one) for one in sources], [_pieces(one) for one in targets]),
        "text source size": np.broadcast_to(size_of[0][:, None], shape).copy(),
        "text target size": np.broadcast_to(size_of[1], shape).copy(),
        "text source words a token": np.broadcast_to(kinds[0][:, None], shape).copy(),
    }
    return replace(table, pair_features={**table.pair_features, **features})


def _words(text: Text | None) -> frozenset[str] | None:
    return None if text is None else text.words


def _pieces(text: Text | None) -> frozenset[str] | None:
    return None if text is None else text.pieces


def _overlap(ones: Sequence[frozenset[str] | None], others: Sequence[frozenset[str] | None]) -> Floats:
    shares = np.full((len(ones), len(others)), np.nan)
    for row, one in enumerate(ones):
        for column, other in enumerate(others):
            if one and other:
                shares[row, column] = len(one & other) / (len(one) + len(other))
    return shares
