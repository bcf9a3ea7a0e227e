"""Random games of Othello: vectorised bitboards beside a generator in plain Python, the same openings played.

    .venv/bin/python benchmarks/othello.py [--games 20000] [--plain 60] [--json]

The plain generator keeps discs in a list and looks along eight directions from every empty square, as one would write
it first. Both play whole games, every move drawn uniformly from the legal ones, and both begin with the same opening
of three moves; before they are timed, both list all legal lines of five moves, which must be the same. One core each;
each row is the best of three.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np
from rich.console import Console
from rich.table import Table

from workers.othello.board import NONE, SIZES, openings, random_games

DEPTH, OPENING = 5, 3
STEPS = [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1) if down or right]
Board = list[int]
"""Row by row: 0 empty, 1 the side that moves first, -1 the other."""


@dataclass(frozen=True, slots=True)
class GameTimes:
    """Microseconds a game on one core."""

    board: int
    plain: float
    bitboards: float
    ratio: float


def begin(size: int) -> Board:
    """The four discs in the middle."""
    board, low, high = [0] * size**2, size // 2 - 1, size // 2
    board[size * low + low] = board[size * high + high] = -1
    board[size * low + high] = board[size * high + low] = 1
    return board


def flips(board: Board, size: int, square: int, mover: int) -> list[int]:
    """The discs that turn when the mover takes an empty square."""
    found = []
    for down, right in STEPS:
        row, column, line = square // size + down, square % size + right, []
        while 0 <= row < size and 0 <= column < size and board[size * row + column] == -mover:
            line.append(size * row + column)
            row, column = row + down, column + right
        if line and 0 <= row < size and 0 <= column < size and board[size * row + column] == mover:
            found += line
    return found


def legal(board: Board, size: int, mover: int) -> dict[int, list[int]]:
    """The squares the mover may take, ascending, and what turns."""
    turned = {square: flips(board, size, square, mover) for square, disc in enumerate(board) if not disc}
    return {square: line for square, line in turned.items() if line}


def play(board: Board, size: int, square: int, line: list[int], mover: int) -> tuple[int, dict[int, list[int]]]:
    """Make a move; whose turn it is then, and the legal moves."""
    for turned in (square, *line):
        board[turned] = mover
    moves = legal(board, size, -mover)
    return (-mover, moves) if moves else (mover, legal(board, size, mover))


def plain_game(size: int, opening: tuple[int, ...], rng: random.Random) -> list[int]:
    """One game."""
    board, mover = begin(size), 1
    game: list[int] = []
    moves = legal(board, size, mover)
    while moves:
        square = opening[len(game)] if len(game) < len(opening) else rng.choice(list(moves))
        game.append(square)
        mover, moves = play(board, size, square, moves[square], mover)
    return game


def lines(board: Board, size: int, mover: int, depth: int) -> list[tuple[int, ...]]:
    """All legal lines of so many moves."""
    moves = legal(board, size, mover)
    if not depth or not moves:
        return [()]
    found = []
    for square, line in moves.items():
        after = list(board)
        then, _ = play(after, size, square, line, mover)
        found += [(square, *rest) for rest in lines(after, size, then, depth - 1)]
    return found


def best(work: Callable[[], object], times: int = 3) -> float:
    """Seconds of the quickest of several."""
    taken = []
    for _ in range(times):
        begun = time.process_time()
        work()
        taken.append(time.process_time() - begun)
    return min(taken)


def measure(size: int, games: int, plain: int) -> GameTimes:
    """One board."""
    expected = [line + (NONE,) * (DEPTH - len(line)) for line in lines(begin(size), size, 1, DEPTH)]
    if expected != [tuple(line) for line in openings(size, DEPTH).tolist()]:
        raise AssertionError(f"board {size}: the two generators do not play the same game")
    opening = expected[0][:OPENING]
    slow = best(lambda: [plain_game(size, opening, random.Random(seed)) for seed in range(plain)]) / plain
    fast = best(lambda: random_games(size, games, np.random.default_rng(0), opening=opening)) / games
    return GameTimes(size, 1e6 * slow, 1e6 * fast, slow / fast)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--games", type=int, default=20_000, help="games of the bitboards")
    parser.add_argument("--plain", type=int, default=60, help="games of the plain generator")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    rows = [measure(size, given.games, given.plain) for size in SIZES]
    if given.json:
        print(json.dumps([asdict(row) for row in rows]))
        return
    table = Table("board", "plain, us a game", "bitboards, us a game", "ratio")
    for row in rows:
        name = f"{row.board} x {row.board}"
        table.add_row(name, f"{row.plain:,.0f}", f"{row.bitboards:.2f}", f"{row.ratio:,.0f}")
    Console().print(table)


if __name__ == "__main__":
    main()
