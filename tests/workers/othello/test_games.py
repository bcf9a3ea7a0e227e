"""Pools of games: splits and owners that no draw mixes up, and files that are read through memory maps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from workers.othello.board import history, random_games
from workers.othello.games import (
    COMMON,
    NoSuchGamesError,
    draw_games,
    owners_of,
    split_of,
    write_games,
)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def rows(games: np.ndarray) -> set[bytes]:
    return {game.tobytes() for game in games}


def test_no_game_is_in_two_splits_however_often_it_is_drawn() -> None:
    train = draw_games(4, 20_000, rng(1), split="train")
    test = draw_games(4, 5000, rng(2), split="test")
    assert not rows(train) & rows(test)


def test_a_tenth_of_games_is_for_tests() -> None:
    games = np.unique(random_games(6, 20_000, rng()), axis=0)
    assert split_of(games).mean() == pytest.approx(0.1, abs=0.01)


def test_held_in_games_begin_with_the_opening_and_held_out_games_do_not() -> None:
    opening = (1, 0)
    held_in = draw_games(4, 200, rng(), split="test", opening=opening, beginning="held_in")
    held_out = draw_games(4, 200, rng(), split="test", opening=opening, beginning="held_out")
    assert (held_in[:, :2] == opening).all()
    assert not (held_out[:, :2] == opening).all(axis=1).any()


def test_owners_follow_the_weights_and_the_share_in_common() -> None:
    games = np.unique(random_games(6, 20_000, rng()), axis=0)
    owners = owners_of(games, (0.9, 0.1), common=0.25)
    assert (owners == COMMON).mean() == pytest.approx(0.25, abs=0.02)
    assert (owners[owners != COMMON] == 0).mean() == pytest.approx(0.9, abs=0.02)


def test_a_game_has_one_owner_whatever_it_is_drawn_with() -> None:
    games = random_games(4, 1000, rng())
    alone = [owners_of(game[None], (1, 1, 1), common=0.5)[0] for game in games[:50]]
    assert alone == owners_of(games, (1, 1, 1), common=0.5)[:50].tolist()


@pytest.mark.parametrize(("common", "expected"), [(1.0, {COMMON}), (0.0, {0, 1})])
def test_all_games_or_none_are_in_common(common: float, expected: set[int]) -> None:
    assert set(owners_of(random_games(4, 500, rng()), (1, 1), common).tolist()) == expected


def test_games_on_disk_are_a_memory_map_of_legal_games_and_are_written_once(tmp_path: Path) -> None:
    path = tmp_path / "games.npy"
    games = write_games(path, 4, 3000, rng(), opening=(1,), beginning="held_in")
    assert isinstance(games, np.memmap)
    assert len(games) == 3000
    history(games)
    again = write_games(path, 4, 3000, rng(5), opening=(1,), beginning="held_in")
    assert (again == games).all()
    assert [file.name for file in tmp_path.iterdir()] == ["games.npy"]


def test_distinct_games_are_not_drawn_twice() -> None:
    games = draw_games(4, 1000, rng(), split="test", opening=(1,), beginning="held_in", distinct=True)
    assert len(rows(games)) == 1000


def test_more_distinct_games_than_there_are_is_an_error() -> None:
    with pytest.raises(NoSuchGamesError, match="9000 different games are more than a 4x4 board has"):
        draw_games(4, 9000, rng(), split="test", distinct=True)
