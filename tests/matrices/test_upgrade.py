"""Stores of the release before: they open, answer the same, and are upgraded by whoever writes next."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

from matrices.cells import SCHEMA, SCHEMA_VERSION, Cell, from_table
from matrices.export import export
from matrices.published.importing import About, import_published
from matrices.published.reading import read_published
from matrices.recommend.query import Question, ask
from matrices.store import Store, StoreTooNewError
from matrices.upgrade import upgraded

WRITTEN = Path(__file__).parent / "schema_1" / "store"
"""Two matrices, one measured and one imported, as the release before wrote them: three appends."""
MEASURED, IMPORTED = "pos-zero_shot-mini-01234567", "others"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return Path(shutil.copytree(WRITTEN, tmp_path / "store"))


def test_an_old_store_opens_as_if_it_had_this_schema(old: Path) -> None:
    store = Store(old)
    measured, imported = store.cells(MEASURED), store.cells(IMPORTED)
    assert measured.schema == imported.schema == SCHEMA
    assert (measured.num_rows, imported.num_rows) == (15, 6)
    assert {tuple(row.values()) for row in measured.select(["method", "shots", "provenance", "data"]).to_pylist()} == {
        ("bottleneck", 0, None, None)
    }
    first = from_table(imported)[0]
    assert (first.device, first.method, first.provenance) == (
        "imported",
        None,
        "imported from scores.csv (sha256 87d115f8ab7ad6b1d8ad259cd7e9be23): Doe 2020",
    )
    assert store.version == DeltaTable(old).version() == 3  # reading writes nothing


def test_nothing_of_an_old_cell_is_lost(old: Path) -> None:
    table = pa.table(DeltaTable(old).scan())
    by_id = {row["cell_id"]: row for row in table.to_pylist()}
    store = Store(old)
    cells = [cell for matrix in (MEASURED, IMPORTED) for cell in from_table(store.cells(matrix))]
    assert len(cells) == len(by_id)
    for cell in cells:
        was = by_id[cell.cell_id]
        for name in ("score", "n_items", "status", "error", "seconds", "seed", "source", "target", "selection"):
            assert getattr(cell, name) == was[name]
        assert (cell.correct is None) == (was["correct"] is None)
        assert list(cell.correct or ()) == list(was["correct"] or ())
        assert list(cell.total or ()) == list(was["total"] or ())
        assert cell.provenance in (None, was["device"])


@pytest.mark.parametrize(("task", "target"), [("pos", "yor"), ("ner", "wol")])
def test_an_old_store_answers_as_the_upgraded_one(old: Path, task: str, target: str) -> None:
    question = Question(task=task, target=target)
    before = ask(Store(old), question)
    Store(old).upgrade()
    after = ask(Store(old), question)
    assert before.sources == after.sources
    assert (before.basis, before.advice, before.imported_from) == (after.basis, after.advice, after.imported_from)
    assert (before.imported_from is None) == (task == "pos")


def test_whoever_appends_upgrades_and_loses_nothing(old: Path, make_cell: Callable[..., Cell]) -> None:
    before = {matrix: Store(old).cells(matrix) for matrix in (MEASURED, IMPORTED)}
    new = make_cell(matrix="new", correct=(0.25, 1.0), total=(1, 1), provenance="xquad", data="0123:2")
    Store(old).append([new])

    store = Store(old)
    assert from_table(store.cells("new")) == [new]
    assert {matrix: store.cells(matrix) for matrix in before} == before
    assert {matrix: store.cells(matrix, version=3) for matrix in before} == before  # as it was written then
    assert DeltaTable(old).metadata().configuration["sprachbund.schema_version"] == str(SCHEMA_VERSION)
    assert DeltaTable(old).metadata().partition_columns == ["matrix"]
    assert len(store.items(MEASURED)["yor"].ids) == 30
    assert store.upgrade() is None


def test_an_import_upgrades(old: Path, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("source,target,score\neng,yor,.5\n", encoding="utf-8")
    import_published(str(old), read_published(tmp_path / "t.csv"), About(matrix="more", task="ner"))
    assert pa.schema(DeltaTable(old).schema()).field("correct").type == pa.list_(pa.float64())


def test_an_upgrade_that_stopped_half_way_is_done_by_the_next(old: Path) -> None:
    number = {"sprachbund.schema_version": str(SCHEMA_VERSION)}
    DeltaTable(old).alter.set_table_properties(number, raise_if_not_exists=False)
    before = Store(old).cells(MEASURED)
    assert Store.open(old, create=True).cells(MEASURED) == before
    assert Store(old).upgrade() is None


def test_upgrades_and_appends_of_several_at_once_keep_every_cell_once(
    old: Path, make_cell: Callable[..., Cell]
) -> None:
    def work(seed: int) -> None:
        Store.open(old, create=True).append([make_cell(matrix="new", seed=seed)])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(8)))
    table = pa.table(DeltaTable(old).scan(["cell_id"]))
    assert table.num_rows == len(set(table["cell_id"].to_pylist())) == 15 + 6 + 8


def test_the_release_before_refuses_what_was_upgraded(old: Path) -> None:
    Store(old).upgrade()
    newer = {"sprachbund.schema_version": str(SCHEMA_VERSION + 1)}
    DeltaTable(old).alter.set_table_properties(newer, raise_if_not_exists=False)
    with pytest.raises(StoreTooNewError):
        Store(old)


def test_a_file_of_the_release_before_is_read_as_a_store_is(old: Path, tmp_path: Path) -> None:
    raw = pa.table(DeltaTable(old).scan())
    pq.write_table(raw, tmp_path / "old.parquet")
    table = upgraded(pq.read_table(tmp_path / "old.parquet"))
    assert table.schema == SCHEMA
    out = export(Store(old), IMPORTED, tmp_path / "new.csv")
    header = out.read_text(encoding="utf-8").split("\n")[0]
    assert json.loads(f"[{header}]") == SCHEMA.names


def test_ratios_are_kept_to_the_last_digit(tmp_path: Path, make_cell: Callable[..., Cell]) -> None:
    cell = make_cell(correct=(2 / 3, 0.1 + 0.2, 1.0), total=(1.0, 1.0, 1.0), metric="squad_f1")
    store = Store.open(tmp_path / "new", create=True)
    store.append([cell])
    assert from_table(store.cells(cell.matrix)) == [cell]
