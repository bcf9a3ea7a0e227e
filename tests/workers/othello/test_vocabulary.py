"""Games written as tokens in every kind of language, and what a model is to predict of them."""

from __future__ import annotations

import numpy as np
import pytest

from workers.othello.board import NONE, random_games
from workers.othello.languages import LanguageType, sentence
from workers.othello.vocabulary import IGNORED, PAD, MoveVocabulary, invented

TYPES: tuple[LanguageType, ...] = ("atomic", "split", "compositional")
ANCHORS = frozenset({1, 14})


@pytest.fixture(params=[frozenset[int](), ANCHORS], ids=["no anchors", "anchors"])
def anchors(request: pytest.FixtureRequest) -> frozenset[int]:
    return request.param  # type: ignore[no-any-return]


def test_a_game_is_written_with_the_words_of_its_language(anchors: frozenset[int]) -> None:
    languages = invented(4, TYPES, [anchors] * 3)
    vocabulary = MoveVocabulary.of(languages, 4)
    games = random_games(4, 30, np.random.default_rng(0))
    spoken = np.arange(30) % 3
    written = vocabulary.write(games, spoken)
    for game, language, ids in zip(games, spoken, written.ids, strict=True):
        words = [vocabulary.words[token - 1] for token in ids if token != PAD]
        assert " ".join(words) == sentence(languages[language], game[game != NONE].tolist())


def test_every_move_has_the_places_of_its_first_and_last_token() -> None:
    languages = invented(4, TYPES, [ANCHORS] * 3)
    vocabulary = MoveVocabulary.of(languages, 4)
    games = random_games(4, 30, np.random.default_rng(1))
    for number, language in enumerate(languages):
        written = vocabulary.write(games, number)
        for row, game in enumerate(games):
            for move, square in enumerate(game):
                first, last = written.starts[row, move], written.ends[row, move]
                if square == NONE:
                    assert first == last == -1
                    continue
                words = tuple(vocabulary.words[token - 1] for token in written.ids[row, first : last + 1])
                assert words == language.words[square]


def test_naive_targets_are_the_next_tokens() -> None:
    vocabulary = MoveVocabulary.of(invented(4, TYPES, [frozenset()] * 3), 4)
    games = random_games(4, 30, np.random.default_rng(0))
    written = vocabulary.write(games, 1)
    targets = vocabulary.targets(written, games, "naive")
    for ids, wanted in zip(written.ids, targets, strict=True):
        length = int((ids != PAD).sum())
        assert wanted[: length - 1].tolist() == ids[1:length].tolist()
        assert (wanted[length - 1 :] == IGNORED).all()


@pytest.mark.parametrize("language", range(3))
def test_unified_targets_are_the_next_moves_at_the_last_token_of_each_and_nowhere_else(language: int) -> None:
    vocabulary = MoveVocabulary.of(invented(4, TYPES, [ANCHORS] * 3), 4)
    games = random_games(4, 30, np.random.default_rng(0))
    written = vocabulary.write(games, language)
    targets = vocabulary.targets(written, games, "unified")
    for game, ends, wanted in zip(games, written.ends, targets, strict=True):
        moves = game[game != NONE]
        expected = dict(zip(ends[: len(moves) - 1].tolist(), moves[1:].tolist(), strict=True))
        found = {at: int(vocabulary.squares[place]) for at, place in enumerate(wanted) if place != IGNORED}
        assert found == expected


def test_unified_targets_are_the_same_moves_in_every_language() -> None:
    vocabulary = MoveVocabulary.of(invented(4, TYPES, [ANCHORS] * 3), 4)
    games = random_games(4, 30, np.random.default_rng(0))
    each = [vocabulary.targets(vocabulary.write(games, language), games, "unified") for language in range(3)]
    said = [[row[row != IGNORED].tolist() for row in targets] for targets in each]
    assert said[0] == said[1] == said[2]


def test_languages_share_the_tokens_of_anchors_and_no_others() -> None:
    vocabulary = MoveVocabulary.of(invented(4, TYPES, [ANCHORS, ANCHORS, frozenset()]), 4)
    tokens = [set(vocabulary.moves[language].ravel()) - {PAD} for language in range(3)]
    assert len(tokens[0] & tokens[1]) == len(ANCHORS)
    assert not tokens[0] & tokens[2]
    assert not tokens[1] & tokens[2]


def test_there_is_room_for_the_longest_game() -> None:
    vocabulary = MoveVocabulary.of(invented(6, TYPES, [frozenset()] * 3), 6)
    games = random_games(6, 200, np.random.default_rng(0))
    assert max(vocabulary.write(games, language).ids.shape[1] for language in range(3)) <= vocabulary.room
