"""How alike languages' vocabularies are: worked out of plain sentences, and so of languages that no database knows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

GRAM = 3
"""Characters of a piece of a word, its ends marked: short enough to be shared by related languages' spellings."""


@dataclass(frozen=True, eq=False)
class Overlaps:
    """How alike the vocabularies of L languages are: ``cosines`` [L, L] by what is compared (words, pieces of words).

    Cosines, in [0, 1], of which entries two vocabularies have. The fewer languages have an entry, the more it weighs
    (inverse document frequency, Spärck Jones 1972): what all texts have, as numerals, tells no languages apart.
    """

    codes: tuple[str, ...]
    cosines: Mapping[str, NDArray[np.float64]]


def overlaps(sentences: Mapping[str, Iterable[str]]) -> Overlaps:
    """Of sentences by language; a language without a word is left out.

    Words are what stands between spaces, in lower case; a language written without spaces has its pieces still.
    """
    words = {code: found for code, lines in sentences.items() if (found := _words(lines))}
    pieces = {code: _pieces(found) for code, found in words.items()}
    parts = {"text word overlap": words, "text piece overlap": pieces}
    return Overlaps(tuple(words), {name: _cosines(list(part.values())) for name, part in parts.items()})


def _words(sentences: Iterable[str]) -> frozenset[str]:
    return frozenset(word for sentence in sentences for word in sentence.casefold().split())


def _pieces(words: frozenset[str]) -> frozenset[str]:
    marked = (f"^{word}$" for word in words)
    return frozenset(word[at : at + GRAM] for word in marked for at in range(max(len(word) - GRAM + 1, 1)))


def _cosines(vocabularies: list[frozenset[str]]) -> NDArray[np.float64]:
    from scipy.sparse import csr_array  # a tenth of a first answer to import, and few answers read texts

    place: dict[str, int] = {}
    columns = [place.setdefault(entry, len(place)) for vocabulary in vocabularies for entry in vocabulary]
    ends = np.cumsum([0, *map(len, vocabularies)])
    weights = np.log(len(vocabularies) / np.bincount(columns))[columns]
    held = csr_array((weights, columns, ends), shape=(len(vocabularies), len(place)))
    products: NDArray[np.float64] = (held @ held.T).toarray()
    # A language of which all others have every word has a length of 0, and is like none.
    lengths = np.sqrt(products.diagonal())
    both: NDArray[np.float64] = lengths[:, None] * lengths
    return np.divide(products, both, out=np.zeros_like(products), where=both > 0)
