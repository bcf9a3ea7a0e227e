"""How many versions are alive, what a swap costs those who ask meanwhile, and what changed between two."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from matrices.cells import Cell
from matrices.snapshot import MatrixSnapshot, Snapshot
from matrices.snapshot_of_store import read_snapshot
from matrices.store import Store
from service.snapshot import Snapshots

Serve = Callable[..., TestClient]
MakeCell = Callable[..., Cell]
POS = "zero_shot-pos-tiny@0a1b"


@pytest.fixture
def alive(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """How many versions that a service read are alive."""
    seen: list[weakref.ref[Snapshot]] = []

    def noted(*args: object, **given: object) -> Snapshot:
        snapshot = read_snapshot(*args, **given)  # type: ignore[arg-type]
        seen.append(weakref.ref(snapshot))
        return snapshot

    monkeypatch.setattr("service.snapshot.read_snapshot", noted)

    def count() -> int:
        gc.collect()
        return sum(one() is not None for one in seen)

    return count


def test_at_most_three_versions_are_alive_whatever_is_asked(
    serve: Serve, store: Store, make_cell: MakeCell, alive: Callable[[], int]
) -> None:
    client = serve(store)
    for seed in range(12):
        store.append([make_cell("deu", "yor", 30 + seed % 20, 100 + seed)])
        for path in (
            "/v1/matrices",
            f"/v1/matrices/{POS}",
            "/v1/recommendations?task=pos&target=yor",
            *([f"/v1/recommendations?task=pos&target=swa&k={seed + 1}"] if seed % 4 == 0 else []),
            f"/v1/matrices/{POS}/measures/interference",
            f"/v1/matrices/{POS}/measures/ratios?composition=fuse",
            f"/v1/matrices/{POS}/cells?limit=2",
            f"/v1/matrices/{POS}/download?version={seed}",
            f"/v1/matrices/{POS}/versions?since={seed}&until={seed + 2}",
            "/v1/recommendations?task=pos&target=nobody",
        ):
            assert client.get(path).status_code < 500

    assert alive() <= 3


def test_a_matrix_that_did_not_change_is_not_read_again(store: Store, make_cell: MakeCell) -> None:
    before = read_snapshot(store)
    store.append([make_cell("swa", "yor", 30)])
    after = read_snapshot(store, before=before)

    assert after.kept["interference-pos-tiny@0a1b"] is before.kept["interference-pos-tiny@0a1b"]
    assert after.kept[POS] is not before.kept[POS]


def test_many_outcomes_are_mapped_from_a_file_and_read_the_same(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = read_snapshot(store)
    monkeypatch.setattr("matrices.snapshot_of_store.SpilledOutcomes", lambda folder: _small(folder))
    mapped = read_snapshot(store, folder=tmp_path)

    assert not mapped.kept[POS].outcomes.in_memory
    assert mapped.cells(POS).equals(whole.cells(POS))
    assert mapped.cells(POS, target="wol", source="nan").equals(store.cells(POS, target="wol", source="nan"))
    # The file has no name: nothing is left behind, however the process ends.
    assert list(tmp_path.glob("sprachbund-outcomes-*")) == []


def _small(folder: Path | None) -> object:
    from matrices.spilled_outcomes import SpilledOutcomes

    return SpilledOutcomes(folder, most=100)


def test_nobody_waits_while_a_new_version_is_read(
    store: Store, make_cell: MakeCell, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading, may_go_on = threading.Event(), threading.Event()
    snapshots = Snapshots(store.uri, 0.01)
    before = snapshots.current()

    def slow(*args: object, **given: object) -> Snapshot:
        reading.set()
        assert may_go_on.wait(60)
        return read_snapshot(*args, **given)  # type: ignore[arg-type]

    monkeypatch.setattr("service.snapshot.read_snapshot", slow)
    store.append([make_cell("swa", "yor", 30)])
    snapshots.watch()
    try:
        assert reading.wait(60)
        assert snapshots.current() is before
        may_go_on.set()
        while snapshots.current() is before:
            time.sleep(0.005)
        assert snapshots.current().version == before.version + 1
    finally:
        may_go_on.set()
        snapshots.rest()


def test_what_changed_between_two_versions_is_told(client: TestClient, store: Store, make_cell: MakeCell) -> None:
    since = store.version
    again = replace(make_cell("deu", "yor", 50), created_at=datetime(2026, 6, 1, tzinfo=UTC))
    store.append([make_cell("swa", "yor", 30), again])

    body = client.get(f"/v1/matrices/{POS}/versions", params={"since": since}).json()

    changes = body["changes"]
    assert (changes["since"], changes["until"]) == (since, since + 1)
    assert (changes["added"], changes["changed"], changes["removed"]) == (1, 1, 0)
    assert [(row["source"], row["change"]) for row in changes["rows"]] == [("deu", "changed"), ("swa", "added")]
    assert changes["rows"][0]["score_before"] == pytest.approx(45 / 60)
    assert [one["version"] for one in body["versions"]] == list(range(since + 1, -1, -1))
    assert body["versions"][0]["rows"] == 2


def test_a_kept_matrix_knows_what_it_is(store: Store) -> None:
    one, other = read_snapshot(store), read_snapshot(store)

    assert one.identity == other.identity
    assert one.content(POS) == other.content(POS)
    assert isinstance(one.kept[POS], MatrixSnapshot)
    assert one.only([POS]).identity != one.identity
