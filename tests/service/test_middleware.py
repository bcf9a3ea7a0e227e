"""What every request passes: keys, limits, HEAD, headers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import anyio
import httpx2
import pytest
from fastapi.testclient import TestClient

from matrices.store import Store
from service import Settings, create_app
from service.keys import KeysFileError, KeyTakenError, UnknownKeyError, make_key, read_keys, revoke_key
from service.telemetry import HEADERS

Serve = Callable[..., TestClient]
POS, INTERFERENCE = "zero_shot-pos-tiny@0a1b", "interference-pos-tiny@0a1b"
DOWNLOAD = f"/v1/matrices/{POS}/download"
ASK = "/v1/recommendations?task=pos&target=yor"


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


class TestKeys:
    def test_a_key_is_kept_as_its_hash_alone_and_only_its_owner_reads_the_file(self, keys: Path) -> None:
        secret = make_key(keys, "ann", ["read"])

        assert secret not in keys.read_text()
        assert keys.stat().st_mode & 0o777 == 0o600
        assert [(key.name, key.scopes) for key in read_keys(keys)] == [("ann", ("read",))]

    def test_a_name_is_taken_once_and_an_unknown_one_names_those_there_are(self, keys: Path) -> None:
        make_key(keys, "ann", ["read"])
        with pytest.raises(KeyTakenError, match="'ann' already"):
            make_key(keys, "ann", ["read"])
        with pytest.raises(UnknownKeyError, match="there is: ann"):
            revoke_key(keys, "bob")

    def test_a_file_that_is_none_is_an_error_naming_it(self, keys: Path) -> None:
        keys.write_text("[]")
        with pytest.raises(KeysFileError, match=r"keys\.json is no file of API keys"):
            read_keys(keys)

    def test_what_needs_a_key_says_so_and_is_given_for_one(self, serve: Serve, store: Store, keys: Path) -> None:
        client = serve(store, keys=keys, anonymous="")
        reader, loader = make_key(keys, "reader", ["read"]), make_key(keys, "loader", ["read", "download"])

        refused = client.get(ASK)
        assert (refused.status_code, refused.json()["type"]) == (401, "urn:sprachbund:problem:key-needed")
        assert refused.headers["www-authenticate"] == "Bearer"
        assert client.get(ASK, headers=bearer(reader)).status_code == 200
        assert client.get(DOWNLOAD, headers=bearer(reader)).status_code == 403
        assert client.get(DOWNLOAD, headers=bearer(loader)).status_code == 200
        assert [client.get(path).status_code for path in ("/", "/docs", "/health", "/ready")] == [200] * 4

    def test_a_key_that_is_revoked_or_made_up_is_refused_at_once(self, serve: Serve, store: Store, keys: Path) -> None:
        client = serve(store, keys=keys, refresh_seconds=3600)
        key = make_key(keys, "ann", ["read"])
        assert client.get(ASK, headers=bearer(key)).status_code == 200
        revoke_key(keys, "ann")

        assert client.get(ASK, headers=bearer(key)).json()["type"] == "urn:sprachbund:problem:unknown-key"
        assert client.get(ASK, headers=bearer("spb_made-up")).status_code == 401
        assert client.get(ASK).status_code == 200

    def test_a_private_matrix_is_not_there_for_whom_has_no_key(self, serve: Serve, store: Store, keys: Path) -> None:
        client = serve(store, keys=keys, private="zero_shot-*", refresh_seconds=3600)
        key = make_key(keys, "ann", ["read"])

        def seen(**headers: str) -> list[str]:
            return [one["matrix"] for one in client.get("/v1/matrices", headers=headers).json()["matrices"]]

        # In either order: an answer that was kept for one must not be given to the other.
        assert seen() == [INTERFERENCE]
        assert seen(**bearer(key)) == [INTERFERENCE, POS]
        assert seen() == [INTERFERENCE]
        assert client.get(f"/v1/matrices/{POS}/cells").status_code == 404
        assert client.get(ASK).json()["kind"] == "interference"
        assert client.get(ASK, headers=bearer(key)).json()["kind"] == "zero_shot"
        assert client.get(ASK, headers=bearer(key)).headers["cache-control"].startswith("private")


@pytest.mark.parametrize("path", ["/", "/docs", "/health", "/ready", "/v1/matrices", ASK, DOWNLOAD, "/web/page.js"])
def test_head_says_what_get_says_without_the_body(client: TestClient, path: str) -> None:
    whole, head = client.get(path), client.head(path)

    assert (head.status_code, head.content) == (whole.status_code, b"")
    differ = {"x-request-id", "date"}
    assert {k: v for k, v in head.headers.items() if k not in differ} == {
        k: v for k, v in whole.headers.items() if k not in differ
    }


@pytest.mark.parametrize("path", ["/", "/docs", ASK, "/made/up", "/web/page.css"])
def test_every_answer_has_the_headers_that_keep_browsers_safe(client: TestClient, path: str) -> None:
    response = client.get(path)

    assert {name: response.headers[name] for name in HEADERS} == HEADERS
    assert "default-src 'none'" in response.headers["content-security-policy"]


def test_a_request_has_an_id_that_the_client_may_give(client: TestClient) -> None:
    given = client.get("/health", headers={"X-Request-ID": "mine-1"})
    odd = client.get("/health", headers={"X-Request-ID": "a b\tc"})

    assert given.headers["x-request-id"] == "mine-1"
    assert len(odd.headers["x-request-id"]) == 16
    assert client.get("/health").headers["x-request-id"] != odd.headers["x-request-id"]


def test_what_is_too_long_is_refused(client: TestClient) -> None:
    long = client.get("/v1/matrices", params={"x": "a" * 9000})
    large = client.post("/v1/recommendations", content=b"x" * 70_000)

    assert (long.status_code, large.status_code) == (414, 413)
    assert long.json()["type"] == "urn:sprachbund:problem:query-too-long"


def test_a_body_that_does_not_come_is_given_up(store: Store, tmp_path: Path) -> None:
    app = create_app(Settings(store=store.uri, prepare=False, download_folder=tmp_path, patience_seconds=0.05))

    async def ask() -> httpx2.Response:
        async def never() -> object:
            yield b"{"
            await anyio.sleep_forever()

        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://test") as client:
            return await client.post("/v1/recommendations", content=never())

    response = anyio.run(ask)
    assert response.status_code == 408


def test_pages_of_other_origins_may_ask_where_that_is_set(serve: Serve, store: Store) -> None:
    origin = {"Origin": "https://example.org"}
    closed, opened = serve(store), serve(store, cors="https://example.org")

    assert "access-control-allow-origin" not in closed.get("/v1/matrices", headers=origin).headers
    assert opened.get("/v1/matrices", headers=origin).headers["access-control-allow-origin"] == "https://example.org"


def test_behind_a_prefix_links_have_it(serve: Serve, store: Store) -> None:
    client = serve(store, root_path="/languages")

    response = client.get(f"/v1/matrices/{POS}/cells", params={"limit": 1})
    assert response.headers["link"].startswith("</languages/v1/matrices/")


@pytest.mark.parametrize(
    ("accept", "given"),
    [
        ("text/csv", "text/csv"),
        ("TEXT/CSV", "text/csv"),
        ("text/*", "text/csv"),
        ("*/*", "application/json"),
        ("text/html, */*;q=0.1", "application/json"),
        ("application/json;q=0.5, text/csv;q=0.9", "text/csv"),
        ("text/csv;q=0, application/json;q=0.1", "application/json"),
        ("application/vnd.apache.parquet", "application/vnd.apache.parquet"),
        ("", "application/json"),
    ],
)
def test_the_form_is_what_accept_likes_best(client: TestClient, accept: str, given: str) -> None:
    for form in ("cells", "pairs"):
        response = client.get(f"/v1/matrices/{POS}/cells", params={"form": form}, headers={"Accept": accept})
        assert response.headers["content-type"].partition(";")[0] == given


def test_a_form_nobody_has_is_refused_with_those_there_are(client: TestClient) -> None:
    response = client.get(f"/v1/matrices/{POS}/cells", headers={"Accept": "image/png"})

    assert (response.status_code, response.json()["known"][0]) == (406, "application/json")
