"""Tokens: the words of the laboratory's languages numbered, games written in them, and what a model is to predict.

Naive output: the next token of the same language. Unified output: a language that is only ever written, with a token a
square; behind the last token of each move, and nowhere else, the model predicts the next move in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workers.othello.board import NONE, Moves, playable, square_name
from workers.othello.languages import InventedLanguage, LanguageType, invent

Output = Literal["naive", "unified"]
Ids = NDArray[np.int64]

PAD = 0
"""Stands behind the end of a game; never predicted."""
IGNORED = -100
"""Where a model predicts nothing; what `torch` leaves out of a loss."""


@dataclass(frozen=True, slots=True)
class MoveVocabulary:
    """Every word of the languages has an id from 1 on; a word that languages share has one id.

    ``moves`` [languages, squares, longest] are the ids of each move's words, ``PAD`` behind its last; ``counts``
    [languages, squares] how many there are. ``squares`` are the playable ones, ``places`` [squares] their number.
    """

    size: int
    words: tuple[str, ...]
    moves: Ids
    counts: Ids
    squares: Ids
    places: Ids

    @staticmethod
    def of(languages: Sequence[InventedLanguage], size: int) -> MoveVocabulary:
        """The vocabulary of some languages over one board."""
        words = sorted({word for language in languages for said in language.words for word in said})
        ids = {word: number for number, word in enumerate(words, start=1)}
        counts = np.array([[len(said) for said in language.words] for language in languages])
        moves = np.full((*counts.shape, int(counts.max())), PAD, dtype=np.int64)
        for number, language in enumerate(languages):
            for square, said in enumerate(language.words):
                moves[number, square, : len(said)] = [ids[word] for word in said]
        squares = np.array(playable(size))
        places = np.full(size**2, -1)
        places[squares] = np.arange(len(squares))
        return MoveVocabulary(size, tuple(words), moves, counts, squares, places)

    @property
    def tokens(self) -> int:
        """Ids that a model reads, ``PAD`` among them."""
        return len(self.words) + 1

    @property
    def longest(self) -> int:
        """Words of the longest move of any language."""
        return int(self.moves.shape[2])

    @property
    def room(self) -> int:
        """Tokens of the longest game that there can be in any language."""
        return int(np.take(self.counts, self.squares, axis=1).sum(axis=1).max())

    def outputs(self, output: Output) -> int:
        """Classes that a model chooses among."""
        return self.tokens if output == "naive" else len(self.squares)

    def write(self, games: Moves, languages: ArrayLike) -> Written:
        """Games [n, moves] in a language each, or all in one."""
        spoken = np.broadcast_to(np.asarray(languages), len(games))[:, None]
        over = games == NONE
        at = np.where(over, self.squares[0], games)
        counts = np.where(over, 0, self.counts[spoken, at])
        tokens = self.moves[spoken, at]
        ends = np.where(over, -1, counts.cumsum(axis=1) - 1)
        length = counts.sum(axis=1)
        ids = np.full((len(games), int(length.max(initial=0))), PAD, dtype=np.int64)
        said = np.arange(self.longest) < counts[..., None]
        ids[np.arange(ids.shape[1]) < length[:, None]] = tokens[said]
        return Written(ids, ends, np.where(over, -1, ends - counts + 1))

    def targets(self, written: Written, games: Moves, output: Output) -> Ids:
        """What to predict at each token of written games [n, tokens], ``IGNORED`` where nothing."""
        targets = np.full_like(written.ids, IGNORED)
        if output == "naive":
            targets[:, :-1] = np.where(written.ids[:, 1:] == PAD, IGNORED, written.ids[:, 1:])
            return targets
        game, move = np.nonzero(games[:, 1:] != NONE)
        targets[game, written.ends[game, move]] = self.places[games[game, move + 1]]
        return targets


@dataclass(frozen=True, slots=True)
class Written:
    """Games as token ids [n, tokens]; the places [n, moves] of each move's first and last token, -1 behind the end."""

    ids: Ids
    ends: Ids
    starts: Ids


def invented(
    size: int, types: Sequence[LanguageType], anchors: Sequence[frozenset[int]]
) -> tuple[InventedLanguage, ...]:
    """Languages `A`, `B`, ... of the given types; languages that anchor a move share its word, ``*d3``."""
    shared = [f"*{square_name(square, size)}" for square in range(size**2)]
    return tuple(
        invent(code, f"{type} {code}", type, size, fresh=_numbered(code), anchors=anchored, shared=shared)
        for code, type, anchored in zip(codes(len(types)), types, anchors, strict=True)
    )


def codes(languages: int) -> tuple[str, ...]:
    """The names of so many languages: capital letters."""
    return tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ"[:languages])


def _numbered(code: str) -> Iterator[str]:
    number = 0
    while True:
        yield f"{code}{number}"
        number += 1
