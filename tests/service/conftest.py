"""A service over a small store, asked in process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog
from fastapi.testclient import TestClient

from matrices.cells import Cell
from matrices.store import Store
from service import Settings, create_app

POS, INTERFERENCE = "zero_shot-pos-tiny@0a1b", "interference-pos-tiny@0a1b"
ITEMS = 60

MakeCell = Callable[..., Cell]
Serve = Callable[..., TestClient]


@pytest.fixture(scope="session")
def make_cell(make_cell: MakeCell) -> MakeCell:
    """``make_cell("deu", "yor", 30)``: a cell of the POS matrix, right on the first 30 of 60 items."""

    def make(source: str | None, target: str, right: int, seed: int = 0, matrix: str = POS) -> Cell:
        kind, task, encoder = matrix.split("-")
        return make_cell(
            matrix=matrix,
            encoder=encoder,
            kind=kind,
            composition="baseline" if source is None else "stack",
            task=task,
            source=source,
            target=target,
            seed=seed,
            correct=tuple(int(item < right) for item in range(ITEMS)),
            total=(1,) * ITEMS,
        )

    return make


@pytest.fixture(autouse=True)
def _quiet_log() -> Iterator[None]:
    with structlog.testing.capture_logs():
        yield


@pytest.fixture
def store(tmp_path: Path, make_cell: MakeCell) -> Store:
    """Four sources by two targets by two seeds, a baseline, Min Nan among them; and the same as interference."""
    store = Store.open(tmp_path / "store", create=True)
    for matrix in (POS, INTERFERENCE):
        for target in ("yor", "wol"):
            cells = [
                make_cell(source, target, right + seed, seed, matrix)
                for source, right in (("deu", 45), ("eng", 30), ("hin", 44), ("nan", 20), (None, 12))
                for seed in (0, 1)
            ]
            store.append(cells)
    return store


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """``serve(store)``: a client of a running service."""
    running: list[TestClient] = []

    def start(store: Store | str | None, **settings: object) -> TestClient:
        uri = store.uri if isinstance(store, Store) else store
        given = {"refresh_seconds": 0, "prepare": False, "download_folder": tmp_path / "downloads", **settings}
        client = TestClient(create_app(Settings(store=uri, **given)), raise_server_exceptions=False)
        client.__enter__()
        running.append(client)
        return client

    yield start
    for client in running:
        client.__exit__(None, None, None)


@pytest.fixture
def client(serve: Serve, store: Store) -> TestClient:
    """A client of the service over ``store``."""
    return serve(store)
