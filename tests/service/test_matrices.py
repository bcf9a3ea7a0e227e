from __future__ import annotations

from dataclasses import asdict

import pyarrow as pa
import pytest
from fastapi.testclient import TestClient

from matrices.cells import SCHEMA
from matrices.store import Store

POS = "zero_shot-pos-tiny@0a1b"
CELLS = f"/v1/matrices/{POS}/cells"
ARROW = "application/vnd.apache.arrow.stream"


def test_matrices_are_listed_with_their_counts(client: TestClient, store: Store) -> None:
    answer = client.get("/v1/matrices").json()

    assert answer["matrices"] == [asdict(info) for info in store.matrices()]
    assert answer["measured_on"] is None


def test_a_matrix_is_shown_with_its_mean_scores(client: TestClient) -> None:
    answer = client.get(f"/v1/matrices/{POS}").json()

    assert (answer["task"], answer["metric"], answer["seeds"], answer["failed"]) == ("pos", "accuracy", [0, 1], 0)
    assert answer["names"]["nan"] == "Min Nan Chinese"
    grid = answer["grid"]
    assert sorted(grid["sources"]) == ["deu", "eng", "hin", "nan"]
    assert sorted(grid["targets"]) == ["wol", "yor"]
    assert grid["scores"][grid["sources"].index("deu")] == [pytest.approx(45.5 / 60)] * 2
    assert grid["baseline"] == [pytest.approx(12.5 / 60)] * 2


def test_an_unknown_matrix_is_a_problem_naming_those_there_are(client: TestClient) -> None:
    for path in ("", "/cells", "/download"):
        response = client.get(f"/v1/matrices/nope{path}")

        assert response.status_code == 404
        assert response.json()["type"] == "urn:sprachbund:problem:unknown-matrix"
        assert POS in response.json()["known"]


def test_pages_add_up_to_the_matrix_in_order(client: TestClient, store: Store) -> None:
    pages, cursor = [], None
    while cursor is not None or not pages:
        params = {"limit": 7} | ({"cursor": cursor} if cursor else {})
        pages.append(client.get(CELLS, params=params).json())
        cursor = pages[-1]["next"]

    assert [len(page["cells"]) for page in pages] == [7, 7, 6]
    assert {page["total"] for page in pages} == {20}
    listed = [cell["cell_id"] for page in pages for cell in page["cells"]]
    assert listed == store.cells(POS)["cell_id"].to_pylist()


def test_a_link_names_the_next_page(client: TestClient) -> None:
    first = client.get(CELLS, params={"limit": 15})
    second = client.get(first.links["next"]["url"])

    assert len(second.json()["cells"]) == 5
    assert "link" not in second.headers


def test_pages_stay_at_the_version_of_the_first(client: TestClient, store: Store) -> None:
    first = client.get(CELLS, params={"limit": 15}).json()
    store.append([_another(store)])

    second = client.get(CELLS, params={"limit": 15, "cursor": first["next"]}).json()

    assert (second["version"], second["total"]) == (first["version"], 20)
    assert client.get(CELLS).json()["total"] == 21


def test_cells_are_filtered_by_any_name_of_a_language(client: TestClient) -> None:
    answer = client.get(CELLS, params={"source": "Min Nan Chinese", "target": "wo"}).json()

    assert [(cell["source"], cell["target"]) for cell in answer["cells"]] == [("nan", "wol")] * 2


def test_outcomes_of_items_come_when_asked_for(client: TestClient) -> None:
    brief = client.get(CELLS, params={"limit": 1}).json()["cells"][0]
    full = client.get(CELLS, params={"limit": 1, "outcomes": True}).json()["cells"][0]

    assert set(SCHEMA.names) - set(brief) == {"correct", "total"}
    assert len(full["total"]) == full["n_items"] == 60


@pytest.mark.parametrize("params", [{"source": "deu"}, {"target": "wol"}])
def test_a_cursor_is_of_use_for_its_question_alone(client: TestClient, params: dict[str, str]) -> None:
    cursor = client.get(CELLS, params={"limit": 1}).json()["next"]

    response = client.get(CELLS, params={"cursor": cursor, **params})

    assert response.status_code == 404
    assert response.json()["type"] == "urn:sprachbund:problem:unknown-page"


@pytest.mark.parametrize("cursor", ["x", "%00", "bnVsbA", "WzEsMiwzXQ", "W10", "é"])
def test_a_cursor_made_up_is_a_problem(client: TestClient, cursor: str) -> None:
    assert client.get(CELLS, params={"cursor": cursor}).status_code == 404


def test_cells_come_as_an_arrow_stream_when_accepted(client: TestClient, store: Store) -> None:
    response = client.get(CELLS, params={"outcomes": True}, headers={"Accept": ARROW})

    assert response.headers["content-type"] == ARROW
    assert response.headers["vary"] == "Accept, Authorization"
    with pa.ipc.open_stream(response.content) as reader:
        assert reader.read_all().equals(store.cells(POS))


def test_arrow_is_paged_by_the_same_link(client: TestClient) -> None:
    first = client.get(CELLS, params={"limit": 15}, headers={"Accept": ARROW})
    second = client.get(first.links["next"]["url"], headers={"Accept": ARROW})

    with pa.ipc.open_stream(second.content) as reader:
        assert reader.read_all().num_rows == 5


def _another(store: Store):
    from dataclasses import replace

    from matrices.cells import from_table

    return replace(from_table(store.cells(POS))[0], cell_id="another", seed=9)
