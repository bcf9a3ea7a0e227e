from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

from matrices.cells import SCHEMA, SCHEMA_VERSION, Cell, from_table
from matrices.reading import MatrixInfo, UnknownMatrixError, UnknownVersionError
from matrices.store import Store, StoreMissingError, StoreTooNewError, StoreUnreadableError

MakeCell = Callable[..., Cell]
MATRIX = "zero_shot-pos-tiny"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "store", create=True)


def test_cells_come_back_as_they_were_appended(store: Store, make_cell: MakeCell) -> None:
    cells = [
        make_cell(),
        make_cell(source=None, composition="baseline"),
        make_cell(source="nan", status="failed"),
        make_cell(source="hin", correct=None, total=None, score=0.5, n_items=3),
    ]
    store.append(cells)

    table = store.cells(MATRIX)

    assert table.schema == SCHEMA
    assert sorted(from_table(table), key=str) == sorted(cells, key=str)


def test_an_append_is_one_version_and_no_cells_make_none(store: Store, make_cell: MakeCell) -> None:
    assert store.append([make_cell(), make_cell(source="hin")]) == 1
    assert store.append([]) == 1
    assert store.append([make_cell(source="eng")]) == store.version == 2


def test_joining_files_is_a_version_of_the_same_cells(store: Store, make_cell: MakeCell) -> None:
    for source in ("deu", "hin", "eng"):
        store.append([make_cell(source=source)])

    assert store.compact() == store.version == 4
    assert store.compact() is None
    assert store.version == 4
    assert store.cells(MATRIX) == store.cells(MATRIX, version=3)


def test_a_matrix_of_many_small_files_is_crowded_until_they_are_joined(store: Store, make_cell: MakeCell) -> None:
    store.append([make_cell(matrix="other")])
    for seed in range(64):
        assert store.crowded() == []
        store.append([make_cell(seed=seed)])
    assert store.crowded() == [MATRIX]

    store.compact(MATRIX)

    assert store.crowded() == []
    assert len(DeltaTable(store.uri).file_uris()) == 2
    assert store.cells(MATRIX)["seed"].to_pylist() == list(range(64))


def test_earlier_versions_stay_readable_also_after_compaction(store: Store, make_cell: MakeCell) -> None:
    first = store.append([make_cell(source="deu")])
    store.append([make_cell(source="hin")])
    store.append([make_cell(source="eng")])

    store.compact()

    assert store.cells(MATRIX, version=first)["source"].to_pylist() == ["deu"]
    assert store.cells(MATRIX)["source"].to_pylist() == ["deu", "eng", "hin"]
    assert store.matrices(first)[0].cells == 1
    assert len(DeltaTable(store.uri).file_uris()) == 1


def test_done_is_what_was_measured_and_not_what_failed(store: Store, make_cell: MakeCell) -> None:
    measured, failed = make_cell(source="deu"), make_cell(source="hin", status="failed")
    store.append([measured, failed])

    assert store.measured_ids() == {measured.cell_id}


def test_a_measured_cell_wins_over_a_failure_of_whatever_time(store: Store, make_cell: MakeCell) -> None:
    store.append([make_cell(created_at=datetime(2026, 1, 1, tzinfo=UTC))])
    store.append([make_cell(status="failed", created_at=datetime(2026, 1, 2, tzinfo=UTC))])

    assert store.cells(MATRIX)["status"].to_pylist() == ["ok"]
    assert store.matrices()[0].cells == 1


def test_of_several_failures_the_latest_is_told(store: Store, make_cell: MakeCell) -> None:
    for day in (2, 3, 1):
        created = datetime(2026, 1, day, tzinfo=UTC)
        store.append([make_cell(status="failed", error=f"day {day}", created_at=created)])

    assert store.cells(MATRIX)["error"].to_pylist() == ["day 3"]


def test_what_has_no_score_by_its_nature_is_done_and_is_not_counted(store: Store, make_cell: MakeCell) -> None:
    undefined = make_cell(status="undefined", error="F1 is not defined")
    store.append([undefined])
    store.append([make_cell(status="failed", created_at=datetime(2026, 1, 2, tzinfo=UTC))])

    assert store.measured_ids() == {undefined.cell_id}
    assert store.cells(MATRIX)["status"].to_pylist() == ["undefined"]
    assert store.matrices()[0].cells == 0


