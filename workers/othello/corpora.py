"""Othello games as a folder of corpora: raw text, and two tasks over board states with parallel items.

`board` tags every word of an opening with the side that owns the square of its move at the end: `black` or `white`.
Openings are drawn so that at least two discs have changed hands, because the side that moved is a good guess otherwise.
`corner` says of an opening whether the side to move next can take a corner: `corner` or `none`, half each.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matrices.arrays import Bools
from workers.corpora.types import SPLITS, Split
from workers.othello.blueprints import languages
from workers.othello.board import NONE, Moves, history, lengths, random_games, spread
from workers.othello.languages import InventedLanguage, say, sentence

Game = tuple[int, ...]

BOARD_MOVES, CORNER_MOVES = 8, 7
"""Moves of an opening in each task."""
TURNED = 2
"""Discs that have changed hands in a `board` opening, at the least."""
BATCH = 1000
"""Games drawn at once; where none of them is a new one, there are taken to be no more."""

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


def othello_corpora(
    root: Path, *, size: int = 4, sizes: Sizes | None = None, seed: int = 0, anchors: Sequence[int] | None = None
) -> tuple[InventedLanguage, ...]:
    """Write the corpora of six languages to ``root`` and return the languages. Equal arguments write equal bytes.

    ``anchors``: how many of each language, out of 12 moves, in place of those of the blueprints.

    No game is in the raw text of two languages, no labelled opening is in two splits, and none begins a game of the
    raw text. Raises ``ValueError`` where the board has too few games for that.
    """
    amounts = sizes or Sizes()
    spoken = languages(size, seed, anchors=anchors)
    rng = np.random.default_rng((size, seed))
    board = _splits(_board_openings(size, amounts.labelled, rng), amounts)
    corner = _splits(_corner_openings(size, amounts.labelled, rng), amounts)
    held_out = {moves for splits in (board, corner) for items in splits.values() for _, moves in items}
    whole = (
        game for game in _different(size, None, rng) if held_out.isdisjoint((game[:BOARD_MOVES], game[:CORNER_MOVES]))
    )
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


def owners(moves: Moves, size: int) -> NDArray[np.str_]:
    """Of openings [n, moves]: who owns the square of each move after the last, `black` or `white`."""
    end = history(moves, size)[-1]
    black = np.take_along_axis(spread(end.black, size), moves.astype(np.intp), axis=1)
    return np.where(black, "black", "white")


def turned(moves: Moves, size: int) -> NDArray[np.int64]:
    """How many of the discs played belong to the other side after the last move [n]."""
    movers = np.column_stack([before.black_to_move for before in history(moves, size)[:-1]])
    changed: NDArray[np.int64] = (np.where(movers, "black", "white") != owners(moves, size)).sum(axis=1)
    return changed


def offers_corner(moves: Moves, size: int) -> Bools:
    """Whether the side to move after these moves can take a corner [n]."""
    corners = [0, size - 1, size * (size - 1), size * size - 1]
    offers: Any = spread(history(moves, size)[-1].legal, size)[:, corners].any(axis=1)
    return np.asarray(offers)


def _board_openings(size: int, count: int, rng: np.random.Generator) -> list[Game]:
    found = _different(size, BOARD_MOVES, rng, lambda moves: turned(moves, size) >= TURNED)
    return _take(found, count, size)


def _corner_openings(size: int, count: int, rng: np.random.Generator) -> list[Game]:
    """Openings by turns with a corner to take and without, so that every split is balanced."""
    drawn = (
        _different(size, CORNER_MOVES, rng, lambda moves: offers_corner(moves, size)),
        _different(size, CORNER_MOVES, rng, lambda moves: ~offers_corner(moves, size)),
    )
    pairs = zip(*(islice(side, (count + 1) // 2) for side in drawn), strict=False)
    return _take((opening for pair in pairs for opening in pair), count, size)


def _different(
    size: int, limit: int | None, rng: np.random.Generator, wanted: Callable[[Moves], Bools] | None = None
) -> Iterator[Game]:
    """Random games, or openings of ``limit`` moves, that are wanted, none twice; ends when new ones are rare."""
    found: set[Game] = set()
    while True:
        games = random_games(size, BATCH, rng, limit=limit)
        if limit is not None:
            games = games[lengths(games) == limit]
        if wanted is not None:
            games = games[wanted(games)]
        new = [game for game in dict.fromkeys(_squares(row) for row in games) if game not in found]
        if not new:
            return
        found.update(new)
        yield from new


def _squares(row: Moves) -> Game:
    return tuple(row[row != NONE].tolist())


def _take(games: Iterable[Game], count: int, size: int) -> list[Game]:
    found = list(islice(games, count))
    if len(found) < count:
        raise ValueError(f"{count} different games are more than a {size}x{size} board gives; ask for fewer items")
    return found


def _splits(openings: Sequence[Game], sizes: Sizes) -> dict[Split, list[tuple[str, Game]]]:
    """Openings by split, each under the id it has in every language."""
    items = iter(openings)
    amounts: dict[Split, int] = {"train": sizes.train, "dev": sizes.dev, "test": sizes.test}
    return {split: [(f"{split}-{n:04}", next(items)) for n in range(amount)] for split, amount in amounts.items()}


def _tagged(language: InventedLanguage, items: Sequence[tuple[str, Game]], size: int) -> Iterator[str]:
    tags = owners(np.array([moves for _, moves in items], dtype=np.uint8), size)
    for (_, moves), owned in zip(items, tags, strict=True):
        for words, owner in zip(say(language, moves), owned, strict=True):
            yield from (f"{word}\t{owner}" for word in words)
        yield ""


def _labelled(language: InventedLanguage, items: Sequence[tuple[str, Game]], size: int) -> Iterator[str]:
    yield "id\ttext\tlabel"
    offers = offers_corner(np.array([moves for _, moves in items], dtype=np.uint8), size)
    for (name, moves), offered in zip(items, offers, strict=True):
        yield f"{name}\t{sentence(language, moves)}\t{'corner' if offered else 'none'}"


def _write(path: Path, lines: Iterable[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="\n")
