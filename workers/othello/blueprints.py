"""The six languages of the demo, which people can tell apart: each writes words of its own in its own script.

Their anchors are nested, so that a pair shares as many words as the one with fewer anchors has.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from workers.othello.board import playable
from workers.othello.languages import InventedLanguage, LanguageType, invent

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


def languages(size: int = 4, seed: int = 0, *, anchors: Sequence[int] | None = None) -> tuple[InventedLanguage, ...]:
    """The six languages over a board of that size; equal seeds give equal languages.

    ``anchors`` are how many of each, out of 12 moves, in place of those of the blueprints.
    """
    rng = random.Random(f"languages/{size}/{seed}")
    order = list(playable(size))
    rng.shuffle(order)
    counts = [blueprint.anchors for blueprint in BLUEPRINTS] if anchors is None else anchors
    return tuple(
        _language(replace(blueprint, anchors=count), size, order, rng)
        for blueprint, count in zip(BLUEPRINTS, counts, strict=True)
    )


def _language(blueprint: Blueprint, size: int, order: Sequence[int], rng: random.Random) -> InventedLanguage:
    anchors = order[: round(blueprint.anchors * len(order) / PLAYABLE_4X4)]
    shared = dict(zip(anchors, _vocabulary(*ANCHOR_LETTERS), strict=False))
    return invent(
        blueprint.code,
        blueprint.name,
        blueprint.type,
        size,
        fresh=_vocabulary(blueprint.consonants, blueprint.vowels, rng),
        anchors=frozenset(anchors),
        shared=[shared.get(square, "") for square in range(size**2)],
    )


def _vocabulary(consonants: str, vowels: str, rng: random.Random | None = None) -> Iterator[str]:
    """Words of one syllable, shuffled where a generator is given; then, for the larger boards, words of two."""
    syllables = [consonant + vowel for consonant in consonants for vowel in vowels]
    if rng is not None:
        rng.shuffle(syllables)
    yield from syllables
    yield from (first + second for first in syllables for second in syllables)
