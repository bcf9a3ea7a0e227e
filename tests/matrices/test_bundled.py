from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from matrices.bundled import CELLS, ITEMS, BoxError, boxed, read_box, write_box
from matrices.cells import SCHEMA, Cell
from matrices.items import Items
from matrices.reading import CorpusCredit, Provenance, UnknownMatrixError, UnknownVersionError
from matrices.recommend import Question, ask
from matrices.store import Store

MATRIX = "zero_shot-pos-tiny"
PROVENANCE = Provenance(
    encoder="tiny@0123456789ab",
    corpora=(CorpusCredit("UD_Wolof-WTB", "CC BY-SA 4.0"),),
    seeds=(0, 1),
    versions={"torch": "2.9.0"},
    date="2026-01-01",
    command="sprachbund fill jobs/real.yaml",
)


def test_a_box_answers_as_the_store_it_was_written_from(two_matrices: Store, tmp_path: Path) -> None:
    write_box([two_matrices], PROVENANCE, tmp_path / "box")
    box = read_box(tmp_path / "box")

    assert box is not None
    assert box.matrices() == two_matrices.matrices()
    assert box.version == two_matrices.version
    assert box.cells(MATRIX).schema == SCHEMA
    assert box.cells(MATRIX).equals(two_matrices.cells(MATRIX))
    assert box.cells(MATRIX, source="nan", target="yor").equals(box.cells(MATRIX).slice(2, 2))


def test_a_box_tells_ties_as_its_store_does(tmp_path: Path, make_cell: Callable[..., Cell]) -> None:
    """Worse on the same ten items in a hundred, of twenty words each: beyond doubt when they are held together."""
    store = Store.open(tmp_path / "store", create=True)
    right = {"deu": [20] * 60 + [0] * 40, "eng": [20] * 50 + [0] * 50, "nld": [20] * 60 + [0] * 40}
    store.append(
        [
            make_cell(source=source, seed=seed, correct=tuple(correct), total=(20,) * 100)
            for source, correct in right.items()
            for seed in (0, 1)
        ]
    )
    passages = tuple(str(at // 2) for at in range(100))
    store.keep_items({MATRIX: {"yor": Items(tuple(map(str, range(100))), None, passages)}})
    write_box([store], PROVENANCE, tmp_path / "box")
    box = read_box(tmp_path / "box")
    assert box is not None
    question = Question(task="pos", target="yor")

    answer = ask(box, question)

    assert answer.tied == ("deu", "nld")
    assert answer.ties_known
    assert replace(answer, measured_on=None) == ask(store, question)
    assert box.items(MATRIX) == store.items(MATRIX)


def test_a_box_says_what_it_was_measured_on(two_matrices: Store, tmp_path: Path) -> None:
    write_box([two_matrices], PROVENANCE, tmp_path)
    box = read_box(tmp_path)

    assert box is not None
    assert box.provenance == PROVENANCE


def test_a_box_has_one_version_and_its_own_matrices(two_matrices: Store, tmp_path: Path) -> None:
    write_box([two_matrices], PROVENANCE, tmp_path)
    box = read_box(tmp_path)

    assert box is not None
    with pytest.raises(UnknownVersionError, match="there is no version 1; versions are 2 to 2"):
        box.cells(MATRIX, version=1)
    with pytest.raises(UnknownMatrixError, match="zero_shot-topic-tiny"):
        box.cells("nope")


def test_altered_cells_are_refused(two_matrices: Store, tmp_path: Path) -> None:
    write_box([two_matrices], PROVENANCE, tmp_path)
    with (tmp_path / CELLS).open("ab") as file:
        file.write(b"!")

    with pytest.raises(BoxError, match=r"measured\.parquet is not the file measured\.json speaks of"):
        read_box(tmp_path)


def test_altered_items_are_refused(two_matrices: Store, tmp_path: Path) -> None:
    write_box([two_matrices], PROVENANCE, tmp_path)
    (tmp_path / ITEMS).unlink()

    with pytest.raises(BoxError, match=r"measured-items\.parquet is not the file measured\.json speaks of"):
        read_box(tmp_path)


def test_no_box_is_no_error(tmp_path: Path) -> None:
    assert read_box(tmp_path) is None


def test_the_box_of_this_installation_is_whole() -> None:
    box = boxed()

    assert box is None or all(info.cells for info in box.matrices())
