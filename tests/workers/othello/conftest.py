"""The rules of Othello once more, as they are told: discs in a dictionary, walked over one by one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

Discs = dict[tuple[int, int], str]
Square = tuple[int, int]


class PlainGame:
    """A position as a person would keep it: ``x`` moves first, ``o`` second. Shares no line with the bitboards."""

    def __init__(self, size: int, discs: Discs | None = None, mover: str = "x") -> None:
        middle = size // 2
        self.size, self.mover = size, mover
        self.discs = discs or {
            (middle - 1, middle - 1): "o",
            (middle, middle): "o",
            (middle - 1, middle): "x",
            (middle, middle - 1): "x",
        }

    def turned(self, square: Square, mover: str) -> list[Square]:
        """The discs that turn when ``mover`` takes a square."""
        if square in self.discs:
            return []
        found = []
        for down, right in ((a, b) for a in (-1, 0, 1) for b in (-1, 0, 1) if a or b):
            line, (row, column) = [], (square[0] + down, square[1] + right)
            while self.discs.get((row, column), mover) != mover:
                line.append((row, column))
                row, column = row + down, column + right
            if (row, column) in self.discs:
                found += line
        return found

    def legal(self, mover: str | None = None) -> list[int]:
        """Squares that may be taken, ascending."""
        squares = [(row, column) for row in range(self.size) for column in range(self.size)]
        return [self.size * r + c for r, c in squares if self.turned((r, c), mover or self.mover)]

    def after(self, number: int) -> PlainGame:
        """The position after a legal move; a side that cannot move passes."""
        square = divmod(number, self.size)
        changed = dict.fromkeys([square, *self.turned(square, self.mover)], self.mover)
        other = "o" if self.mover == "x" else "x"
        then = PlainGame(self.size, {**self.discs, **changed}, other)
        if not then.legal() and then.legal(self.mover):
            then.mover = self.mover
        return then

    def lines(self, depth: int) -> Iterator[tuple[int, ...]]:
        """Every legal line of ``depth`` moves, and those that end sooner, in order of squares."""
        moves = self.legal() if depth else []
        if not moves:
            yield ()
        for move in moves:
            for rest in self.after(move).lines(depth - 1):
                yield (move, *rest)


@pytest.fixture(scope="session")
def plain_game() -> type[PlainGame]:
    """The independent rules."""
    return PlainGame
