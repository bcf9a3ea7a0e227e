from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from matrices.cells import Cell
from matrices.recommend import Question, ask
from matrices.recommend.alternatives import MOST_RELATIVES, elsewhere, nearest_of, unlisted
from matrices.store import Store

OTHERS = (
    {"matrix": "ner-near", "task": "ner", "source": "ces", "target": "deu"},
    {"matrix": "ner-near", "task": "ner", "source": "hau", "target": "deu"},
    {"matrix": "pos-measured", "source": "hau", "target": "hsb", "correct": (1, 1, 0), "total": (1, 1, 1)},
    {"matrix": "pos-measured", "source": "rus", "target": "hsb", "correct": (1, 0, 0), "total": (1, 1, 1)},
    {"matrix": "pos-measured", "source": "hsb", "target": "hsb", "correct": (1, 1, 1), "total": (1, 1, 1)},
    {"matrix": "topic-far", "task": "topic", "source": "swa", "target": "wol"},
)


def store(tmp_path: Path, make_cell: Callable[..., Cell]) -> Store:
    made = Store.open(tmp_path / "store", create=True)
    made.append([make_cell(source="deu", target="yor", matrix="pos-asked")])
    made.append([make_cell(**given) for given in OTHERS])
    return made


def test_matrices_that_have_a_score_or_a_nearer_relative_are_named(
    tmp_path: Path, make_cell: Callable[..., Cell]
) -> None:
    reader = store(tmp_path, make_cell)
    infos = {info.matrix: info for info in reader.matrices()}

    found = elsewhere(reader, reader.version, infos.values(), infos["pos-asked"], "hsb", nearest_of(["deu"], "hsb"))

    assert [(one.matrix, one.source, one.measured) for one in found] == [
        ("pos-measured", "hau", True),
        ("ner-near", "ces", False),
    ]
    assert [one.score for one in found] == [2 / 3, None]


def test_nothing_is_named_that_is_no_nearer(tmp_path: Path, make_cell: Callable[..., Cell]) -> None:
    reader = store(tmp_path, make_cell)
    infos = {info.matrix: info for info in reader.matrices()}

    assert elsewhere(reader, reader.version, infos.values(), infos["pos-asked"], "ewe", nearest=1) == ()


def test_an_answer_that_was_measured_asks_no_other_matrix(tmp_path: Path, make_cell: Callable[..., Cell]) -> None:
    assert ask(store(tmp_path, make_cell), Question(task="ner", target="deu")).elsewhere == ()


def test_relatives_of_the_genus_come_first_those_with_labels_before_others() -> None:
    found = unlisted("hsb", ["rus"], ["slk", "deu", "swa"])

    assert found[0] == "slk"
    assert "rus" not in found
    assert "hsb" not in found
    assert {"pol", "ces", "ukr"} <= set(found)
    assert "swa" not in found
    assert len(found) == MOST_RELATIVES


def test_of_an_isolate_a_creole_or_a_language_that_nobody_knows_there_are_none() -> None:
    assert unlisted("eus", []) == unlisted("hat", []) == unlisted("qaa", ["deu"]) == ()
