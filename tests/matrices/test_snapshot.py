from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from matrices.cells import Cell
from matrices.items import Items
from matrices.reading import UnknownMatrixError, UnknownVersionError
from matrices.snapshot_of_store import read_snapshot
from matrices.store import Store

MATRIX = "zero_shot-pos-tiny"


def test_what_is_held_answers_as_the_store_does(two_matrices: Store) -> None:
    snapshot = read_snapshot(two_matrices)

    assert snapshot.version == two_matrices.version
    assert snapshot.matrices() == two_matrices.matrices()
    assert snapshot.cells(MATRIX).equals(two_matrices.cells(MATRIX))
    assert snapshot.cells(MATRIX, source="nan", columns=["seed"]).equals(
        two_matrices.cells(MATRIX, source="nan", columns=["seed"])
    )


def test_what_is_held_knows_the_items_that_the_store_knew(two_matrices: Store) -> None:
    items = Items(("a", "b", "c"), "sib200")
    two_matrices.keep_items({MATRIX: {"yor": items}})

    assert read_snapshot(two_matrices).items(MATRIX) == {"yor": items}
    assert read_snapshot(two_matrices).items("zero_shot-topic-tiny") == {}


def test_what_is_held_does_not_change_with_the_store(two_matrices: Store, make_cell: Callable[..., Cell]) -> None:
    snapshot = read_snapshot(two_matrices)
    two_matrices.append([make_cell(source="eng")])

    assert snapshot.cells(MATRIX).num_rows == 4
    assert read_snapshot(two_matrices).cells(MATRIX).num_rows == 5
    assert read_snapshot(two_matrices, snapshot.version).cells(MATRIX).num_rows == 4


def test_an_empty_store_can_be_held(tmp_path: Path) -> None:
    assert read_snapshot(Store.open(tmp_path / "store", create=True)).matrices() == []


def test_other_versions_and_matrices_are_errors_naming_its_own(two_matrices: Store) -> None:
    snapshot = read_snapshot(two_matrices)

    with pytest.raises(UnknownVersionError, match="there is no version 1; versions are 2 to 2"):
        snapshot.cells(MATRIX, version=1)
    with pytest.raises(UnknownMatrixError, match="zero_shot-topic-tiny"):
        snapshot.cells("nope")


def test_a_matrix_named_after_a_hub_id_goes_by_a_name_that_stands_in_an_address(
    tmp_path: Path, make_cell: Callable[..., Cell]
) -> None:
    store = Store.open(tmp_path / "store", create=True)
    old = "pos-zero_shot-FacebookAI/xlm-roberta-base-0123abcd"
    store.append([make_cell(matrix=old), make_cell(matrix=old, source="eng")])
    store.keep_items({old: {"yor": Items(("a", "b", "c"))}})
    snapshot = read_snapshot(store)
    (info,) = snapshot.matrices()
    assert info.matrix == old.replace("/", "-")
    assert set(snapshot.cells(info.matrix)["matrix"].to_pylist()) == {info.matrix}
    assert snapshot.items(info.matrix)["yor"].ids == ("a", "b", "c")
    assert read_snapshot(store, before=snapshot).kept[info.matrix] is snapshot.kept[info.matrix]
