from __future__ import annotations

import re

import pytest
from fastapi.testclient import TestClient


def test_the_page_loads_from_this_service_alone(client: TestClient) -> None:
    response = client.get("/")

    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert "http://" not in re.sub(r"http://www\.w3\.org/\d+/svg|http%3A", "", response.text)
    assert "https://" not in response.text


def test_every_file_the_page_names_is_there(client: TestClient) -> None:
    page = client.get("/").text
    named = re.findall(r'(?:href|src)="(web/[^"]+)"', page)
    assert named

    for path in named:
        response = client.get(f"/{path}")
        assert response.status_code == 200
        for imported in re.findall(r'from "\./([^"]+)"', response.text):
            assert client.get(f"/web/{imported}").status_code == 200


def test_every_id_the_script_reaches_for_is_on_the_page(client: TestClient) -> None:
    page, script = client.get("/").text, client.get("/web/page.js").text

    assert set(re.findall(r'\$\("([^"]+)"\)', script)) <= set(re.findall(r'id="([^"]+)"', page))


def test_every_choice_has_a_label(client: TestClient) -> None:
    page = client.get("/").text
    fields = set(re.findall(r'<(?:select|input) id="([^"]+)"', page))

    assert fields
    assert fields <= set(re.findall(r'<label for="([^"]+)"', page))


def test_the_interface_is_described_from_the_package_alone(client: TestClient) -> None:
    page = client.get("/docs")

    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert "//" not in re.sub(r"<!--.*?-->", "", page.text)
    assert client.get("/web/docs.js").status_code == 200


@pytest.mark.parametrize("path", ["/", "/web/page.js", "/v1/matrices"])
def test_no_answer_is_taken_for_another_type(client: TestClient, path: str) -> None:
    assert client.get(path).headers["x-content-type-options"] == "nosniff"