class TestChangedData:
    """A cell's id covers its data, so after a corpus changed the same place of the matrix is measured anew."""

    def test_what_was_measured_last_takes_the_place(self, store: Store, make_cell: MakeCell) -> None:
        for day, scored in ((2, (1, 1)), (3, (0, 1)), (1, (1, 0))):
            created = datetime(2026, 1, day, tzinfo=UTC)
            store.append([make_cell(cell_id=f"data of day {day}", correct=scored, total=(4, 4), created_at=created)])

        table = store.cells(MATRIX)

        assert table.select(["cell_id", "score"]).to_pylist() == [{"cell_id": "data of day 3", "score": 0.125}]
        assert store.matrices()[0].cells == 1
        assert len(store.measured_ids()) == 3

    def test_a_failure_on_either_data_gives_way_to_what_was_measured(self, store: Store, make_cell: MakeCell) -> None:
        store.append([make_cell(cell_id="a", status="failed", created_at=datetime(2026, 1, 1, tzinfo=UTC))])
        store.append([make_cell(cell_id="b", created_at=datetime(2026, 1, 2, tzinfo=UTC))])
        store.append([make_cell(cell_id="c", status="failed", created_at=datetime(2026, 1, 3, tzinfo=UTC))])

        assert store.cells(MATRIX)["cell_id"].to_pylist() == ["b"]

    @pytest.mark.parametrize(
        "other",
        [
            {"source": None, "composition": "baseline"},
            {"target": "wol"},
            {"seed": 1},
            {"composition": "shift"},
            {"selection": "averaged"},
        ],
        ids=lambda other: next(iter(other)),
    )
    def test_other_places_are_other_cells(self, store: Store, make_cell: MakeCell, other: dict[str, Any]) -> None:
        store.append([make_cell(), make_cell(**other), make_cell(matrix="another")])

        assert store.cells(MATRIX).num_rows == 2
        assert store.cells("another").num_rows == 1


def test_cells_are_filtered_by_language_and_column(store: Store, make_cell: MakeCell) -> None:
    store.append([make_cell(source=s, target=t) for s in ("deu", "nan") for t in ("yor", "wol")])

    table = store.cells(MATRIX, source="nan", target="wol", columns=["source", "target"])

    assert table.to_pylist() == [{"source": "nan", "target": "wol"}]
    assert store.cells(MATRIX, source="ewe").num_rows == 0


def test_a_matrix_of_any_name_is_found_and_no_other(store: Store, make_cell: MakeCell) -> None:
    names = ["pos' OR 'a' = 'a", "pos=1/2 %20", "пос"]
    store.append([make_cell(matrix=name) for name in names])

    for name in names:
        assert store.cells(name)["matrix"].to_pylist() == [name]
        assert len(store.measured_ids(matrix=name, target="yor")) == 1
    assert store.measured_ids(matrix="' OR 'a' = 'a") == set()


def test_matrices_are_counted_and_told_apart(store: Store, make_cell: MakeCell) -> None:
    store.append(
        [
            make_cell(source="deu", target="yor"),
            make_cell(source="deu", target="wol"),
            make_cell(source=None, composition="baseline"),
            make_cell(source="hin", status="failed"),
            make_cell(matrix="zero_shot-topic-tiny", task="topic"),
        ]
    )

    pos, topic = store.matrices()

    assert pos == MatrixInfo(MATRIX, "zero_shot", "pos", "tiny@0123456789ab", version=1, cells=3, sources=1, targets=2)
    assert (topic.matrix, topic.task, topic.cells) == ("zero_shot-topic-tiny", "topic", 1)


def test_a_matrix_that_is_not_there_is_an_error_naming_those_that_are(store: Store, make_cell: MakeCell) -> None:
    store.append([make_cell()])

    with pytest.raises(UnknownMatrixError, match="there is no matrix 'nope'; there is: zero_shot-pos-tiny"):
        store.cells("nope")


def test_a_version_that_is_not_there_is_an_error_naming_the_newest(store: Store) -> None:
    with pytest.raises(UnknownVersionError, match="there is no version 7; versions are 0 to 0"):
        store.matrices(7)


