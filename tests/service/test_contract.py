"""What the interface promises beyond single answers."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import polars
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fastapi.testclient import TestClient

from matrices.cells import Cell
from matrices.pairs import SCHEMA
from matrices.store import Store
from service import Settings, create_app

Serve = Callable[..., TestClient]
MakeCell = Callable[..., Cell]
ROOT = Path(__file__).parents[2]
POS = "zero_shot-pos-tiny@0a1b"
CELLS = f"/v1/matrices/{POS}/cells"


def test_the_interface_is_what_was_written_down() -> None:
    """A change to the interface is a decision: raise ``service.app.CONTRACT``, say it in docs/http.md, and write
    docs/openapi.json anew with `python tools/openapi.py`."""
    written = json.loads((ROOT / "docs" / "openapi.json").read_text(encoding="utf-8"))

    assert create_app(Settings()).openapi() == written


def test_pairs_are_one_table_in_every_form(client: TestClient) -> None:
    params = {"form": "pairs"}
    as_json = client.get(CELLS, params=params).json()
    csv = client.get(CELLS, params=params, headers={"Accept": "text/csv"}).content
    parquet = client.get(CELLS, params=params, headers={"Accept": "application/vnd.apache.parquet"}).content
    arrow = client.get(CELLS, params=params, headers={"Accept": "application/vnd.apache.arrow.stream"}).content

    table = pq.read_table(io.BytesIO(parquet))
    assert table.schema.equals(SCHEMA)
    assert table.to_pylist() == as_json["cells"]
    assert pa.ipc.open_stream(arrow).read_all().equals(table)
    assert polars.read_csv(io.BytesIO(csv)).columns == SCHEMA.names
    best = as_json["cells"][0]
    assert (best["source"], best["source_name"], best["target"]) == ("deu", "German", "wol")
    assert best["mean"] == pytest.approx(45.5 / 60)
    assert best["sd"] == pytest.approx(2**-0.5 / 60)
    assert best["delta"] == pytest.approx(33 / 60)
    assert best["low"] < best["mean"] < best["high"]
    assert (best["seeds"], best["n_items"], best["source_seen"]) == (2, 60, None)


def test_cells_are_sorted_and_filtered_by_any_column(client: TestClient) -> None:
    params = {"where": ["score>=0.5", "seed=1", "source!="], "sort": "-score,target"}
    rows = client.get(CELLS, params=params).json()["cells"]

    assert [(row["source"], row["target"], row["seed"]) for row in rows] == [
        *(("deu", "wol", 1), ("deu", "yor", 1), ("hin", "wol", 1), ("hin", "yor", 1)),
        *(("eng", "wol", 1), ("eng", "yor", 1)),
    ]
    assert {row["source"] for row in client.get(CELLS, params={"where": "source="}).json()["cells"]} == {None}


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"where": "scor>=0.5"}, "there is no column 'scor'"),
        ({"where": "score~1"}, "write COLUMN=VALUE"),
        ({"where": "seed>many"}, "'many' is no value of seed"),
        ({"sort": "-nothing"}, "there is no column 'nothing'"),
    ],
)
def test_a_condition_that_is_none_says_what_to_write(client: TestClient, params: dict[str, str], says: str) -> None:
    response = client.get(CELLS, params=params)

    assert (response.status_code, says in response.json()["detail"]) == (422, True)


def test_pages_of_a_sorted_matrix_add_up(client: TestClient) -> None:
    pages, cursor = [], None
    while cursor is not None or not pages:
        params = {"limit": 7, "sort": "score", **({"cursor": cursor} if cursor else {})}
        body = client.get(CELLS, params=params).json()
        pages.append(body["cells"])
        cursor = body["next"]

    ids = [row["cell_id"] for page in pages for row in page]
    assert len(ids) == len(set(ids)) == body["total"] == 20


def test_several_targets_are_answered_each_for_itself(client: TestClient) -> None:
    body = {"task": "pos", "targets": ["Yoruba", "wol", "nowhere"], "k": 1}
    yor, wol, nowhere = client.post("/v1/recommendations", json=body).json()["answers"]

    assert yor["answer"] == client.get("/v1/recommendations", params={"task": "pos", "target": "yor", "k": 1}).json()
    assert (wol["answer"]["target"]["code"], wol["problem"]) == ("wol", None)
    assert (nowhere["target"], nowhere["answer"]) == ("nowhere", None)
    assert nowhere["problem"]["type"] == "urn:sprachbund:problem:unknown-language"


def test_encoder_composition_and_selection_choose_what_is_answered(
    serve: Serve, store: Store, make_cell: MakeCell
) -> None:
    from dataclasses import replace

    other = [make_cell(source, "yor", right) for source, right in (("deu", 10), ("eng", 50))]
    store.append([replace(cell, composition="alone", cell_id=f"{cell.cell_id}a") for cell in other])
    client = serve(store)

    def best(**params: str) -> str:
        given = {"task": "pos", "target": "yor", "kind": "zero_shot", **params}
        return client.get("/v1/recommendations", params=given).json()["sources"][0]["source"]

    assert (best(), best(composition="alone"), best(encoder="tiny@0a1b", selection="last")) == ("deu", "eng", "deu")
    for params in ({"composition": "merge"}, {"selection": "soup(2)"}, {"encoder": "other"}):
        answer = client.get("/v1/recommendations", params={"task": "pos", "target": "yor", **params})
        assert (answer.status_code, answer.json()["type"]) == (404, "urn:sprachbund:problem:unknown-way")


def test_languages_are_suggested_as_they_are_typed(client: TestClient) -> None:
    def typed(text: str) -> list[dict[str, object]]:
        return client.get("/v1/languages", params={"q": text, "limit": 5}).json()["languages"]

    assert next((one["code"], one["target_in"]) for one in typed("yor")) == ("yor", 2)
    assert typed("Deuts")[0]["matched"] == "Deutsch"
    assert typed("日本")[0]["code"] == "jpn"
    assert typed("igb") != []
    assert typed("qqqqq") == []


def test_a_download_carries_what_whoever_uses_it_must_know(client: TestClient, serve: Serve) -> None:
    file = client.get(f"/v1/matrices/{POS}/download").content
    credit = json.loads(pq.read_schema(io.BytesIO(file)).metadata[b"sprachbund"])
    assert (credit["matrix"], credit["version"], credit["encoder"]) == (POS, 4, "tiny@0a1b")
    assert POS in credit["citation"]
    assert credit["corpora"] is None

    box = serve(None)
    name = box.get("/v1/matrices").json()["matrices"][0]["matrix"]
    credit = json.loads(
        pq.read_schema(io.BytesIO(box.get(f"/v1/matrices/{name}/download").content)).metadata[b"sprachbund"]
    )
    assert all(one["licence"] for one in credit["corpora"])
    assert box.get(f"/v1/matrices/{name}").json()["non_commercial"] is credit["non_commercial"]


def test_croissant_describes_the_download(client: TestClient) -> None:
    body = client.get(f"/v1/matrices/{POS}/croissant").json()

    (file,) = body["distribution"]
    assert client.get(file["contentUrl"]).status_code == 200
    table = pq.read_table(io.BytesIO(client.get(file["contentUrl"]).content))
    assert [field["name"] for field in body["recordSet"][0]["field"]] == table.column_names


def test_evaluations_have_what_the_schema_wants(client: TestClient) -> None:
    body = client.get(f"/v1/matrices/{POS}/every-eval-ever").json()

    assert {"schema_version", "evaluation_id", "retrieved_timestamp", "source_metadata", "model_info"} <= set(body)
    assert len(body["evaluation_results"]) == 8
    for result in body["evaluation_results"]:
        assert {"evaluation_name", "source_data", "metric_config", "score_details"} <= set(result)
        assert all(isinstance(value, str) for value in result["score_details"]["details"].values())


def test_an_adapter_is_given_away_whole_with_a_card(serve: Serve, store: Store, tmp_path: Path) -> None:
    from adapters_zoo.adapter_store import write_manifest

    key = "0123456789abcdef" * 2
    folder = tmp_path / "zoo" / key
    (folder / "adapter").mkdir(parents=True)
    (folder / "adapter" / "adapter_config.json").write_text("{}")
    write_manifest(
        folder,
        {"key": key, "labels": ["NOUN"], "seconds": 1.0, "loss": 0.5, "made_from": {"task": "pos"}, "versions": {}},
    )
    client = serve(store, zoo=str(tmp_path / "zoo"))

    response = client.get(f"/v1/adapters/{key}")
    archive = zipfile.ZipFile(io.BytesIO(response.content))
    assert archive.namelist() == ["adapter/adapter_config.json", "manifest.json", "README.md"]
    assert "task: `pos`" in archive.read("README.md").decode()
    assert client.get(f"/v1/adapters/{key}", headers={"Range": "bytes=0-3"}).content == response.content[:4]

    (folder / "adapter" / "adapter_config.json").write_text("{ }")
    altered = client.get(f"/v1/adapters/{key}")
    assert (altered.status_code, "is not as its manifest says" in altered.json()["detail"]) == (404, True)
    assert client.get(f"/v1/adapters/{'0' * 32}").status_code == 404
    assert client.get("/v1/adapters/..%2f..%2fetc").status_code in (404, 422)
