from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from matrices.cells import Cell
from matrices.recommend import Question, ask, predictor, to_json
from matrices.store import Store

PATH = "/v1/recommendations"

MakeCell = Callable[..., Cell]


def test_the_answer_is_what_the_library_says(client: TestClient, store: Store) -> None:
    response = client.get(PATH, params={"task": "pos", "target": "yor", "k": 2})

    assert response.status_code == 200
    assert response.content == to_json(ask(store, Question(task="pos", target="yor", k=2), predictor))
    assert [source["source"] for source in response.json()["sources"]] == ["deu", "hin"]


@pytest.mark.parametrize("k", [1, 3, 4, 100])
def test_more_or_fewer_sources_are_cut_from_one_ranking(client: TestClient, store: Store, k: int) -> None:
    client.get(PATH, params={"task": "pos", "target": "yor", "k": 2, "source": "ibo"})
    again = client.get(PATH, params={"task": "pos", "target": "Yoruba", "k": k, "source": "ibo"})

    question = Question(task="pos", target="yor", k=k, sources=("ibo",))
    assert again.content == to_json(ask(store, question, predictor))


def test_kind_and_matrix_choose_what_answers(client: TestClient) -> None:
    interference = client.get(PATH, params={"task": "pos", "target": "yor", "kind": "interference"}).json()
    named = client.get(PATH, params={"task": "pos", "target": "yor", "matrix": interference["matrix"]}).json()

    assert interference["kind"] == "interference"
    assert interference["sources"][0]["effect"]["verdict"] == "helps"
    assert interference["advice"].startswith("Add German: it helps Yoruba by +0.")
    assert interference["verdicts"] == {"helps": 4, "harms": 0, "neutral": 0, "undecided": 0}
    assert named == interference


@pytest.mark.parametrize("target", ["Yoruba", "yo", "yo-NG", "YOR"])
def test_the_target_goes_by_any_name(client: TestClient, target: str) -> None:
    assert client.get(PATH, params={"task": "pos", "target": target}).json()["target"]["code"] == "yor"


def test_an_answer_one_has_is_not_sent_again(client: TestClient) -> None:
    params = {"task": "pos", "target": "yor"}
    first = client.get(PATH, params=params)
    again = client.get(PATH, params=params, headers={"If-None-Match": first.headers["etag"]})

    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert first.headers["cache-control"] == "public, max-age=60, must-revalidate"


@pytest.mark.parametrize(
    ("params", "status", "kind", "says"),
    [
        ({"task": "parsing", "target": "yor"}, 404, "unknown-task", "there is: pos"),
        ({"task": "pos", "target": "yoruuba"}, 404, "unknown-language", "yor (Yoruba)"),
        ({"task": "pos", "target": "yor", "matrix": "nope"}, 404, "unknown-matrix", "zero_shot-pos-tiny@0a1b"),
        ({"task": "pos", "target": "yor", "k": 0}, 422, "invalid-parameters", "k: Input should be greater"),
        ({"task": "pos", "target": "yor", "k": 101}, 422, "invalid-parameters", "k: Input should be less"),
        ({"task": "pos", "target": "yor", "kind": "zero-shot"}, 422, "invalid-parameters", "'zero_shot'"),
        ({"task": "pos"}, 422, "invalid-parameters", "target: Field required"),
        ({"task": "pos", "taget": "yor"}, 422, "invalid-parameters", "taget: no such parameter; nearest: target"),
    ],
)
def test_what_cannot_be_answered_is_a_problem_that_says_what_there_is(
    client: TestClient, params: dict[str, str], status: int, kind: str, says: str
) -> None:
    response = client.get(PATH, params=params)

    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["type"] == f"urn:sprachbund:problem:{kind}"
    assert response.json()["status"] == status
    assert says in response.json()["detail"]


def test_problems_name_what_there_is_for_machines_too(client: TestClient) -> None:
    language = client.get(PATH, params={"task": "pos", "target": "yoruuba"}).json()
    task = client.get(PATH, params={"task": "parsing", "target": "yor"}).json()

    assert language["nearest"][0] == {"code": "yor", "name": "Yoruba"}
    assert task["known"] == ["pos"]


def test_the_answer_is_the_same_to_the_byte_each_time(client: TestClient, serve, store: Store) -> None:
    params = {"task": "pos", "target": "wol"}
    other = serve(store)

    assert client.get(PATH, params=params).content == other.get(PATH, params=params).content
    assert json.loads(other.get(PATH, params=params).content)["version"] == store.version


def test_a_target_nobody_measured_is_predicted_and_says_so(client: TestClient, store: Store) -> None:
    response = client.get(PATH, params={"task": "pos", "target": "Swahili", "k": 2})
    answer = response.json()

    assert response.content == to_json(ask(store, Question(task="pos", target="swa", k=2), predictor))
    assert (answer["target"]["code"], answer["method"]) == ("swa", "prediction")
    assert answer["ranked"] == answer["predicted"] == 4
    assert {source["measured"] for source in answer["sources"]} == {False}
    assert {source["level"] for source in answer["sources"]} == {0.9}
    assert sum(source["probability_best"] for source in answer["sources"]) <= 1
    assert answer["shortlist"]
    assert "script" in answer["knowledge"]["known"]
    assert "corpora" in answer["knowledge"]["missing"]
    assert {kind for source in answer["sources"] for kind in source["knowledge"]["known"]} <= {
        *answer["knowledge"]["known"]
    }
    assert answer["basis"].startswith("Predicted: nothing was measured on Swahili in pos with tiny@")


def test_a_source_nobody_measured_is_ranked_beside_those_that_were(client: TestClient) -> None:
    answer = client.get(PATH, params={"task": "pos", "target": "yor", "k": 1, "source": ["Dutch", "ewe"]}).json()

    assert {source["source"]: source["measured"] for source in answer["asked"]} == {"nld": False, "ewe": False}
    assert (answer["ranked"], answer["predicted"]) == (6, 2)


def test_where_nothing_can_be_predicted_it_says_why(serve, store: Store, tmp_path: Path, make_cell: MakeCell) -> None:
    small = Store.open(tmp_path / "small", create=True)
    small.append([make_cell("deu", "yor", 40), make_cell("eng", "wol", 30)])

    problem = serve(small).get(PATH, params={"task": "pos", "target": "swa"}).json()

    assert (problem["status"], problem["type"]) == (404, "urn:sprachbund:problem:unknown-target")
    assert "nothing can be predicted: no target has scores of two sources" in problem["detail"]
    assert problem["known"] == ["wol", "yor"]