def test_a_folder_without_a_store_is_an_error_naming_it_and_the_next_step(tmp_path: Path) -> None:
    with pytest.raises(StoreMissingError, match=r"nowhere holds no store; .*sprachbund fill JOB\.yaml"):
        Store.open(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()


def test_a_delta_table_of_something_else_is_no_store(tmp_path: Path) -> None:
    DeltaTable.create(tmp_path / "other", schema=SCHEMA)

    with pytest.raises(StoreMissingError):
        Store.open(tmp_path / "other")


def test_a_store_of_a_newer_schema_is_refused_with_both_versions(tmp_path: Path) -> None:
    key = {"sprachbund.schema_version": str(SCHEMA_VERSION + 1)}
    DeltaTable.create(tmp_path / "newer", schema=SCHEMA, configuration=key, raise_if_key_not_exists=False)

    with pytest.raises(StoreTooNewError, match=f"schema version {SCHEMA_VERSION + 1}.*reads up to {SCHEMA_VERSION}"):
        Store.open(tmp_path / "newer", create=True)


def test_opening_with_create_keeps_what_is_there(store: Store, make_cell: MakeCell) -> None:
    store.append([make_cell()])

    assert Store.open(store.uri, create=True).cells(MATRIX).num_rows == 1


def test_a_store_can_be_made_by_many_at_once(tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: Store.open(tmp_path / "store", create=True).version, range(4)))

    assert made == [0, 0, 0, 0]


APPENDER = """
import sys
from datetime import UTC, datetime
from matrices.cells import Cell
from matrices.store import Store

uri, writer, count = sys.argv[1:]
for seed in range(int(count)):
    Store(uri).append([Cell(
        matrix="m", encoder="e", kind="zero_shot", composition="stack", task="pos", metric="accuracy", source=writer,
        target="yor", selection="last", seed=seed, score=0.5, n_items=1, correct=(1,), total=(2,), status="ok",
        error=None, seconds=0.0, device="cpu", created_at=datetime.now(UTC), cell_id=f"{writer}{seed}",
    )])
"""


def test_appends_of_several_processes_at_once_all_arrive(store: Store) -> None:
    jobs = [
        subprocess.Popen([sys.executable, "-c", APPENDER, store.uri, writer, "5"]) for writer in ("deu", "hin", "eng")
    ]

    assert [job.wait() for job in jobs] == [0, 0, 0]
    assert store.version == 15
    assert store.measured_ids() == {f"{writer}{seed}" for writer in ("deu", "hin", "eng") for seed in range(5)}


COMPACTER = """
import sys
from matrices.store import Store

store = Store(sys.argv[1])
while len(store.measured_ids()) < 45:
    store.compact()
"""


def test_readers_see_whole_appends_each_once_while_files_are_joined(store: Store) -> None:
    """Three processes append, one joins files at the same time, and this one reads."""
    programs = [[APPENDER, store.uri, writer, "15"] for writer in ("deu", "hin", "eng")] + [[COMPACTER, store.uri]]
    jobs = [subprocess.Popen([sys.executable, "-c", *program]) for program in programs]
    seen: dict[int, set[str]] = {}
    while any(job.poll() is None for job in jobs):
        rows = pa.table(DeltaTable(store.uri).scan(["cell_id"]))["cell_id"].to_pylist()
        assert len(rows) == len(set(rows))
        if version := store.version:
            ids = ids_at(store, version)
            assert seen.setdefault(version, ids) == ids

    assert [job.returncode for job in jobs] == [0] * 4
    assert len(store.measured_ids()) == 45
    store.compact()
    assert len(DeltaTable(store.uri).file_uris()) == 1
    seen[store.version] = store.measured_ids()
    for earlier, later in pairwise(sorted(seen)):
        assert seen[earlier] <= seen[later]
        assert ids_at(store, earlier) == seen[earlier]


def ids_at(store: Store, version: int) -> set[str]:
    return set(store.cells("m", version=version)["cell_id"].to_pylist())


def test_files_are_compressed_with_zstandard(store: Store, make_cell: MakeCell) -> None:
    store.append([make_cell()])

    (file,) = Path(store.uri).glob("matrix=*/*.parquet")
    assert pq.ParquetFile(file).metadata.row_group(0).column(0).compression == "ZSTD"


def test_a_damaged_store_is_one_error_that_names_it(tmp_path: Path, make_cell: MakeCell) -> None:
    store = Store.open(tmp_path / "store", create=True)
    store.append([make_cell()])
    (data,) = (tmp_path / "store").glob("matrix=*/*.parquet")
    data.write_bytes(data.read_bytes()[:100])

    with pytest.raises(StoreUnreadableError, match=r"store.* cannot be read: "):
        store.matrices()

    (tmp_path / "store/_delta_log/00000000000000000000.json").unlink()
    with pytest.raises(StoreUnreadableError, match="cannot be read: "):
        Store(tmp_path / "store")
