"""Othello games as a folder of corpora: raw text, and two tasks over board states with parallel items.

`board` tags every word of an opening with the side that owns the square of its move at the end: `black` or `white`.
Openings are drawn so that at least two discs have changed hands, because the side that moved is a good guess otherwise.
`corner` says of an opening whether the side to move next can take a corner: `corner` or `none`, half each.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from workers.corpora.types import SPLITS, Split
from workers.othello.board import positions, random_game
from workers.othello.languages import Language, languages, say, sentence

Moves = tuple[int, ...]

BOARD_MOVES, CORNER_MOVES = 8, 7
"""Moves of an opening in each task."""
TURNED = 2
"""Discs that have changed hands in a `board` opening, at the least."""
RARE = 1000
"""Draws in a row without a new game after which there are taken to be no more."""

DESCRIPTION = """\
# Games of Othello in invented languages, written by `sprachbund demo`; nothing here was said by anyone.
corpora:
  - name: othello-games
    format: text
    languages: {codes}
    text: text/{{language}}.txt
    licence: CC0-1.0
  - name: othello-board
    task: board
    format: conll
    kind: tagging
    labels: [black, white]
    languages: {codes}
    train: board/train/{{language}}.conll
    dev: board/dev/{{language}}.conll
    test: board/test/{{language}}.conll
    parallel: othello-board
    licence: CC0-1.0
  - name: othello-corner
    task: corner
    format: tsv
    labels: [corner, none]
    languages: {codes}
    train: corner/train/{{language}}.tsv
    dev: corner/dev/{{language}}.tsv
    test: corner/test/{{language}}.tsv
    parallel: othello-corner
    licence: CC0-1.0
"""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much to generate: games of raw text a language, and openings of each split, the same in every language."""

    text: int = 2000
    train: int = 800
    dev: int = 100
    test: int = 200

    @property
    def labelled(self) -> int:
        """Openings of all splits."""
        return self.train + self.dev + self.test


def othello_corpora(root: Path, *, size: int = 4, sizes: Sizes | None = None, seed: int = 0) -> tuple[Language, ...]:
    """Write the corpora of six languages to ``root`` and return the languages. Equal arguments write equal bytes.

    No game is in the raw text of two languages, no labelled opening is in two splits, and none begins a game of the
    raw text. Raises ``ValueError`` where the board has too few games for that.
    """
    amounts = sizes or Sizes()
    spoken = languages(size, seed)
    rng = random.Random(f"corpora/{size}/{seed}")
    board = _splits(_board_openings(size, amounts.labelled, rng), amounts)
    corner = _splits(_corner_openings(size, amounts.labelled, rng), amounts)
    held_out = {moves for splits in (board, corner) for items in splits.values() for _, moves in items}
    whole = _different(size, None, rng, lambda game: held_out.isdisjoint((game[:BOARD_MOVES], game[:CORNER_MOVES])))
    texts = _take(whole, len(spoken) * amounts.text, size)
    for number, language in enumerate(spoken):
        games = texts[number * amounts.text : (number + 1) * amounts.text]
        _write(root / "text" / f"{language.code}.txt", (sentence(language, game) for game in games))
        for split in SPLITS:
            _write(root / "board" / split / f"{language.code}.conll", _tagged(language, board[split], size))
            _write(root / "corner" / split / f"{language.code}.tsv", _labelled(language, corner[split], size))
    codes = json.dumps([language.code for language in spoken])
    _write(root / "corpora.yaml", DESCRIPTION.format(codes=codes).splitlines())
    return spoken


def owners(moves: Moves, size: int) -> list[str]:
    """For each move, who owns its square after the last: `black` or `white`."""
    end = positions(moves, size)[-1]
    return ["black" if end.black >> square & 1 else "white" for square in moves]


def turned(moves: Moves, size: int) -> int:
    """How many of the discs played belong to the other side after the last move."""
    movers = ["black" if before.black_to_move else "white" for before in positions(moves, size)[:-1]]
    return sum(mover != owner for mover, owner in zip(movers, owners(moves, size), strict=True))


def offers_corner(moves: Moves, size: int) -> bool:
    """Whether the side to move after these moves can take a corner."""
    corners = {0, size - 1, size * (size - 1), size * size - 1}
    return not corners.isdisjoint(positions(moves, size)[-1].legal)


def _board_openings(size: int, count: int, rng: random.Random) -> list[Moves]:
    found = _different(size, BOARD_MOVES, rng, lambda moves: turned(moves, size) >= TURNED)
    return _take(found, count, size)


def _corner_openings(size: int, count: int, rng: random.Random) -> list[Moves]:
    """Openings by turns with a corner to take and without, so that every split is balanced."""
    sides: dict[bool, list[Moves]] = {True: [], False: []}
    for opening in _different(size, CORNER_MOVES, rng, lambda moves: len(moves) == CORNER_MOVES):
        sides[offers_corner(opening, size)].append(opening)
        if min(map(len, sides.values())) >= (count + 1) // 2:
            break
    pairs = zip(*sides.values(), strict=False)
    return _take((opening for pair in pairs for opening in pair), count, size)


def _different(size: int, moves: int | None, rng: random.Random, wanted: Callable[[Moves], bool]) -> Iterator[Moves]:
    """Random games, whole or broken off, that are wanted, none twice; ends when new ones have become rare."""
    found: set[Moves] = set()
    idle = 0
    while idle < RARE:
        game = random_game(size, rng, moves)
        idle += 1
        if game not in found and wanted(game):
            found.add(game)
            idle = 0
            yield game


def _take(games: Iterable[Moves], count: int, size: int) -> list[Moves]:
    found = list(islice(games, count))
    if len(found) < count:
        raise ValueError(f"{count} different games are more than a {size}x{size} board gives; ask for fewer items")
    return found


def _splits(openings: Sequence[Moves], sizes: Sizes) -> dict[Split, list[tuple[str, Moves]]]:
    """Openings by split, each under the id it has in every language."""
    items = iter(openings)
    amounts: dict[Split, int] = {"train": sizes.train, "dev": sizes.dev, "test": sizes.test}
    return {split: [(f"{split}-{n:04}", next(items)) for n in range(amount)] for split, amount in amounts.items()}


def _tagged(language: Language, items: Sequence[tuple[str, Moves]], size: int) -> Iterator[str]:
    for _, moves in items:
        for words, owner in zip(say(language, moves), owners(moves, size), strict=True):
            yield from (f"{word}\t{owner}" for word in words)
        yield ""


def _labelled(language: Language, items: Sequence[tuple[str, Moves]], size: int) -> Iterator[str]:
    yield "id\ttext\tlabel"
    for name, moves in items:
        yield f"{name}\t{sentence(language, moves)}\t{'corner' if offers_corner(moves, size) else 'none'}"


def _write(path: Path, lines: Iterable[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="\n")
