"""What is kept of the items beside the cells."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from matrices.cells import Cell
from matrices.items import ITEMS, Items
from matrices.store import Store

MATRIX = "zero_shot-pos-tiny"
PUD = Items(("n01", "n02", "w01"), "pud", ("news", "news", "wiki"))
PLAIN = Items(("1", "2"))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "store", create=True)


def commits(store: Store) -> int:
    return DeltaTable(f"{store.uri}/{ITEMS.folder}").version() + 1


def test_items_come_back_by_matrix_and_target(store: Store) -> None:
    store.keep_items({MATRIX: {"yor": PUD, "deu": PLAIN}, "other": {"yor": PLAIN}})

    assert store.items(MATRIX) == {"yor": PUD, "deu": PLAIN}
    assert store.items("other") == {"yor": PLAIN}
    assert store.items("nobody's") == {}


def test_of_a_store_that_never_heard_of_items_nothing_is_known(store: Store) -> None:
    assert store.items(MATRIX) == {}


def test_what_is_there_already_is_not_written_again(store: Store) -> None:
    store.keep_items({MATRIX: {"yor": PUD}})
    store.keep_items({MATRIX: {"yor": PUD}})
    assert commits(store) == 1

    store.keep_items({MATRIX: {"yor": PUD, "deu": PLAIN}})
    assert commits(store) == 2
    assert store.items(MATRIX) == {"yor": PUD, "deu": PLAIN}


def test_the_row_written_last_counts(store: Store) -> None:
    for items in (PUD, PLAIN, PUD):
        store.keep_items({MATRIX: {"yor": items}})
        assert store.items(MATRIX) == {"yor": items}


def test_jobs_that_start_at_the_same_moment_keep_all_of_theirs(store: Store) -> None:
    targets = [f"q{letter}a" for letter in "abcdefgh"]
    with ThreadPoolExecutor(len(targets)) as jobs:
        list(jobs.map(lambda target: store.keep_items({MATRIX: {target: PUD, "yor": PLAIN}}), targets))

    assert store.items(MATRIX) == {**dict.fromkeys(targets, PUD), "yor": PLAIN}


def test_cells_and_items_do_not_get_into_each_others_way(store: Store, make_cell: Callable[..., Cell]) -> None:
    store.append([make_cell(source="deu")])
    store.keep_items({MATRIX: {"yor": PUD}})
    store.append([make_cell(source="hin")])

    store.compact()
    table = DeltaTable(store.uri)
    table.vacuum(retention_hours=0, dry_run=False, enforce_retention_duration=False)

    assert store.items(MATRIX) == {"yor": PUD}
    assert store.cells(MATRIX)["source"].to_pylist() == ["deu", "hin"]
    assert pa.table(table.scan(["cell_id"])).num_rows == 2


def test_items_lie_in_a_bucket_as_the_cells_do(bucket: str) -> None:
    store = Store.open(f"{bucket}/store", create=True)
    store.keep_items({MATRIX: {"yor": PUD}})
    assert Store(f"{bucket}/store").items(MATRIX) == {"yor": PUD}
