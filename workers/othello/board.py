"""Othello on an n x n board (n even): positions as bitboards, legal moves, random legal games."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

SIZES = (4, 6, 8)


@dataclass(frozen=True, slots=True)
class Position:
    """Discs of both players and whose turn it is. Bit ``size * row + column`` is the square at that row and column.

    The player to move can move wherever one of the two can: passes are made as soon as they are forced, so a game is a
    list of squares, and a position without a legal move is the end of the game.
    """

    size: int
    black: int
    white: int
    black_to_move: bool = True

    @property
    def own(self) -> int:
        """The discs of the player to move."""
        return self.black if self.black_to_move else self.white

    @property
    def other(self) -> int:
        """The discs of the player who waits."""
        return self.white if self.black_to_move else self.black

    @property
    def legal(self) -> tuple[int, ...]:
        """The squares the player to move may take, ascending; empty at the end of the game."""
        return tuple(squares(_legal(self.size, self.own, self.other)))


class IllegalMove(ValueError):  # noqa: N818 - the field's term
    """A move onto a square that is taken, off the board, or from where no disc is flipped."""


def start(size: int = 4) -> Position:
    """The four discs in the middle, black to move. Raises ``ValueError`` unless ``size`` is one of ``SIZES``."""
    if size not in SIZES:
        raise ValueError(f"board size {size}: choose one of {', '.join(map(str, SIZES))}")
    low, high = size // 2 - 1, size // 2
    white = _bit(size, low, low) | _bit(size, high, high)
    black = _bit(size, low, high) | _bit(size, high, low)
    return Position(size, black, white)


def playable(size: int) -> tuple[int, ...]:
    """The squares that are empty at the start, ascending: n * n - 4 of them."""
    begin = start(size)
    return tuple(squares(_board(size) & ~(begin.black | begin.white)))


def flips(position: Position, square: int) -> int:
    """Bitboard of the discs that turn when the player to move takes ``square``; 0 where that is not legal."""
    own, other = position.own, position.other
    bit = 1 << square
    if (own | other) & bit or not bit & _board(position.size):
        return 0
    turned = 0
    for shift, mask in _directions(position.size):
        line, reached = 0, _step(bit, shift, mask)
        while reached & other:
            line |= reached
            reached = _step(reached, shift, mask)
        if reached & own:
            turned |= line
    return turned


def play(position: Position, square: int) -> Position:
    """The position after the player to move took ``square``. Raises ``IllegalMove``."""
    turned = flips(position, square)
    if not turned:
        raise IllegalMove(f"square {square} is not legal here; legal squares: {position.legal}")
    own, other = position.own | turned | 1 << square, position.other & ~turned
    black_moved = position.black_to_move
    black, white = (own, other) if black_moved else (other, own)
    passes = not _legal(position.size, other, own) and _legal(position.size, own, other)
    return Position(position.size, black, white, black_moved if passes else not black_moved)


def positions(moves: Sequence[int], size: int = 4) -> list[Position]:
    """The positions of a game, one more than its moves: before the first, and after each. Raises ``IllegalMove``."""
    seen = [start(size)]
    for square in moves:
        seen.append(play(seen[-1], square))
    return seen


def random_game(size: int, rng: random.Random, limit: int | None = None) -> tuple[int, ...]:
    """A game in which every move is drawn uniformly from the legal ones: whole, or its first ``limit`` moves."""
    position = start(size)
    moves: list[int] = []
    while len(moves) != limit and (legal := position.legal):
        moves.append(rng.choice(legal))
        position = play(position, moves[-1])
    return tuple(moves)


def squares(board: int) -> Iterator[int]:
    """The squares of a bitboard, ascending."""
    while board:
        lowest = board & -board
        yield lowest.bit_length() - 1
        board ^= lowest


@lru_cache(maxsize=1 << 17)
def _legal(size: int, own: int, other: int) -> int:
    empty, found = _board(size) & ~(own | other), 0
    for shift, mask in _directions(size):
        line = _step(own, shift, mask) & other
        for _ in range(size - 3):
            line |= _step(line, shift, mask) & other
        found |= _step(line, shift, mask) & empty
    return found


def _step(board: int, shift: int, mask: int) -> int:
    return (board << shift if shift > 0 else board >> -shift) & mask


@lru_cache
def _directions(size: int) -> tuple[tuple[int, int], ...]:
    """The eight directions as (shift, squares a step in it may land on): a step never leaves one edge for another."""
    edges = {0: _board(size)}
    for step, edge in ((1, 0), (-1, size - 1)):
        edges[step] = _board(size) & ~sum(_bit(size, row, edge) for row in range(size))
    return tuple((size * down + right, edges[right]) for down in (-1, 0, 1) for right in (-1, 0, 1) if down or right)


@lru_cache
def _board(size: int) -> int:
    return (1 << size * size) - 1


def _bit(size: int, row: int, column: int) -> int:
    return 1 << size * row + column
