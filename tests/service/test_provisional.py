"""A question about a language nobody measured, in a matrix whose model takes minutes to fit."""

from __future__ import annotations

import json
import threading
from functools import partial
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from matrices.recommend import Predict, Question, predictions
from matrices.scores import ScoreTable
from matrices.snapshot_of_store import read_snapshot
from matrices.store import Store
from service import Settings, create_app
from service.models import Models
from service.prepared import Prepared
from service.recommending import AnswerBody, Recommending
from service.thread_pools import NotYetError

QUESTION = Question(task="pos", target="swa")


class Slow:
    """A fit that ends when it may."""

    def __init__(self) -> None:
        self.may_end, self.ended = threading.Event(), threading.Event()

    def __call__(self, table: ScoreTable) -> Predict:
        self.may_end.wait()
        self.ended.set()
        return predictions(table)


@pytest.fixture(autouse=True)
def every_matrix_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.provisional.LARGE", 1)


def answered(recommending: Recommending, store: Store) -> AnswerBody:
    """As a service asks: what is not there yet is made first."""
    while True:
        try:
            return recommending(read_snapshot(store), QUESTION)
        except NotYetError as needed:
            needed.work()


def basis(answer: AnswerBody) -> str:
    return str(json.loads(answer.body)["basis"])


def test_it_is_answered_from_a_part_and_says_so_until_the_whole_model_is_there(store: Store) -> None:
    slow, prepared = Slow(), Prepared(8)
    models = Models(4, slow, prepared=prepared)
    recommending = Recommending(models, prepared, 16)

    first = answered(recommending, store)
    assert not first.final
    assert basis(first).startswith("A first answer, from ")
    assert "of a large matrix: the model of all of them is being fitted" in basis(first)

    slow.may_end.set()
    snapshot = read_snapshot(store)
    models(snapshot, "zero_shot-pos-tiny@0a1b", snapshot.version, "stack", "last", "swa")  # Waits for the fit.
    then = answered(recommending, store)
    assert then.final
    assert "A first answer" not in basis(then)


def test_such_an_answer_is_kept_by_nobody(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = Slow()
    monkeypatch.setattr("service.app.Models", partial(Models, fit=slow))
    app = create_app(Settings(store=store.uri, download_folder=tmp_path, refresh_seconds=60, prepare=False))
    with TestClient(app) as client:
        address = "/v1/recommendations?task=pos&target=swa"
        first = client.get(address)
        assert first.headers["cache-control"] == "no-store"
        assert "etag" not in first.headers
        slow.may_end.set()
        slow.ended.wait()
        measured = client.get("/v1/recommendations?task=pos&target=yor")
        assert "etag" in measured.headers


def test_what_was_measured_is_answered_from_all_there_is(store: Store) -> None:
    prepared = Prepared(8)
    recommending = Recommending(Models(4, Slow(), prepared=prepared), prepared, 16)
    measured = Question(task="pos", target="yor", kind="interference")
    assert recommending(read_snapshot(store), measured).final


def test_what_was_measured_is_laid_out_before_models_are_fitted(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    prepared, snapshot = Prepared(8), read_snapshot(store)
    Recommending(Models(4, Slow(), prepared=prepared), prepared, 16).prepare_first(snapshot, lambda seconds: True)
    monkeypatch.delattr("service.prepared.shown")  # What lays a matrix out.
    for info in snapshot.matrices():
        assert prepared.of(snapshot).chosen(info.matrix) is not None
