"""An operator's walk: a service in front of a store that a job fills, restarted, its store away and back, its disk
full, and a second process beside it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from deltalake import DeltaTable
from fastapi.testclient import TestClient

from matrices.cells import Cell
from matrices.store import Store

Serve = Callable[..., TestClient]
MakeCell = Callable[..., Cell]
MATRIX = "zero_shot-pos-tiny@0a1b"
COMMITS = 300


@pytest.fixture(scope="module")
def filled(make_cell: MakeCell, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """300 commits of one cell each, joined twice, with a checkpoint."""
    store = Store.open(tmp_path_factory.mktemp("filled") / "store", create=True)
    for seed in range(COMMITS):
        store.append([make_cell("deu", "yor", 30, seed)])
        if seed in (100, 200):
            store.compact()
    DeltaTable(store.uri).create_checkpoint()
    return store


def test_hundreds_of_commits_with_joins_and_a_checkpoint_keep_their_rows(filled: Store) -> None:
    assert filled.version == COMMITS + 2
    assert filled.cells(MATRIX)["seed"].to_pylist() == list(range(COMMITS))
    # Version 102 is the first join: every version before and after it has what had been appended by then.
    for version, rows in ((1, 1), (101, 101), (102, 101), (103, 102), (204, 202)):
        assert filled.cells(MATRIX, version=version)["seed"].to_pylist() == list(range(rows))


def test_whoever_asks_while_a_job_commits_is_never_refused_and_never_goes_back(
    serve: Serve, tmp_path: Path, make_cell: MakeCell
) -> None:
    store = Store.open(tmp_path / "growing", create=True)
    store.append([make_cell("deu", "yor", 30, 0)])
    # Two processes as far as memory goes: each has its own snapshots of the one store.
    clients = [serve(store, refresh_seconds=0.01) for _ in range(2)]
    done = threading.Event()
    seen: list[list[tuple[int, int]]] = [[], []]
    faults: list[str] = []

    def ask(at: int) -> None:
        while not done.is_set() or not seen[at]:
            response = clients[at].get(f"/v1/matrices/{MATRIX}/cells", params={"limit": 10_000})
            if response.status_code != 200:
                faults.append(response.text)
                return
            body = response.json()
            seen[at].append((body["version"], body["total"]))

    threads = [threading.Thread(target=ask, args=(at,)) for at in range(2)]
    for thread in threads:
        thread.start()
    for seed in range(1, 40):
        store.append([make_cell("deu", "yor", 30, seed)])
    done.set()
    for thread in threads:
        thread.join()

    assert faults == []
    for answers in seen:
        # A commit a cell: an answer of two versions mixed would have another number of them.
        assert all(total == version for version, total in answers)
        assert all(earlier <= later for earlier, later in pairwise(answers))


def test_a_store_away_and_back_is_answered_from_memory_and_then_anew(
    serve: Serve, tmp_path: Path, make_cell: MakeCell
) -> None:
    store = Store.open(tmp_path / "store", create=True)
    store.append([make_cell("deu", "yor", 30, 0)])
    client = serve(store)
    assert client.get("/ready").json()["version"] == 1
    Path(store.uri).rename(tmp_path / "away")

    assert client.get(f"/v1/matrices/{MATRIX}/cells").json()["total"] == 1
    restarted = serve(store)
    assert restarted.get("/ready").json()["type"] == "urn:sprachbund:problem:no-store"
    assert restarted.get("/health").status_code == 200

    (tmp_path / "away").rename(store.uri)
    store.append([make_cell("deu", "yor", 30, 1)])
    for one in (client, restarted):
        assert one.get(f"/v1/matrices/{MATRIX}/cells").json()["total"] == 2


def test_where_no_file_can_be_kept_downloads_say_so_and_answers_go_on(
    serve: Serve, filled: Store, tmp_path: Path
) -> None:
    full = tmp_path / "full"
    full.write_text("a file where a folder should be")
    client = serve(filled, download_folder=full)

    refused = client.get(f"/v1/matrices/{MATRIX}/download")
    assert (refused.status_code, refused.json()["type"]) == (503, "urn:sprachbund:problem:no-room")
    assert "Make room there" in refused.json()["detail"]
    assert client.get(f"/v1/matrices/{MATRIX}/cells").status_code == 200
