"""The game: the rule itself, counts of lines that are known, random games."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workers.othello.board import (
    NONE,
    SIZES,
    IllegalMove,
    Moves,
    history,
    lengths,
    openings,
    play,
    playable,
    random_games,
    square_name,
    squares,
    start,
)

KNOWN = {8: [4, 12, 56, 244, 1396, 8200], 4: [4, 12, 44, 128, 436, 1296], 6: [4, 12, 56, 244, 1364, 7604]}
"""Legal lines of one to six moves. The 8 x 8 ones are published perft counts."""


def one_game(size: int, seed: int) -> list[int]:
    return [int(square) for square in random_games(size, 1, np.random.default_rng(seed))[0] if square != NONE]


@pytest.mark.parametrize("size", SIZES)
def test_every_board_has_the_known_number_of_openings(size: int) -> None:
    assert [len(openings(size, depth)) for depth in range(1, 7)] == KNOWN[size]


@pytest.mark.parametrize(("size", "depth"), [(4, 6), (6, 6), (8, 5)])
def test_lines_are_those_of_an_independent_enumeration(size: int, depth: int, plain_game: Any) -> None:
    expected = [line + (NONE,) * (depth - len(line)) for line in plain_game(size).lines(depth)]
    assert [tuple(line) for line in openings(size, depth).tolist()] == expected


def test_the_number_of_lines_of_six_moves_is_that_of_an_independent_enumeration(plain_game: Any) -> None:
    assert sum(1 for _ in plain_game(8).lines(6)) == len(openings(8, 6))


def test_the_4x4_board_has_the_known_number_of_games() -> None:
    games = openings(4, 12)
    assert len(games) == len(np.unique(games, axis=0)) == 60_060


@settings(max_examples=15, deadline=None)
@given(st.sampled_from(SIZES), st.integers(0, 10_000))
def test_games_are_played_as_the_rule_says(plain_game: Any, size: int, seed: int) -> None:
    game = one_game(size, seed)
    expected = plain_game(size)
    seen = history([game], size)
    for at, move in zip(seen, [*game, None], strict=True):
        discs = {side: [size * r + c for (r, c), owner in expected.discs.items() if owner == side] for side in "xo"}
        assert list(squares(int(at.black[0]))) == sorted(discs["x"])
        assert list(squares(int(at.white[0]))) == sorted(discs["o"])
        assert list(squares(int(at.legal[0]))) == expected.legal()
        if move is not None:
            assert at.black_to_move[0] == (expected.mover == "x")
            expected = expected.after(move)
    assert not seen[-1].legal.any()


def test_many_games_are_played_as_each_alone() -> None:
    games = random_games(6, 50, np.random.default_rng(3))
    together = history(games, 6)
    for number, game in enumerate(games):
        alone = history(game[None], 6)
        assert [int(at.black[number]) for at in together] == [int(at.black[0]) for at in alone]


def test_a_side_that_cannot_move_passes() -> None:
    games = random_games(4, 200, np.random.default_rng(0))
    seen = history(games, 4)
    passed = [(after.black_to_move == before.black_to_move) & (after.legal != 0) for before, after in pairwise(seen)]
    assert np.any(passed)


def test_equal_seeds_play_equal_games_and_a_limit_breaks_them_off() -> None:
    whole: list[Moves] = [random_games(4, 20, np.random.default_rng(7)) for _ in range(2)]
    assert (whole[0] == whole[1]).all()
    assert (random_games(4, 20, np.random.default_rng(7), limit=5) == whole[0][:, :5]).all()


def test_every_legal_move_is_as_likely() -> None:
    first = random_games(8, 4000, np.random.default_rng(1), limit=1)[:, 0]
    counts = np.unique(first, return_counts=True)[1]
    assert len(counts) == 4
    assert abs(counts - 1000).max() < 120  # Four standard deviations.


def test_all_games_begin_with_the_opening_they_are_given() -> None:
    games = random_games(4, 30, np.random.default_rng(0), opening=(1, 0))
    assert (games[:, :2] == [1, 0]).all()
    assert len(np.unique(games, axis=0)) > 10


def test_an_illegal_move_names_the_game_and_the_legal_ones() -> None:
    with pytest.raises(IllegalMove, match=r"game 1: square 0 is not legal here; legal squares: \(1, 4, 11, 14\)"):
        play(start(4, 2), [1, 0])


@pytest.mark.parametrize("square", [16, 200, NONE])
def test_a_square_off_the_board_is_illegal_while_there_are_moves(square: int) -> None:
    with pytest.raises(IllegalMove):
        play(start(4), [square])


def test_an_odd_board_is_refused() -> None:
    with pytest.raises(ValueError, match="board size 5: choose one of 4, 6, 8"):
        start(5)


@pytest.mark.parametrize("size", SIZES)
def test_all_but_four_squares_are_playable(size: int) -> None:
    begin = start(size)
    assert len(playable(size)) == size * size - 4
    assert set(playable(size)).isdisjoint(squares(int(begin.own[0] | begin.other[0])))


def test_squares_are_named_as_players_name_them() -> None:
    assert [square_name(square, 8) for square in (0, 7, 19, 63)] == ["a1", "h1", "d3", "h8"]


def test_the_length_of_a_game_is_the_number_of_its_moves() -> None:
    games = random_games(4, 10, np.random.default_rng(0))
    assert lengths(games).tolist() == [len(game[game != NONE]) for game in games]
