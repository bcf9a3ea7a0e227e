"""Six invented languages that speak of one game, and how they say a move.

An atomic language has a word a move, a split language one to three, a compositional language one for the column and one
for the row. Every language writes its own words in its own script; languages with anchors share the words of the
anchored moves, so that a pair shares as many words as the one with fewer anchors has.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from workers.othello.board import playable

LanguageType = Literal["atomic", "split", "compositional"]

PLAYABLE_4X4 = 12
"""Anchors are counted on a 4 x 4 board; on a larger board the same share of moves is anchored."""


@dataclass(frozen=True, slots=True)
class Blueprint:
    """How an invented language is made. ``code`` is private use in ISO 639-3; ``anchors`` are out of 12 moves."""

    code: str
    name: str
    type: LanguageType
    anchors: int
    consonants: str
    vowels: str


BLUEPRINTS = (
    Blueprint("qaa", "Atomic Latin", "atomic", 8, "bdfgklmnprst", "aeiou"),
    Blueprint("qab", "Atomic Greek", "atomic", 8, "βγδζθκλμνπρσ", "αεηιο"),
    Blueprint("qac", "Split Cyrillic", "split", 6, "бвгджзклмнпр", "аеиоу"),
    Blueprint("qad", "Compositional Armenian", "compositional", 4, "բգդզթժլխկմնպ", "աեէիո"),
    Blueprint("qae", "Split Georgian", "split", 2, "ბგდვზთკლმნპრ", "აეიოუ"),
    Blueprint("qaf", "Atomic Tifinagh", "atomic", 0, "ⴱⴳⴷⴼⴽⵍⵎⵏⵔⵙⵜⵣ", "ⴰⴻⵉⵄⵓ"),
)
ANCHOR_LETTERS = ("hjqvwxyz", "aeiou")
"""Latin consonants and vowels of the shared words; no language makes a word of its own with these consonants."""


@dataclass(frozen=True, slots=True)
class Language:
    """An invented language over a board: ``words[square]`` are the words of that move, none for the starting discs."""

    blueprint: Blueprint
    words: tuple[tuple[str, ...], ...]
    anchored: frozenset[int]

    @property
    def code(self) -> str:
        """Its ISO 639-3 code, of the private-use range."""
        return self.blueprint.code


def languages(size: int = 4, seed: int = 0) -> tuple[Language, ...]:
    """The six languages over a board of that size; equal seeds give equal languages."""
    rng = random.Random(f"languages/{size}/{seed}")
    order = list(playable(size))
    rng.shuffle(order)
    return tuple(_language(blueprint, size, order, rng) for blueprint in BLUEPRINTS)


def say(language: Language, moves: Sequence[int]) -> list[tuple[str, ...]]:
    """The words of every move of a game, in order: joined with spaces, they are its sentence."""
    return [language.words[square] for square in moves]


def sentence(language: Language, moves: Sequence[int]) -> str:
    """A game as one line of text, its words separated by spaces."""
    return " ".join(word for words in say(language, moves) for word in words)


def shared_moves(first: Language, second: Language) -> int:
    """How many moves two languages say with the same word: a pair's known degree of relatedness."""
    return len(first.anchored & second.anchored)


def _language(blueprint: Blueprint, size: int, order: Sequence[int], rng: random.Random) -> Language:
    anchored = order[: round(blueprint.anchors * len(order) / PLAYABLE_4X4)]
    fresh, shared = _vocabulary(blueprint.consonants, blueprint.vowels, rng), _vocabulary(*ANCHOR_LETTERS)
    words: list[tuple[str, ...]] = [()] * size**2
    columns, rows = [next(fresh) for _ in range(size)], [next(fresh) for _ in range(size)]
    for place, square in enumerate(sorted(order)):
        match blueprint.type:
            case "atomic":
                words[square] = (next(fresh),)
            case "split":
                words[square] = tuple(next(fresh) for _ in range(1 + place % 3))
            case "compositional":
                words[square] = (columns[square % size], rows[square // size])
    for square in anchored:
        words[square] = (next(shared),)
    return Language(blueprint, tuple(words), frozenset(anchored))


def _vocabulary(consonants: str, vowels: str, rng: random.Random | None = None) -> Iterator[str]:
    """Words of one syllable, shuffled where a generator is given; then, for the larger boards, words of two."""
    syllables = [consonant + vowel for consonant in consonants for vowel in vowels]
    if rng is not None:
        rng.shuffle(syllables)
    yield from syllables
    yield from (first + second for first in syllables for second in syllables)
