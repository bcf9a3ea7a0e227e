"""The invented languages: how a move is said, and which words are shared."""

from __future__ import annotations

from itertools import combinations

import pytest

from workers.othello.blueprints import languages
from workers.othello.board import SIZES, playable
from workers.othello.languages import InventedLanguage, say, sentence, shared_moves


def words(language: InventedLanguage) -> set[str]:
    return {word for said in language.words for word in said}


@pytest.mark.parametrize("size", SIZES)
def test_a_language_says_every_playable_move_and_no_other(size: int) -> None:
    for language in languages(size):
        assert {square for square, said in enumerate(language.words) if said} == set(playable(size))


@pytest.mark.parametrize("size", SIZES)
def test_different_moves_are_said_differently(size: int) -> None:
    for language in languages(size):
        said = [language.words[square] for square in playable(size)]
        assert len(set(said)) == len(said)


def test_codes_are_private_use() -> None:
    assert [language.code for language in languages()] == ["qaa", "qab", "qac", "qad", "qae", "qaf"]


@pytest.mark.parametrize("size", SIZES)
def test_a_move_takes_as_many_words_as_its_language_type_says(size: int) -> None:
    lengths = {"atomic": {1}, "split": {1, 2, 3}, "compositional": {2}}
    for language in languages(size):
        own = [language.words[square] for square in playable(size) if square not in language.anchored]
        assert {len(said) for said in own} <= lengths[language.type]


def test_split_words_are_fresh_and_compositional_words_name_column_and_row() -> None:
    _, _, split, compositional, _, _ = languages()
    said = [word for square in playable(4) for word in split.words[square]]
    assert len(set(said)) == len(said)
    for square in set(playable(4)) - compositional.anchored:
        for other in set(playable(4)) - compositional.anchored:
            same_column, same_row = square % 4 == other % 4, square // 4 == other // 4
            assert (compositional.words[square][0] == compositional.words[other][0]) == same_column
            assert (compositional.words[square][1] == compositional.words[other][1]) == same_row


@pytest.mark.parametrize("size", SIZES)
def test_two_languages_share_the_words_of_the_moves_that_both_anchor_and_no_others(size: int) -> None:
    for first, second in combinations(languages(size), 2):
        both = first.anchored & second.anchored
        assert words(first) & words(second) == {first.words[square][0] for square in both}
        assert all(first.words[square] == second.words[square] for square in both)


def test_pairs_are_related_to_different_degrees() -> None:
    spoken = languages()
    assert [shared_moves(spoken[0], other) for other in spoken[1:]] == [8, 6, 4, 2, 0]


def test_a_sentence_is_the_words_of_the_moves_in_order() -> None:
    for language in languages():
        moves = playable(4)[:5]
        assert sentence(language, moves).split() == [word for said in say(language, moves) for word in said]


def test_equal_seeds_invent_equal_languages_and_others_differ() -> None:
    first, again, other = languages(4, 1), languages(4, 1), languages(4, 2)
    assert first == again
    assert first is not again
    assert first != other
