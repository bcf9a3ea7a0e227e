"""A store in a bucket, over HTTP: jobs append to it at once, and everything is read from it as from a folder."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

from matrices.cells import Cell
from matrices.export import export
from matrices.store import Store, StoreMissingError

MakeCell = Callable[..., Cell]
WRITERS, EACH = 8, 2


@pytest.fixture
def uri(bucket: str) -> str:
    return f"{bucket}/jobs/store"


def test_what_was_appended_is_read_summed_up_and_exported(uri: str, make_cell: MakeCell, tmp_path: Path) -> None:
    store = Store.open(uri, create=True)
    cells = [make_cell(source=source, target="yor") for source in ("deu", "eng")]
    cells.append(make_cell(source=None, target="yor", composition="baseline"))
    assert store.append(cells) == Store(uri).version == 1
    assert store.measured_ids() == {cell.cell_id for cell in cells}
    (info,) = store.matrices()
    assert (info.cells, info.sources, info.targets) == (3, 2, 1)
    made = export(store, info.matrix, tmp_path / "cells.parquet")
    assert pq.read_table(made).num_rows == 3


def test_jobs_that_start_together_make_one_store(uri: str) -> None:
    with ThreadPoolExecutor(WRITERS) as threads:
        stores = list(threads.map(lambda _: Store.open(uri, create=True), range(WRITERS)))
    assert {store.version for store in stores} == {0}


def test_jobs_that_append_together_lose_nothing(uri: str, make_cell: MakeCell) -> None:
    Store.open(uri, create=True)

    def append(writer: int) -> list[int]:
        store = Store(uri)  # Each job sees the store for itself.
        return [store.append([make_cell(seed=writer * EACH + turn)]) for turn in range(EACH)]

    with ThreadPoolExecutor(WRITERS) as threads:
        versions = [version for one in threads.map(append, range(WRITERS)) for version in one]

    assert sorted(versions) == list(range(1, WRITERS * EACH + 1))
    rows = pa.table(DeltaTable(uri, storage_options=_environment()).scan(["seed"]))
    assert sorted(rows["seed"].to_pylist()) == list(range(WRITERS * EACH))


def test_no_store_is_no_error_of_the_network(uri: str) -> None:
    with pytest.raises(StoreMissingError, match=f"{uri} holds no store"):
        Store(uri)


def test_a_server_out_of_reach_is_no_missing_store(uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    Store.open(uri, create=True)
    with socket.create_server(("127.0.0.1", 0)) as unused:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{unused.getsockname()[1]}")
    with pytest.raises(OSError, match="HTTP error") as raised:
        Store(uri)
    assert not isinstance(raised.value, StoreMissingError)


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
