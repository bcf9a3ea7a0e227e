"""Probes read what is there, in the language it is in, and no more than is there."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from workers.othello.board import NONE, history, random_games, squares
from workers.othello.measuring import Rotation, cosine, linear_cka
from workers.othello.model import Transformer
from workers.othello.probes import Probe, board_states, majority, majority_by_move, move_states
from workers.othello.vocabulary import MoveVocabulary, invented

GAMES = random_games(4, 120, np.random.default_rng(0))


def encoded(noise: float = 0.1) -> tuple[torch.Tensor, torch.Tensor]:
    """States of two layers that hold the board linearly, and the boards."""
    generator = torch.Generator().manual_seed(0)
    boards = board_states(GAMES, 4)["absolute"]
    truth = torch.nn.functional.one_hot(boards, 3).flatten(1).float()
    mixing = torch.randn(2, truth.shape[1], 60, generator=generator)
    states = truth @ mixing
    return states + noise * torch.randn(states.shape, generator=generator), boards


def fit(states: torch.Tensor, boards: torch.Tensor, kind: str) -> Probe:
    if kind == "linear":
        return Probe.linear(states, boards)
    return Probe.two_layer(states, boards, hidden=64, steps=300, batch=256, seed=0)


def test_boards_are_those_of_the_game_in_both_colours() -> None:
    found = board_states(GAMES[:3], 4)
    row = 0
    for game in GAMES[:3]:
        for at, move in zip(history(game[None])[1:], game, strict=True):
            if move == NONE:
                continue
            for colours, first, second in (("absolute", at.black, at.white), ("mine", at.own, at.other)):
                states = found[colours][row].tolist()  # type: ignore[index]
                assert [square for square, state in enumerate(states) if state == 1] == list(squares(int(first[0])))
                assert [square for square, state in enumerate(states) if state == 2] == list(squares(int(second[0])))
            row += 1
    assert row == len(found["mine"])


@pytest.mark.parametrize("kind", ["linear", "two_layer"])
def test_a_probe_reads_a_board_that_is_there(kind: str) -> None:
    states, boards = encoded()
    held = torch.arange(len(boards)) % 5 == 0
    accuracy = fit(states[:, ~held], boards[~held], kind).accuracy(states[:, held], boards[held])
    assert (accuracy > 0.95).all()


@pytest.mark.parametrize("kind", ["linear", "two_layer"])
def test_a_probe_of_noise_reads_no_more_than_the_commonest_states(kind: str) -> None:
    boards = board_states(GAMES, 4)["absolute"]
    noise = torch.randn(1, len(boards), 20, generator=torch.Generator().manual_seed(1))
    held = torch.arange(len(boards)) % 5 == 0
    accuracy = fit(noise[:, ~held], boards[~held], kind).accuracy(noise[:, held], boards[held])
    assert accuracy[0] <= majority(boards[~held], boards[held]) + 0.02


def test_each_layer_is_fitted_as_if_it_were_alone() -> None:
    states, boards = encoded()
    together = Probe.linear(states, boards).accuracy(states, boards)
    alone = [Probe.linear(layer[None], boards).accuracy(layer[None], boards)[0] for layer in states]
    assert together.tolist() == pytest.approx(alone)


def test_equal_seeds_fit_equal_probes() -> None:
    states, boards = encoded()
    read = [fit(states, boards, "two_layer").read(states) for _ in range(2)]
    assert torch.equal(*read)


def test_a_rotation_finds_back_what_was_only_turned_and_moved() -> None:
    states, boards = encoded()
    turn, _ = torch.linalg.qr(torch.randn(2, 60, 60, generator=torch.Generator().manual_seed(3)))
    turned = states @ turn + 2.0
    probe = Probe.linear(states, boards)
    assert probe.accuracy(turned, boards).max() < 0.6
    assert probe.accuracy(Rotation(turned, states)(turned), boards).min() > 0.95
    assert linear_cka(states, turned) == pytest.approx([1, 1], abs=1e-4)


def test_similarity_of_unrelated_states_is_low() -> None:
    first, second = torch.randn(2, 1, 4000, 10, generator=torch.Generator().manual_seed(0))
    assert linear_cka(first, second)[0] < 0.05
    assert [abs(values[0]) < 0.05 for values in cosine(first, second)] == [True, True]
    same, others = cosine(first, first)
    assert same == pytest.approx([1.0])
    assert abs(others[0]) < 0.05


def test_knowing_how_many_moves_were_made_tells_more_than_the_commonest_state() -> None:
    boards = board_states(GAMES, 4)["absolute"]
    moves = torch.from_numpy(np.nonzero(GAMES != NONE)[1])
    assert majority_by_move(boards, boards, moves, moves) > majority(boards, boards)


@pytest.mark.parametrize("language", [0, 1])
def test_states_of_moves_are_taken_where_they_are_said(language: int) -> None:
    vocabulary = MoveVocabulary.of(invented(4, ("atomic", "split"), [frozenset()] * 2), 4)
    torch.manual_seed(0)
    model = Transformer(tokens=vocabulary.tokens, outputs=3, room=vocabulary.room, layers=2, width=8, heads=2)
    games = GAMES[:4]
    found = move_states(model, vocabulary, games, language, ("last", "first", "mean"))
    at = 0
    for game in games:
        written = vocabulary.write(game[None], language)
        with torch.no_grad():
            states = torch.stack(model.states(torch.from_numpy(written.ids)))[:, 0]
        for move in range(int((game != NONE).sum())):
            first, last = written.starts[0, move], written.ends[0, move]
            expected = {"first": states[:, first], "last": states[:, last], "mean": states[:, first : last + 1].mean(1)}
            for pooling, values in expected.items():
                assert torch.allclose(found[pooling][:, at], values, atol=1e-5)  # type: ignore[index]
            at += 1
