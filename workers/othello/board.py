"""Othello on an n x n board (n even), many games at once: positions as arrays of bitboards, legal moves, random games.

Bit ``size * row + column`` of a bitboard is the square at that row and column. A pass is no move: it is made as soon as
it is forced, so a game is a list of squares, and a position without a legal move is the end of the game.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from matrices.arrays import Bools

Bits = NDArray[Any]
"""Bitboards: unsigned integers, 16 bits wide on the 4 x 4 board and 64 on the others."""
Moves = NDArray[np.uint8]
"""Squares of games [games, moves], ``NONE`` behind the end of a game."""

SIZES = (4, 6, 8)
NONE = 255
_BLOCK = 1 << 13
"""Games that are played at once: few enough for all their boards to stay in a processor's cache."""


@dataclass(frozen=True, slots=True)
class Positions:
    """Positions [n] of one board size, seen from the side to move. ``legal`` are the squares that it may take."""

    size: int
    own: Bits
    other: Bits
    black_to_move: Bools
    legal: Bits

    @property
    def black(self) -> Bits:
        """The discs of the side that moves first."""
        return np.where(self.black_to_move, self.own, self.other)

    @property
    def white(self) -> Bits:
        """The discs of the side that moves second."""
        return np.where(self.black_to_move, self.other, self.own)


class IllegalMove(ValueError):  # noqa: N818 - the field's term
    """A move onto a square that is taken, off the board, or from where no disc is flipped."""


def start(size: int = 4, count: int = 1) -> Positions:
    """``count`` times four discs in the middle, black to move. Raises ``ValueError`` unless one of ``SIZES``."""
    if size not in SIZES:
        raise ValueError(f"board size {size}: choose one of {', '.join(map(str, SIZES))}")
    low, high = size // 2 - 1, size // 2
    white = 1 << size * low + low | 1 << size * high + high
    black = 1 << size * low + high | 1 << size * high + low
    own, other = (np.full(count, discs, dtype=_type(size)) for discs in (black, white))
    return Positions(size, own, other, np.ones(count, dtype=bool), _legal(size, own, other))


def playable(size: int) -> tuple[int, ...]:
    """The squares that are empty at the start, ascending: n * n - 4 of them."""
    begin = start(size)
    return tuple(squares(_board(size) & ~int(begin.own[0] | begin.other[0])))


def play(positions: Positions, moves: ArrayLike) -> Positions:
    """The positions after each side to move took its square; ``NONE`` leaves a game that is over as it is.

    Raises ``IllegalMove`` at the first move that is not legal.
    """
    size, taken = positions.size, np.asarray(moves, dtype=np.uint8)
    # Shifting by more than the bits there are is not defined, so squares off the board are kept from it.
    on_board = taken < size * size
    bit = np.where(on_board, _type(size)(1) << np.where(on_board, taken, 0).astype(_type(size)), _type(size)(0))
    wrong = np.flatnonzero(np.where(on_board, bit & ~positions.legal != 0, (taken != NONE) | (positions.legal != 0)))
    if wrong.size:
        game = int(wrong[0])
        legal = tuple(squares(int(positions.legal[game])))
        raise IllegalMove(f"game {game}: square {taken[game]} is not legal here; legal squares: {legal}")
    return _after(positions, bit)


def history(moves: ArrayLike, size: int = 4) -> list[Positions]:
    """The positions of games [n, moves]: before the first move, and after each. Raises ``IllegalMove``."""
    columns = np.asarray(moves, dtype=np.uint8)
    seen = [start(size, len(columns))]
    for column in columns.T:
        seen.append(play(seen[-1], column))
    return seen


def random_games(
    size: int, count: int, rng: np.random.Generator, *, opening: Sequence[int] = (), limit: int | None = None
) -> Moves:
    """Games in which every move is drawn uniformly from the legal ones: whole, or their first ``limit`` moves.

    All begin with the squares of ``opening``. Shape: [count, n * n - 4] or [count, limit]. Raises ``IllegalMove``.
    """
    blocks = [_random_block(size, min(_BLOCK, count - at), rng, opening, limit) for at in range(0, count, _BLOCK)]
    return np.concatenate(blocks) if blocks else np.empty((0, limit or size * size - 4), dtype=np.uint8)


def openings(size: int, depth: int) -> Moves:
    """Every legal line of ``depth`` moves, and those that end sooner, in order of squares: [lines, depth]."""
    lines = np.empty((1, 0), dtype=np.uint8)
    at = start(size)
    for _ in range(depth):
        over = at.legal == 0
        choices = at.legal[:, None] >> np.arange(size * size, dtype=_type(size)) & _type(size)(1)
        line, square = np.nonzero(np.column_stack([choices, over]))
        move = np.where(square == size * size, NONE, square).astype(np.uint8)
        lines = np.column_stack([lines[line], move])
        at = play(_rows(at, line), move)
    return lines


