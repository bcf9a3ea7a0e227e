"""The service keeps to the interface it publishes, whatever it is asked."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings

from matrices.store import Store
from service.settings import Settings

ROOT = Path(__file__).parents[2]


OPERATIONS = [
    *(
        ("GET", path)
        for path in (
            *("/v1/recommendations", "/v1/matrices", "/v1/matrices/{matrix}", "/v1/matrices/{matrix}/cells"),
            *("/v1/matrices/{matrix}/measures/{measure}", "/v1/matrices/{matrix}/download"),
            *("/v1/matrices/{matrix}/versions", "/v1/matrices/{matrix}/croissant"),
            *("/v1/matrices/{matrix}/every-eval-ever", "/v1/languages", "/v1/languages/{tag}", "/v1/adapters/{key}"),
            *("/health", "/ready", "/metrics"),
        )
    ),
    ("POST", "/v1/recommendations"),
]
EXAMPLES = int(os.environ.get("SPRACHBUND_EXAMPLES", "8"))
"""Requests of each operation; docs/operations.md says what was found with many."""


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_every_endpoint_answers_as_published_whatever_it_is_asked(
    serve: Callable[..., TestClient], store: Store, method: str, path: str
) -> None:
    client = serve(store, refresh_seconds=3600)
    operation = schemathesis.openapi.from_asgi("/openapi.json", client.app)[path][method]

    @settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy())
    def answers_as_published(case: schemathesis.Case) -> None:
        case.call_and_validate()

    answers_as_published()


def test_nothing_else_is_published(client: TestClient) -> None:
    published = client.get("/openapi.json").json()["paths"]
    found = {(method.upper(), path) for path, methods in published.items() for method in methods}
    assert found == set(OPERATIONS)


def test_every_setting_is_described_and_documented() -> None:
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"`SPRACHBUND_([A-Z_]+)`", text))

    assert all(field.description for field in Settings.model_fields.values())
    assert {name.upper() for name in Settings.model_fields} <= documented


BLOCKED = """
import sys
from pathlib import Path

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"torch", "ray", "transformers", "adapters", "workers", "adapters_zoo"}:
            raise ImportError(f"{name} is blocked")

sys.meta_path.insert(0, Blocked())

from fastapi.testclient import TestClient
from service import Settings, create_app

with TestClient(create_app(Settings(store=sys.argv[1], download_folder=Path(sys.argv[2]), prepare=False))) as client:
    matrix = "/v1/matrices/zero_shot-pos-tiny@0a1b"
    asked = ["/ready", "/v1/recommendations?task=pos&target=yor", matrix, matrix + "/download", "/"]
    print([client.get(path).status_code for path in asked])
"""


def test_the_service_runs_where_nothing_can_train(store: Store, tmp_path: Path) -> None:
    command = [sys.executable, "-c", BLOCKED, store.uri, str(tmp_path / "downloads")]
    ran = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)

    assert ran.stdout.splitlines()[-1:] == ["[200, 200, 200, 200, 200]"], ran.stderr


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPRACHBUND_STORE", "s3://bucket/store")
    monkeypatch.setenv("SPRACHBUND_PAGE_SIZE", "10")

    assert (Settings().store, Settings().page_size) == ("s3://bucket/store", 10)
