from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from deltalake import DeltaTable
from fastapi.testclient import TestClient

from matrices.bundled import boxed
from matrices.cells import SCHEMA, from_table
from matrices.store import Store

Serve = Callable[..., TestClient]
POS = "zero_shot-pos-tiny@0a1b"


def test_a_service_with_a_store_is_alive_and_ready(client: TestClient, store: Store) -> None:
    assert client.get("/health").json() == {"status": "ok"}
    assert client.get("/ready").json() == {"status": "ready", "version": store.version, "matrices": 2, "left_out": 0}


def test_a_service_waits_for_its_store_and_says_so(serve: Serve, store: Store, tmp_path: Path) -> None:
    client = serve(str(tmp_path / "later"))

    assert client.get("/health").status_code == 200
    waiting = client.get("/ready")
    assert (waiting.status_code, waiting.headers["retry-after"]) == (503, "5")
    assert "later holds no store" in waiting.json()["detail"]
    assert client.get("/v1/matrices").status_code == 503

    Store.open(tmp_path / "later", create=True).append(from_table(store.cells(POS)))
    assert client.get("/ready").json()["matrices"] == 1


def test_a_store_of_a_newer_schema_is_a_problem_naming_both_versions(serve: Serve, tmp_path: Path) -> None:
    configuration = {"sprachbund.schema_version": "99"}
    DeltaTable.create(tmp_path / "new", schema=SCHEMA, configuration=configuration, raise_if_key_not_exists=False)

    response = serve(str(tmp_path / "new")).get("/ready")

    assert response.status_code == 503
    assert "schema version 99; this release reads up to 2" in response.json()["detail"]


def test_without_a_store_the_box_answers(serve: Serve) -> None:
    box = boxed()
    response = serve(None).get("/v1/matrices")

    if box is None:
        assert response.status_code == 503
        assert "name a store with --store" in response.json()["detail"]
    else:
        assert [one["matrix"] for one in response.json()["matrices"]] == [info.matrix for info in box.matrices()]
        assert response.json()["measured_on"]["encoder"] == box.provenance.encoder


def test_new_cells_are_seen_without_a_restart(client: TestClient, store: Store) -> None:
    before = client.get("/v1/matrices").json()["matrices"][1]["version"]
    store.append(from_table(store.cells(POS))[:1])

    assert client.get("/v1/matrices").json()["matrices"][1]["version"] == before + 1


def test_between_refreshes_the_version_before_answers(serve: Serve, store: Store) -> None:
    client = serve(store, refresh_seconds=3600)
    store.append(from_table(store.cells(POS))[:1])

    assert client.get("/ready").json()["version"] == store.version - 1


def test_a_store_that_vanishes_is_answered_from_memory(client: TestClient, store: Store) -> None:
    version = store.version
    Path(store.uri).rename(store.uri + "-away")

    assert client.get("/ready").json()["version"] == version
    assert client.get("/v1/recommendations", params={"task": "pos", "target": "yor"}).status_code == 200


def test_requests_are_counted_by_the_template_of_their_route(client: TestClient) -> None:
    client.get(f"/v1/matrices/{POS}")
    client.get("/v1/matrices/nope")
    client.get("/made/up")

    text = client.get("/metrics").text

    assert 'sprachbund_requests_total{method="GET",route="/v1/matrices/{matrix}",status="200"} 1.0' in text
    assert 'sprachbund_requests_total{method="GET",route="/v1/matrices/{matrix}",status="404"} 1.0' in text
    assert 'sprachbund_requests_total{method="any",route="unmatched",status="404"} 1.0' in text
    assert "made/up" not in text


@pytest.mark.parametrize(
    ("method", "path", "status", "kind"),
    [
        ("GET", "/made/up", 404, "not-found"),
        ("GET", "/web/none.js", 404, "not-found"),
        ("POST", "/v1/matrices", 405, "method-not-allowed"),
        ("DELETE", f"/v1/matrices/{POS}", 405, "method-not-allowed"),
    ],
)
def test_what_is_not_there_is_a_problem_document(
    client: TestClient, method: str, path: str, status: int, kind: str
) -> None:
    response = client.request(method, path)

    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["type"] == f"urn:sprachbund:problem:{kind}"


def test_a_defect_is_a_problem_document_without_its_inside(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def defect(*_: object) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr("service.recommending.asked", defect)
    response = client.get("/v1/recommendations", params={"task": "pos", "target": "yor"})

    assert response.status_code == 500
    assert response.json()["type"] == "urn:sprachbund:problem:unexpected-error"
    assert "secret" not in response.text


def test_languages_are_known_by_any_name(client: TestClient) -> None:
    yoruba = client.get("/v1/languages/yo-NG").json()
    nan = client.get("/v1/languages/nan").json()

    assert (yoruba["code"], yoruba["name"], yoruba["family"], yoruba["script"]) == (
        *("yor", "Yoruba", "Niger-Congo", "Latn"),
    )
    assert (yoruba["source_in"], len(yoruba["target_in"])) == ([], 2)
    assert (nan["name"], len(nan["source_in"]), nan["target_in"]) == ("Min Nan Chinese", 2, [])


def test_an_unknown_language_is_a_problem_naming_the_nearest(client: TestClient) -> None:
    response = client.get("/v1/languages/yoruuba")

    assert response.status_code == 404
    assert {"code": "yor", "name": "Yoruba"} in response.json()["nearest"]