def lengths(games: Moves) -> NDArray[np.int64]:
    """Moves of each game [n]."""
    moves: NDArray[np.int64] = (games != NONE).sum(axis=1)
    return moves


def squares(board: int) -> Iterator[int]:
    """The squares of a bitboard, ascending."""
    while board:
        lowest = board & -board
        yield lowest.bit_length() - 1
        board ^= lowest


def spread(boards: Bits, size: int) -> Bools:
    """Bitboards [...] as truth values [..., n * n], square by square."""
    each = boards[..., None] >> np.arange(size * size, dtype=boards.dtype) & boards.dtype.type(1)
    truth: Bools = each.astype(bool)
    return truth


def square_name(square: int, size: int) -> str:
    """The name players use: a letter for the column, a number for the row, `a1` above on the left."""
    return f"{'abcdefgh'[square % size]}{square // size + 1}"


def _random_block(size: int, count: int, rng: np.random.Generator, opening: Sequence[int], limit: int | None) -> Moves:
    longest = size * size - 4 if limit is None else limit
    games = np.full((count, longest), NONE, dtype=np.uint8)
    at = start(size, count)
    for number in range(longest):
        if number < len(opening):
            games[:, number] = opening[number]
            at = play(at, games[:, number])
            continue
        chosen, bit = _draw(at.legal, rng)
        games[:, number] = chosen
        at = _after(at, bit)
        if not at.legal.any():
            break
    return games


def _draw(legal: Bits, rng: np.random.Generator) -> tuple[Moves, Bits]:
    """One of the bits of each board, all as likely: its place, ``NONE`` where there is none, and the bit itself."""
    counts = np.bitwise_count(legal)
    left = (rng.random(len(legal)) * counts).astype(np.uint8)
    board, place = legal.copy(), np.zeros(len(legal), dtype=legal.dtype)
    width = legal.dtype.itemsize * 4
    while width:
        low = np.bitwise_count(board & legal.dtype.type((1 << width) - 1))
        above = left >= low
        left -= np.where(above, low, 0).astype(np.uint8)
        step = above * legal.dtype.type(width)
        board >>= step
        place += step
        width //= 2
    some = counts > 0
    place *= some
    return np.where(some, place, NONE).astype(np.uint8), some.astype(legal.dtype) << place


def _after(positions: Positions, bit: Bits) -> Positions:
    """The positions after moves that are known to be legal; 0 is the move of a game that is over."""
    turned = _flips(positions.size, positions.own, positions.other, bit)
    own, other = positions.other & ~turned, positions.own | turned | bit
    black, legal = ~positions.black_to_move, _legal(positions.size, own, other)
    stuck = np.flatnonzero(legal == 0)
    if stuck.size:
        theirs = _legal(positions.size, other[stuck], own[stuck])
        passing = stuck[theirs != 0]
        own[passing], other[passing] = other[passing], own[passing]
        black[passing] = ~black[passing]
        legal[stuck] = theirs
    return Positions(positions.size, own, other, black, legal)


def _rows(at: Positions, rows: NDArray[np.int64]) -> Positions:
    return Positions(at.size, at.own[rows], at.other[rows], at.black_to_move[rows], at.legal[rows])


def _lines(size: int, start: Bits, other: Bits) -> Iterator[tuple[Bits, Bits]]:
    """For each direction: the opponent's discs in an unbroken line from ``start``, and the squares right after them."""
    for shift, mask in _directions(size):
        through = other & mask
        line = _step(start, shift) & through
        for _ in range(size - 3):
            line |= _step(line, shift) & through
        yield line, _step(line, shift) & mask


def _legal(size: int, own: Bits, other: Bits) -> Bits:
    reached = np.zeros_like(own)
    for _, beyond in _lines(size, own, other):
        reached |= beyond
    return reached & ~(own | other)


def _flips(size: int, own: Bits, other: Bits, bit: Bits) -> Bits:
    turned = np.zeros_like(own)
    for line, beyond in _lines(size, bit, other):
        turned |= line * (beyond & own != 0)
    return turned


def _step(board: Bits, shift: int) -> Bits:
    stepped: Bits = board << board.dtype.type(shift) if shift > 0 else board >> board.dtype.type(-shift)
    return stepped


@lru_cache
def _directions(size: int) -> tuple[tuple[int, Any], ...]:
    """The eight directions as (shift, squares a step in it may land on): a step never leaves one edge for another."""
    edges = {0: _board(size)}
    for step, edge in ((1, 0), (-1, size - 1)):
        edges[step] = _board(size) & ~sum(1 << size * row + edge for row in range(size))
    steps = [(size * down + right, edges[right]) for down in (-1, 0, 1) for right in (-1, 0, 1) if down or right]
    return tuple((shift, _type(size)(mask)) for shift, mask in steps)


def _board(size: int) -> int:
    return (1 << size * size) - 1


def _type(size: int) -> Any:
    return np.uint16 if size == 4 else np.uint64
