from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from matrices.cells import from_table
from matrices.export import export
from matrices.store import Store

POS = "zero_shot-pos-tiny@0a1b"
PATH = f"/v1/matrices/{POS}/download"


@pytest.fixture
def whole(store: Store, tmp_path: Path) -> bytes:
    """The file as the library writes it."""
    return export(store, POS, tmp_path / "whole.parquet").read_bytes()


def test_a_download_is_the_file_that_export_writes(client: TestClient, whole: bytes) -> None:
    response = client.get(PATH)

    assert response.status_code == 200
    assert response.content == whole
    assert response.headers["content-type"] == "application/vnd.apache.parquet"
    assert response.headers["content-disposition"].endswith("-v4.parquet")
    assert response.headers["last-modified"] == "Thu, 01 Jan 2026 00:00:00 GMT"


def test_its_etag_is_strong_and_names_matrix_and_version(client: TestClient, store: Store) -> None:
    assert client.get(PATH).headers["etag"].startswith(f'"zero_shot-pos-tiny%400a1b@{store.version}-')


def test_head_says_the_same_without_the_bytes(client: TestClient, whole: bytes) -> None:
    response = client.head(PATH)

    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["content-length"] == str(len(whole))
    assert response.headers["etag"] == client.get(PATH).headers["etag"]


@pytest.mark.parametrize(("given", "begin", "end"), [("0-3", 0, 4), ("-4", -4, None), ("100-", 100, None)])
def test_a_range_is_those_bytes(client: TestClient, whole: bytes, given: str, begin: int, end: int | None) -> None:
    response = client.get(PATH, headers={"Range": f"bytes={given}"})

    assert response.status_code == 206
    assert response.content == whole[begin:end]
    assert response.headers["content-range"].endswith(f"/{len(whole)}")


@pytest.mark.parametrize(("given", "status"), [("bytes=99999999-", 416), ("bytes=5-2", 400)])
def test_a_range_that_cannot_be_had_is_a_problem(client: TestClient, whole: bytes, given: str, status: int) -> None:
    response = client.get(PATH, headers={"Range": given})

    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["status"] == status
    if status == 416:
        assert response.headers["content-range"] == f"bytes */{len(whole)}"


@pytest.mark.parametrize("given", ["lines=1-2", "items=0-4", "bytes"])
def test_a_range_in_units_nobody_knows_is_ignored(client: TestClient, whole: bytes, given: str) -> None:
    response = client.get(PATH, headers={"Range": given})

    assert (response.status_code, response.content) == (200, whole)


def test_if_range_sends_the_whole_file_when_it_has_changed(client: TestClient, whole: bytes) -> None:
    etag = client.get(PATH).headers["etag"]

    same = client.get(PATH, headers={"Range": "bytes=0-3", "If-Range": etag})
    changed = client.get(PATH, headers={"Range": "bytes=0-3", "If-Range": '"before"'})

    assert (same.status_code, len(same.content)) == (206, 4)
    assert (changed.status_code, changed.content) == (200, whole)


@pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}', "*"])
def test_a_file_one_has_is_not_sent_again(client: TestClient, form: str) -> None:
    etag = client.get(PATH).headers["etag"]

    response = client.get(PATH, headers={"If-None-Match": form.format(etag)})

    assert (response.status_code, response.content) == (304, b"")
    assert response.headers["etag"] == etag


def test_a_new_version_has_another_etag_and_the_old_can_still_be_had(client: TestClient, store: Store) -> None:
    before = client.get(PATH)
    store.append([from_table(store.cells(POS))[0]])

    after = client.get(PATH, headers={"If-None-Match": before.headers["etag"]})
    old = client.get(PATH, params={"version": store.version - 1})

    assert after.status_code == 200
    assert after.headers["etag"] != before.headers["etag"]
    assert (old.content, old.headers["etag"]) == (before.content, before.headers["etag"])


def test_a_version_that_is_not_there_is_a_problem_naming_the_newest(client: TestClient) -> None:
    response = client.get(PATH, params={"version": 99})

    assert response.status_code == 404
    assert response.json()["detail"] == "there is no version 99; versions are 0 to 4"


def test_a_store_made_anew_is_never_answered_from_the_files_of_the_old(
    serve: Callable[..., TestClient], store: Store, tmp_path: Path
) -> None:
    anew = Store.open(tmp_path / "anew", create=True)
    for seed in range(store.version):
        cell = from_table(store.cells(POS))[0]
        anew.append([cell] if seed == 0 else [from_table(store.cells(POS))[seed]])

    old, new = serve(store).get(PATH), serve(anew).get(PATH)

    assert store.version == anew.version
    assert old.headers["etag"] != new.headers["etag"]
    assert old.content != new.content


def test_only_so_many_files_are_kept(serve: Callable[..., TestClient], store: Store, tmp_path: Path) -> None:
    client = serve(store, download_files=1)
    for version in (3, 4):
        matrix = "interference-pos-tiny@0a1b"
        assert client.get(f"/v1/matrices/{matrix}/download", params={"version": version}).status_code == 200

    (kept,) = (tmp_path / "downloads").glob("*.parquet")
    assert "@4-" in kept.name
