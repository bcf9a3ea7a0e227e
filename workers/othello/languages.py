"""Invented languages that speak of one game, and how they say a move.

An atomic language has a word a move, a split language one to three that no other move has, a compositional language one
for the column and one for the row. Anchors are moves that languages say with one and the same word.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Literal

from workers.othello.board import playable

LanguageType = Literal["atomic", "split", "compositional"]


@dataclass(frozen=True, slots=True)
class InventedLanguage:
    """An invented language over a board: ``words[square]`` are the words of that move, none for the starting discs."""

    code: str
    name: str
    type: LanguageType
    words: tuple[tuple[str, ...], ...]
    anchored: frozenset[int]


def invent(
    code: str,
    name: str,
    type: LanguageType,
    size: int,
    *,
    fresh: Iterator[str],
    anchors: AbstractSet[int] = frozenset(),
    shared: Sequence[str] = (),
) -> InventedLanguage:
    """A language that takes its own words from ``fresh`` and says the moves in ``anchors`` with ``shared[square]``."""
    words: list[tuple[str, ...]] = [()] * size**2
    columns, rows = [next(fresh) for _ in range(size)], [next(fresh) for _ in range(size)]
    for place, square in enumerate(playable(size)):
        match type:
            case "atomic":
                words[square] = (next(fresh),)
            case "split":
                words[square] = tuple(next(fresh) for _ in range(1 + place % 3))
            case "compositional":
                words[square] = (columns[square % size], rows[square // size])
    for square in anchors:
        words[square] = (shared[square],)
    return InventedLanguage(code, name, type, tuple(words), frozenset(anchors))


def say(language: InventedLanguage, moves: Sequence[int]) -> list[tuple[str, ...]]:
    """The words of every move of a game, in order: joined with spaces, they are its sentence."""
    return [language.words[square] for square in moves]


def sentence(language: InventedLanguage, moves: Sequence[int]) -> str:
    """A game as one line of text, its words separated by spaces."""
    return " ".join(word for words in say(language, moves) for word in words)


def shared_moves(first: InventedLanguage, second: InventedLanguage) -> int:
    """How many moves two languages say with the same word: a pair's known degree of relatedness."""
    return len(first.anchored & second.anchored)
