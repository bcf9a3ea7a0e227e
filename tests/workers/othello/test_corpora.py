"""The generated folder: read by the ordinary readers, true to the games, disjoint, and the same every time."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from workers.corpora import open_corpora
from workers.corpora.types import SPLITS, Corpora
from workers.othello.blueprints import languages
from workers.othello.board import history, playable
from workers.othello.corpora import Sizes, offers_corner, othello_corpora, owners, turned
from workers.othello.languages import InventedLanguage
from workers.tasks.classification import LabelledText
from workers.tasks.tagging import TaggedSentence

SIZES = Sizes(text=200, train=60, dev=20, test=20)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("othello")
    othello_corpora(folder, sizes=SIZES)
    return folder


@pytest.fixture(scope="module")
def corpora(root: Path) -> Corpora:
    return open_corpora(root)


def heard(language: InventedLanguage, words: tuple[str, ...]) -> tuple[int, ...]:
    """The moves that a language says with these words."""
    said = {language.words[square]: square for square in playable(4)}
    moves, pending = [], ()
    for word in words:
        pending = (*pending, word)
        if pending in said:
            moves.append(said[pending])
            pending = ()
    assert not pending
    return tuple(moves)


def openings(corpora: Corpora, task: str, language: InventedLanguage, split: str) -> list[tuple[int, ...]]:
    items = corpora.dataset(task, language.code, split).items  # type: ignore[arg-type]
    words = [item.tokens if isinstance(item, TaggedSentence) else tuple(item.text.split()) for item in items]
    return [heard(language, said) for said in words]


def all_games(corpora: Corpora) -> list[tuple[int, ...]]:
    texts = [(language, corpora.text(language.code)) for language in languages()]
    return [heard(language, tuple(line.split())) for language, text in texts if text for line in text.sentences]


def test_every_language_has_text_and_both_tasks(corpora: Corpora) -> None:
    for language in languages():
        text = corpora.text(language.code)
        assert text is not None
        assert len(text.sentences) == SIZES.text
        for task in ("board", "corner"):
            assert [len(corpora.dataset(task, language.code, split).items) for split in SPLITS] == [60, 20, 20]


def test_tags_are_the_owners_at_the_end_of_the_opening(corpora: Corpora) -> None:
    for language in languages():
        for item in corpora.dataset("board", language.code, "test").items:
            assert isinstance(item, TaggedSentence)
            moves = heard(language, item.tokens)
            expected = [
                owner
                for square, owner in zip(moves, owners(np.array([moves]), 4)[0], strict=True)
                for _ in language.words[square]
            ]
            assert list(item.tags) == expected


def test_labels_say_whether_a_corner_can_be_taken(corpora: Corpora) -> None:
    for language in languages():
        for item in corpora.dataset("corner", language.code, "test").items:
            assert isinstance(item, LabelledText)
            assert (item.label == "corner") == offers_corner(np.array([heard(language, tuple(item.text.split()))]), 4)[
                0
            ]


def test_equal_ids_are_the_same_opening_in_every_language(corpora: Corpora) -> None:
    for task in ("board", "corner"):
        for split in SPLITS:
            first, *others = [openings(corpora, task, language, split) for language in languages()]
            assert all(other == first for other in others)


def test_no_opening_is_in_two_splits_or_begins_a_game_of_the_text(corpora: Corpora) -> None:
    spoken = languages()
    for task in ("board", "corner"):
        found = [opening for split in SPLITS for opening in openings(corpora, task, spoken[0], split)]
        assert len(set(found)) == len(found)
        assert not {game[: len(found[0])] for game in all_games(corpora)} & set(found)


def test_raw_texts_hold_different_whole_games(corpora: Corpora) -> None:
    games = all_games(corpora)
    assert len(set(games)) == len(games) == 6 * SIZES.text
    assert all(not history([game])[-1].legal[0] for game in games)


def test_the_side_that_moved_is_a_poor_guess_of_the_owner(corpora: Corpora) -> None:
    assert (turned(np.array(openings(corpora, "board", languages()[0], "test")), 4) >= 2).all()


def test_a_constant_answer_gets_half_of_the_corner_task(corpora: Corpora) -> None:
    for split in SPLITS:
        labels = Counter(item.label for item in corpora.dataset("corner", "qaa", split).items)  # type: ignore[union-attr]
        assert labels["corner"] == labels["none"]


def test_a_second_call_writes_the_same_bytes(root: Path, tmp_path: Path) -> None:
    othello_corpora(tmp_path, sizes=SIZES)
    written = {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert written == {path.relative_to(root): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_more_openings_than_the_board_has_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="5000 different games are more than a 4x4 board gives; ask for fewer items"):
        othello_corpora(tmp_path, sizes=Sizes(text=1, train=4998, dev=1, test=1))
