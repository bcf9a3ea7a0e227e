"""Verdicts on moves: a model of known habits is judged as it deserves."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from workers.othello.board import NONE, Moves, history, random_games, squares
from workers.othello.languages import LanguageType
from workers.othello.model import Transformer
from workers.othello.transfer import VERDICTS, Verdict, verdicts
from workers.othello.vocabulary import PAD, MoveVocabulary, Output, invented

PAIRS: list[tuple[LanguageType, LanguageType]] = [
    ("atomic", "atomic"),
    ("atomic", "split"),
    ("compositional", "split"),
    ("split", "compositional"),
]
Choose = Callable[[list[int], int], tuple[int, int]]
"""(moves so far, language of the game) -> square and language of what is said next."""


class Puppet(Transformer):
    """Says what it is told to, token by token, whatever it was asked in."""

    def __init__(self, vocabulary: MoveVocabulary, output: Output, choose: Choose) -> None:
        super().__init__(tokens=vocabulary.tokens, outputs=vocabulary.tokens, room=99, layers=1, width=4, heads=1)
        self.vocabulary, self.choice, self.mode = vocabulary, choose, output

    def forward(self, ids: Tensor) -> Tensor:
        logits = torch.zeros(*ids.shape, self.vocabulary.outputs(self.mode))
        for row, line in enumerate(ids.tolist()):
            for at in range(len(line)):
                if line[at] != PAD:
                    logits[row, at, self.next_token(line[: at + 1])] = 1
        return logits

    def next_token(self, tokens: list[int]) -> int:
        moves, language, pending = self.heard(tokens)
        square, spoken = self.choice(moves, language)
        if self.mode == "unified":
            return int(self.vocabulary.places[square])
        said = [int(token) for token in self.vocabulary.moves[spoken, square] if token != PAD]
        return said[len(pending)] if pending == said[: len(pending)] and len(pending) < len(said) else said[0]

    def heard(self, tokens: list[int]) -> tuple[list[int], int, list[int]]:
        """The moves in a line of tokens, the language of the first, and the tokens of a move that is not complete."""
        known = {
            tuple(int(token) for token in self.vocabulary.moves[language, square] if token != PAD): (square, language)
            for language in range(len(self.vocabulary.moves))
            for square in self.vocabulary.squares
        }
        moves: list[tuple[int, int]] = []
        pending: tuple[int, ...] = ()
        for token in tokens:
            pending = (*pending, token)
            if pending in known:
                moves.append(known[pending])
                pending = ()
        return [int(square) for square, _ in moves], moves[0][1] if moves else 0, list(pending)


def judged(
    types: tuple[LanguageType, ...], language: int, choose: Choose, output: Output = "naive"
) -> dict[Verdict, int]:
    vocabulary = MoveVocabulary.of(invented(4, types, [frozenset()] * len(types)), 4)
    games = random_games(4, 3, np.random.default_rng(0))
    found = verdicts(Puppet(vocabulary, output, choose), vocabulary, games, language, output)
    return {verdict: int(counts.sum()) for verdict, counts in found.items()}


def positions(games: Moves) -> int:
    return int((games[:, 1:] != NONE).sum())


def a_legal_move(moves: list[int]) -> int:
    return next(squares(int(history(np.array([moves], dtype=np.uint8))[-1].legal[0])), 0)


def an_illegal_move(moves: list[int]) -> int:
    """A square that is taken. Asked before a first move is complete, when nothing it says is judged: any square."""
    return moves[0] if moves else 1


def only(verdict: Verdict) -> dict[Verdict, int]:
    asked = positions(random_games(4, 3, np.random.default_rng(0)))
    return {name: asked if name == verdict else 0 for name in VERDICTS}


@pytest.mark.parametrize("types", PAIRS)
@pytest.mark.parametrize("language", [0, 1])
class TestEveryKindOfLanguage:
    def test_a_legal_move_in_the_language_of_the_game(self, types: tuple[LanguageType, ...], language: int) -> None:
        assert judged(types, language, lambda moves, spoken: (a_legal_move(moves), spoken)) == only("legal")

    def test_a_legal_move_said_in_the_other_language(self, types: tuple[LanguageType, ...], language: int) -> None:
        found = judged(types, language, lambda moves, spoken: (a_legal_move(moves), 1 - spoken))
        assert found == only("legal_elsewhere")

    def test_an_illegal_move_in_the_language_of_the_game(self, types: tuple[LanguageType, ...], language: int) -> None:
        assert judged(types, language, lambda moves, spoken: (an_illegal_move(moves), spoken)) == only("illegal")

    def test_an_illegal_move_said_in_the_other_language(self, types: tuple[LanguageType, ...], language: int) -> None:
        assert judged(types, language, lambda moves, spoken: (an_illegal_move(moves), 1 - spoken)) == only(
            "illegal_elsewhere"
        )

    def test_unified_output_has_no_other_language_to_say_a_move_in(
        self, types: tuple[LanguageType, ...], language: int
    ) -> None:
        found = judged(types, language, lambda moves, spoken: (a_legal_move(moves), spoken), "unified")
        assert found == only("legal")


def test_where_all_moves_so_far_are_anchors_no_language_is_the_wrong_one() -> None:
    games = random_games(4, 5, np.random.default_rng(0), opening=(1,))
    vocabulary = MoveVocabulary.of(invented(4, ("atomic", "atomic"), [frozenset({1})] * 2), 4)
    puppet = Puppet(vocabulary, "naive", lambda moves, _: (a_legal_move(moves), 1))
    found = verdicts(puppet, vocabulary, games, 0, "naive")
    # Behind the first move nothing tells the languages apart; behind any other all tell that this is language A.
    assert found["legal_either"].tolist() == [1] * len(games)
    assert found["legal_elsewhere"].sum() == positions(games) - len(games)


def test_tokens_that_are_no_move_are_told_so() -> None:
    vocabulary = MoveVocabulary.of(invented(4, ("split", "compositional"), [frozenset()] * 2), 4)

    class Stutterer(Puppet):
        def next_token(self, tokens: list[int]) -> int:
            return int(vocabulary.moves[1, 1, 0])  # A column, and never a row.

    games = random_games(4, 3, np.random.default_rng(0))
    found = verdicts(Stutterer(vocabulary, "naive", lambda *_: (0, 0)), vocabulary, games, 0, "naive")
    assert found["no_move"].sum() == positions(games)
