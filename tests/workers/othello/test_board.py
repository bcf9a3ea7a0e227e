"""The game: rules, counts of games that are known, random games."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workers.othello.board import (
    SIZES,
    IllegalMove,
    Position,
    flips,
    play,
    playable,
    positions,
    random_game,
    squares,
    start,
)

games = st.builds(
    lambda size, seed: (size, random_game(size, random.Random(seed))), st.sampled_from((4, 6)), st.integers(0, 10_000)
)


def slow_flips(position: Position, square: int) -> int:
    """The rule as it is told: walk each direction over the other's discs until an own disc."""
    size, turned = position.size, 0
    if (position.black | position.white) >> square & 1:
        return 0
    for down, right in ((a, b) for a in (-1, 0, 1) for b in (-1, 0, 1) if a or b):
        line, row, column = 0, square // size + down, square % size + right
        while 0 <= row < size and 0 <= column < size and position.other >> (row * size + column) & 1:
            line |= 1 << row * size + column
            row, column = row + down, column + right
        if 0 <= row < size and 0 <= column < size and position.own >> (row * size + column) & 1:
            turned |= line
    return turned


def leaves(position: Position) -> int:
    return sum(leaves(play(position, square)) for square in position.legal) if position.legal else 1


def count(position: Position, depth: int) -> int:
    return 1 if depth == 0 else sum(count(play(position, square), depth - 1) for square in position.legal)


def test_the_8x8_board_has_the_known_number_of_openings() -> None:
    assert [count(start(8), depth) for depth in range(1, 6)] == [4, 12, 56, 244, 1396]


def test_the_4x4_board_has_the_known_number_of_games() -> None:
    assert leaves(start(4)) == 60_060


@settings(max_examples=20, deadline=None)
@given(games)
def test_flips_and_legal_moves_are_those_of_the_rule(drawn: tuple[int, tuple[int, ...]]) -> None:
    size, moves = drawn
    for position in positions(moves, size):
        expected = {square: slow_flips(position, square) for square in range(size * size)}
        assert {square: flips(position, square) for square in range(size * size)} == expected
        assert position.legal == tuple(square for square, turned in expected.items() if turned)


@settings(max_examples=20, deadline=None)
@given(games)
def test_every_move_adds_one_disc_and_turns_some(drawn: tuple[int, tuple[int, ...]]) -> None:
    size, moves = drawn
    seen = positions(moves, size)
    for square, before, after in zip(moves, seen[:-1], seen[1:], strict=True):
        assert not after.black & after.white
        assert after.black | after.white == before.black | before.white | 1 << square
        gained = after.black if before.black_to_move else after.white
        assert gained == before.own | 1 << square | flips(before, square)


@settings(max_examples=20, deadline=None)
@given(games)
def test_a_game_ends_when_neither_side_can_move(drawn: tuple[int, tuple[int, ...]]) -> None:
    size, moves = drawn
    end = positions(moves, size)[-1]
    passed = Position(size, end.black, end.white, not end.black_to_move)
    assert end.legal == passed.legal == ()


def test_a_side_that_cannot_move_passes() -> None:
    for seed in range(200):
        seen = positions(random_game(4, random.Random(seed)), 4)
        for before, after in pairwise(seen):
            if after.legal and after.black_to_move == before.black_to_move:
                return
    pytest.fail("no game of 200 had a pass")


def test_equal_seeds_play_equal_games_and_a_limit_breaks_them_off() -> None:
    whole = random_game(4, random.Random(7))
    assert random_game(4, random.Random(7)) == whole
    assert random_game(4, random.Random(7), 5) == whole[:5]


def test_an_illegal_move_names_the_legal_ones() -> None:
    with pytest.raises(IllegalMove, match=r"square 0 is not legal here; legal squares: \(1, 4, 11, 14\)"):
        play(start(4), 0)


def test_an_odd_board_is_refused() -> None:
    with pytest.raises(ValueError, match="board size 5: choose one of 4, 6, 8"):
        start(5)


@pytest.mark.parametrize("size", SIZES)
def test_all_but_four_squares_are_playable(size: int) -> None:
    begin = start(size)
    assert len(playable(size)) == size * size - 4
    assert set(playable(size)).isdisjoint(squares(begin.black | begin.white))
