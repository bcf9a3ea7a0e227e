"""A service over a small store, asked in process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import structlog
from fastapi.testclient import TestClient

from matrices.cells import Cell, cell_id
from matrices.store import Store
from service import Settings, create_app

POS, INTERFERENCE = "zero_shot-pos-tiny@0a1b", "interference-pos-tiny@0a1b"
ITEMS = 60

MakeCell = Callable[..., Cell]
Serve = Callable[..., TestClient]


def a_cell(source: str | None, target: str, right: int, seed: int = 0, matrix: str = POS) -> Cell:
    """A cell right on the first ``right`` of 60 items."""
    outcomes = tuple(int(item < right) for item in range(ITEMS))
    kind, task, encoder = matrix.split("-")
    return Cell(
        matrix=matrix,
        encoder=encoder,
        kind=kind,
        composition="baseline" if source is None else "stack",
        task=task,
        metric="accuracy",
        source=source,
        target=target,
        selection="last",
        seed=seed,
        score=right / ITEMS,
        n_items=ITEMS,
        correct=outcomes,
        total=(1,) * ITEMS,
        status="ok",
        error=None,
        seconds=0.1,
        device="cpu",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        cell_id=cell_id({"matrix": matrix, "source": source, "target": target, "seed": seed}),
    )


@pytest.fixture
def make_cell() -> MakeCell:
    """``make_cell("deu", "yor", 30)``: a cell of the POS matrix, right on the first 30 of 60 items."""
    return a_cell


@pytest.fixture(autouse=True)
def _quiet_log() -> Iterator[None]:
    with structlog.testing.capture_logs():
        yield


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Four sources by two targets by two seeds, a baseline, Min Nan among them; and the same as interference."""
    store = Store.open(tmp_path / "store", create=True)
    for matrix in (POS, INTERFERENCE):
        for target in ("yor", "wol"):
            cells = [
                a_cell(source, target, right + seed, seed, matrix)
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
        given = {"refresh_seconds": 0, "download_folder": tmp_path / "downloads", **settings}
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
