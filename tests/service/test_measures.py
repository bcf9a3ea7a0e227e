"""Measures over HTTP: rows or Arrow, computed once a version, and a reason where there is none."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from urllib.parse import quote

import pyarrow as pa
import pytest
from fastapi.testclient import TestClient

from matrices.cells import Cell
from matrices.measures.catalogue import MEASURES, MeasureSettings
from matrices.measures.registry import answer, measure
from matrices.snapshot import Snapshot
from matrices.snapshot_of_store import read_snapshot
from matrices.store import Store
from service.answers import ARROW
from service.measures import Measures

MATRIX = "interference-pos-tiny@0a1b"
PATH = f"/v1/matrices/{quote(MATRIX)}/measures"
MakeCell = Callable[..., Cell]


def test_interference_comes_as_rows_with_what_columns_mean(client: TestClient) -> None:
    body = client.get(f"{PATH}/interference").json()

    assert {body[name] for name in ("matrix", "measure", "composition", "selection")} == {
        *(MATRIX, "interference", "stack", "last"),
    }
    assert set(body["columns"]) <= set(body["rows"][0])
    row = next(row for row in body["rows"] if (row["source"], row["target"]) == ("deu", "yor"))
    assert row["delta"] == pytest.approx((45.5 - 12.5) / 60)
    assert row["low"] < row["delta"] < row["high"]
    assert row["label"] == "helps"
    # Unknown is null, never a number; what is the same in every row is said once.
    assert row["source_unseen"] is None
    assert "matrix" not in row


def test_languages_the_encoder_has_not_seen_are_marked(client: TestClient) -> None:
    rows = client.get(f"{PATH}/interference", params={"unseen": ["Yoruba", "deu"]}).json()["rows"]
    assert {row["target"] for row in rows if row["target_unseen"]} == {"yor"}
    assert {row["source_unseen"] for row in rows if row["source"] == "deu"} == {True}
    assert client.get(f"{PATH}/interference").json()["rows"][0]["source_unseen"] is None
    assert client.get(f"{PATH}/interference", params={"unseen": "qqqq-not"}).json()["title"] == "Unknown language"


def test_rows_are_what_the_library_computes(client: TestClient, store: Store) -> None:
    computed = answer(measure(store, MATRIX, "interference"))
    assert client.get(f"{PATH}/interference").json()["rows"] == computed.rows


def test_arrow_is_the_same_table_and_says_what_it_is_of(client: TestClient, store: Store) -> None:
    response = client.get(f"{PATH}/interference", headers={"Accept": ARROW})
    table = pa.ipc.open_stream(response.content).read_all()

    assert response.headers["content-type"] == ARROW
    assert table.equals(measure(store, MATRIX, "interference"))
    assert table.schema.metadata[b"matrix"].decode() == MATRIX


def test_an_answer_has_an_etag_and_changes_with_the_matrix(
    client: TestClient, store: Store, make_cell: MakeCell
) -> None:
    before = client.get(f"{PATH}/interference")
    kept = {"If-None-Match": before.headers["etag"]}
    assert client.get(f"{PATH}/interference", headers=kept).status_code == 304

    store.append([make_cell("swa", "yor", 30, seed, MATRIX) for seed in (0, 1)])
    after = client.get(f"{PATH}/interference", headers=kept)
    assert (after.status_code, after.json()["version"]) == (200, store.version)
    assert "swa" in {row["source"] for row in after.json()["rows"]}


class Counted:
    """The measures of the library, counted."""

    def __init__(self) -> None:
        self.computed: list[str] = []

    def __call__(
        self, reader: Snapshot, matrix: str, what: str, settings: MeasureSettings, *, version: int | None
    ) -> pa.Table:
        self.computed.append(matrix)
        return measure(reader, matrix, what, settings, version=version)


def test_a_table_is_computed_once_for_all_who_ask(store: Store) -> None:
    counted, snapshot = Counted(), read_snapshot(store)
    measures = Measures(4, counted)
    with ThreadPoolExecutor(8) as pool:
        tables = list(pool.map(lambda _: measures(snapshot, MATRIX, "interference"), range(8)))
    assert all(table.equals(tables[0]) for table in tables)
    assert counted.computed == [MATRIX]


def test_a_version_that_left_the_matrix_as_it_was_is_answered_from_the_table_there_is(
    store: Store, make_cell: MakeCell
) -> None:
    counted = Counted()
    measures = Measures(4, counted)
    measures(read_snapshot(store), MATRIX, "interference")
    store.append([make_cell("swa", "yor", 30)])
    after = measures(read_snapshot(store), MATRIX, "interference")
    assert counted.computed == [MATRIX]
    assert after.schema.metadata[b"version"] == str(store.version).encode()

    store.append([make_cell("swa", "yor", 30, 0, MATRIX)])
    measures(read_snapshot(store), MATRIX, "interference")
    assert counted.computed == [MATRIX, MATRIX]


def test_what_the_encoder_saw_is_part_of_what_a_measure_is_made_of(store: Store) -> None:
    measures = Measures(4)
    before = measures(read_snapshot(store), MATRIX, "interference")
    (encoder,) = {info.encoder for info in store.matrices() if info.matrix == MATRIX}
    store.keep_pretrained(encoder, ["deu"])
    after = measures(read_snapshot(store), MATRIX, "interference")

    assert set(before["target_unseen"].to_pylist()) == {None}
    assert set(after["target_unseen"].to_pylist()) == {True}


def test_a_composition_can_be_named(client: TestClient, store: Store, make_cell: MakeCell) -> None:
    for seed in (0, 1):
        cell = make_cell("deu", "yor", 5, seed, MATRIX)
        store.append([replace(cell, composition="shift-10", cell_id=f"{cell.cell_id}-shift")])
    rows = client.get(f"{PATH}/interference", params={"composition": "shift-10"}).json()["rows"]
    assert [(row["source"], row["label"]) for row in rows] == [("deu", "harms")]


def test_an_unknown_measure_names_those_there_are(client: TestClient) -> None:
    response = client.get(f"{PATH}/distance")
    assert (response.status_code, response.json()["type"]) == (404, "urn:sprachbund:problem:unknown-measure")
    assert response.json()["known"] == list(MEASURES)


def test_an_unknown_matrix_names_those_there_are(client: TestClient) -> None:
    response = client.get("/v1/matrices/nope/measures/interference")
    assert (response.status_code, response.json()["type"]) == (404, "urn:sprachbund:problem:unknown-matrix")


@pytest.mark.parametrize(
    ("measured", "parameters", "reason"),
    [("interference", {"composition": "fuse"}, "there is: stack"), ("ratios", {}, "of kind interference")],
)
def test_what_cannot_be_computed_says_why(
    client: TestClient, measured: str, parameters: dict[str, str], reason: str
) -> None:
    response = client.get(f"{PATH}/{measured}", params=parameters)
    assert (response.status_code, response.json()["type"]) == (422, "urn:sprachbund:problem:cannot-be-measured")
    assert reason in response.json()["detail"]


def test_the_box_keeps_no_outcomes_and_says_so(serve: Callable[..., TestClient]) -> None:
    client = serve(None)
    name = next(one["matrix"] for one in client.get("/v1/matrices").json()["matrices"] if one["kind"] == "interference")
    response = client.get(f"/v1/matrices/{name}/measures/interference")
    assert response.status_code == 422
    assert "outcomes of items" in response.json()["detail"]


def test_a_misspelt_parameter_names_the_nearest(client: TestClient) -> None:
    response = client.get(f"{PATH}/interference", params={"compositon": "stack"})
    assert response.status_code == 422
    assert "nearest: composition" in response.json()["detail"]
