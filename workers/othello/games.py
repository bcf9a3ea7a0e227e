"""Pools of games: the split and the language that a game belongs to, and games on disk read through memory maps.

Split and owner of a game are decided by a hash of its moves. So no game is in two splits or, unless it is one of those
that all languages have in common, in two languages, however many are drawn and however often one is drawn.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from matrices.whole_file import whole_file
from workers.othello.board import NONE, Bools, Moves, random_games

Split = Literal["train", "test"]
Beginning = Literal["any", "held_in", "held_out"]
"""Games of pretraining begin with the opening (held in); what begins otherwise is held out."""
Owners = NDArray[np.int8]
COMMON = -1
"""Owner of the games that every language speaks of."""
TEST_SHARE = 0.1

_BLOCK = 1 << 15
_SPLIT, _COMMON, _OWNER = 1, 2, 3
_RARE = 50
"""Blocks without a game that is wanted after which there are taken to be none."""


class NoSuchGamesError(ValueError):
    """Games are asked for that a board does not have."""


def split_of(games: Moves) -> Bools:
    """Whether each game [n] is one of the test split."""
    return _share(games, _SPLIT) < TEST_SHARE


def owners_of(games: Moves, weights: Sequence[float], common: float) -> Owners:
    """The language that speaks of each game [n]: ``COMMON`` for a share of them, else one drawn by ``weights``."""
    bounds = np.cumsum(weights) / np.sum(weights)
    owner = np.searchsorted(bounds[:-1], _share(games, _OWNER), side="right").astype(np.int8)
    return np.where(_share(games, _COMMON) < common, np.int8(COMMON), owner)


def draw_games(
    size: int,
    count: int,
    rng: np.random.Generator,
    *,
    split: Split,
    opening: Sequence[int] = (),
    beginning: Beginning = "any",
    distinct: bool = False,
) -> Moves:
    """Random games of a split [count, n * n - 4], each drawn as play draws it: a small board repeats some.

    ``distinct``: none twice. Raises ``NoSuchGamesError`` where the board has too few.
    """
    return np.concatenate(list(_drawn(size, count, rng, split, opening, beginning, distinct)))


def write_games(
    path: Path, size: int, count: int, rng: np.random.Generator, *, opening: Sequence[int], beginning: Beginning
) -> Moves:
    """Write games of the train split to ``path`` unless they are there, and open them as a memory map."""
    if not path.is_file():
        with whole_file(path) as draft:
            games: Any = np.lib.format.open_memmap(draft, mode="w+", dtype=np.uint8, shape=(count, size * size - 4))
            done = 0
            for block in _drawn(size, count, rng, "train", opening, beginning, False):
                games[done : done + len(block)] = block
                done += len(block)
            games.flush()
    opened: Moves = np.load(path, mmap_mode="r")
    return opened


def _drawn(
    size: int,
    count: int,
    rng: np.random.Generator,
    split: Split,
    opening: Sequence[int],
    beginning: Beginning,
    distinct: bool,
) -> Iterator[Moves]:
    seen: set[bytes] = set()
    left, idle = count, 0
    block = min(_BLOCK, max(1024, 4 * count))
    while left:
        games = random_games(size, block, rng, opening=opening if beginning == "held_in" else ())
        wanted = split_of(games) == (split == "test")
        if beginning == "held_out":
            wanted &= (games[:, : len(opening)] != np.array(opening, dtype=np.uint8)).any(axis=1)
        games = games[wanted]
        if distinct:
            new = [row for row, game in enumerate(games) if _is_new(game.tobytes(), seen)]
            games = games[new]
        idle = 0 if len(games) else idle + 1
        if idle == _RARE:
            raise NoSuchGamesError(
                f"{count} {'different ' if distinct else ''}games are more than a {size}x{size} board has "
                f"({split} split, {beginning.replace('_', ' ')}); ask for fewer"
            )
        games = games[:left]
        left -= len(games)
        yield games


def _is_new(game: bytes, seen: set[bytes]) -> bool:
    if game in seen:
        return False
    seen.add(game)
    return True


def _share(games: Moves, salt: int) -> NDArray[np.float64]:
    """A number in [0, 1) a game [n], decided by its moves: FNV-1a over squares, then the finaliser of SplitMix64."""
    state = np.full(len(games), 0xCBF29CE484222325 ^ salt, dtype=np.uint64)
    for column in games.T:
        state = np.where(column == NONE, state, (state ^ column) * np.uint64(0x100000001B3))
    state = (state ^ state >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ state >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
    state ^= state >> np.uint64(31)
    return (state >> np.uint64(11)) / float(1 << 53)
