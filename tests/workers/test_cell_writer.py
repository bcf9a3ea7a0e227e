"""The store as a run sees it: nobody else's work is read again, and small files are joined by one run at a time."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from adapters_zoo.blobs import open_blobs
from matrices.cells import Cell
from matrices.store import Store
from workers.cell_writer import CellWriter
from workers.failures import Backoff
from workers.leases import Leases
from workers.work_units import Column, DataReference, PlannedCell

CELL = Cell(
    matrix="m",
    encoder="e",
    kind="zero_shot",
    composition="stack",
    task="pos",
    metric="accuracy",
    source="deu",
    target="yor",
    selection="last",
    seed=0,
    score=0.5,
    n_items=1,
    correct=(1,),
    total=(2,),
    status="ok",
    error=None,
    seconds=0.0,
    device="cpu",
    created_at=datetime(2026, 1, 1, tzinfo=UTC),
    cell_id="0",
)
COLUMN = Column(
    "m",
    "pos",
    "yor",
    "accuracy",
    DataReference("pos", "yor", "test", None, "digest", 1, 1),
    tuple(PlannedCell(str(seed), "stack", "deu", seed, None, None) for seed in range(200)),
)


def cell(seed: int) -> Cell:
    return replace(CELL, seed=seed, cell_id=str(seed))


def files(store: Store) -> int:
    return len(DeltaTable(store.uri).file_uris())


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "store", create=True)


@pytest.fixture
def claims(store: Store) -> Iterator[Leases]:
    with Leases(open_blobs(f"{store.uri}/_claims"), "this run") as held:
        yield held


@pytest.fixture
def writer(store: Store) -> CellWriter:
    return CellWriter(store, store.version, Backoff(1.0))


class TestMissing:
    def test_alone_a_run_knows_what_is_missing_without_reading_cells(self, writer: CellWriter) -> None:
        writer.append([cell(0)])
        assert writer.missing(COLUMN) is COLUMN

    def test_what_another_run_measured_is_missing_no_more(self, writer: CellWriter, store: Store) -> None:
        store.append([cell(3), cell(5)])
        missing = {one.cell_id for one in writer.missing(COLUMN).cells}
        assert {one.cell_id for one in COLUMN.cells} - missing == {"3", "5"}


class TestTidying:
    def test_small_files_are_joined_and_the_run_knows_that_version_as_its_own(
        self, writer: CellWriter, store: Store, claims: Leases
    ) -> None:
        for seed in range(70):
            writer.append([cell(seed)])
            writer.tidy(claims, after=16)
        assert files(store) == 70 - 64 + 1
        assert store.measured_ids() == {str(seed) for seed in range(70)}
        assert writer.missing(COLUMN) is COLUMN

    def test_few_files_are_left_alone(self, writer: CellWriter, store: Store, claims: Leases) -> None:
        for seed in range(5):
            writer.append([cell(seed)])
        writer.tidy(claims)
        assert files(store) == store.version == 5

    def test_what_another_run_is_joining_is_left_to_it(self, writer: CellWriter, store: Store, claims: Leases) -> None:
        class WithARival(Store):
            def compact(self, matrix: str | None = None) -> int | None:
                with Leases(open_blobs(f"{store.uri}/_claims"), "another run") as others:
                    rival.tidy(others)
                assert files(store) == 65
                return super().compact(matrix)

        rival = CellWriter(store, store.version, Backoff(1.0))
        rival.append([cell(0)])
        ours = CellWriter(WithARival(store.uri), store.version, Backoff(1.0))
        for seed in range(1, 65):
            ours.append([cell(seed)])
        ours.tidy(claims)
        assert files(store) == 1

    def test_runs_that_append_and_join_at_once_keep_every_cell_once(self, store: Store) -> None:
        runs = [subprocess.Popen([sys.executable, "-c", RUN, store.uri, name]) for name in ("a", "b")]
        assert [run.wait() for run in runs] == [0, 0]
        rows = pa.table(DeltaTable(store.uri).scan(["cell_id"]))["cell_id"].to_pylist()
        assert sorted(rows) == sorted(f"{name}{seed}" for name in ("a", "b") for seed in range(60))
        assert files(store) < 64


RUN = """
import sys
from dataclasses import replace
from adapters_zoo.blobs import open_blobs
from matrices.store import Store
from tests.workers.test_cell_writer import CELL
from workers.leases import Leases
from workers.cell_writer import CellWriter
from workers.failures import Backoff

uri, name = sys.argv[1:]
store = Store(uri)
writer = CellWriter(store, store.version, Backoff(60.0))
with Leases(open_blobs(f"{uri}/_claims"), name) as claims:
    for seed in range(60):
        writer.append([replace(CELL, source=name, seed=seed, cell_id=f"{name}{seed}")])
        writer.tidy(claims)
"""
