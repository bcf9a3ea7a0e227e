from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from matrices.cells import Cell
from matrices.likeness.text import overlaps
from matrices.recommend import NothingToPredictError, Outlook, Predict
from matrices.recommend.predicted.cold_start import codes_of
from matrices.scores import ScoreTable
from matrices.snapshot import Snapshot
from matrices.snapshot_of_store import read_snapshot
from matrices.store import Store
from service.models import Models
from service.thread_pools import NotYetError

POS, TOPIC = "zero_shot-pos-tiny@0a1b", "zero_shot-topic-tiny@0a1b"
MakeCell = Callable[..., Cell]


class Fits:
    """A fit that counts how often it is run, and waits until it may end."""

    def __init__(self) -> None:
        self.tables: list[ScoreTable] = []
        self.may_end = threading.Event()
        self.may_end.set()

    def __call__(self, table: ScoreTable) -> Predict:
        self.tables.append(table)
        self.may_end.wait()

        def predict(target: str, asked: Sequence[str]) -> Outlook:
            return Outlook(expected=(), shortlist=(target,), features=())

        return predict


@pytest.fixture
def fits() -> Fits:
    return Fits()


def ask(models: Models, snapshot: Snapshot, matrix: str = POS, selection: str = "last") -> Predict:
    return models(snapshot, matrix, snapshot.version, "stack", selection, "swa")


def test_a_matrix_is_fitted_once_for_all_who_ask(store: Store, fits: Fits) -> None:
    models, snapshot = Models(4, fits), read_snapshot(store)

    assert ask(models, snapshot) is ask(models, snapshot)
    assert len(fits.tables) == 1
    assert fits.tables[0].sources == ("deu", "eng", "hin", "nan")


def test_what_the_encoder_was_pretrained_on_is_of_a_models_content(store: Store, fits: Fits) -> None:
    models, [encoder] = Models(4, fits), {info.encoder for info in store.matrices()}
    untold = ask(models, read_snapshot(store))
    store.keep_pretrained(encoder, ["deu"])

    assert ask(models, read_snapshot(store)) is not untold
    assert [table.pretrained for table in fits.tables] == [None, {"deu"}]


def test_many_who_ask_at_once_wait_for_one_fit(store: Store, fits: Fits) -> None:
    models, snapshot = Models(4, fits), read_snapshot(store)
    fits.may_end.clear()
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(ask, models, snapshot) for _ in range(8)]
        fits.may_end.set()
        answers = {id(one.result()) for one in asked}

    assert len(fits.tables) == len(answers) == 1


def test_a_new_version_with_the_same_scores_needs_no_new_fit(store: Store, fits: Fits, make_cell: MakeCell) -> None:
    models = Models(4, fits)
    before = ask(models, read_snapshot(store))
    store.append([make_cell("deu", "swa", 30, matrix=TOPIC)])

    assert ask(models, read_snapshot(store)) is before
    store.append([make_cell("deu", "swa", 30)])
    assert ask(models, read_snapshot(store)) is not before


def test_only_so_many_models_are_kept(store: Store, fits: Fits, make_cell: MakeCell) -> None:
    store.append([make_cell("deu", "yor", 30, matrix=TOPIC)])
    models, snapshot = Models(1, fits), read_snapshot(store)

    for matrix in (POS, TOPIC, POS):
        ask(models, snapshot, matrix)

    assert len(fits.tables) == 3


def test_that_nothing_can_be_predicted_is_told_and_found_out_once(store: Store) -> None:
    tries: list[int] = []

    def fails(table: ScoreTable) -> Predict:
        tries.append(1)
        raise NothingToPredictError("two targets are too few")

    models, snapshot = Models(4, fails), read_snapshot(store)

    for _ in range(2):
        with pytest.raises(NothingToPredictError):
            ask(models, snapshot)
    assert len(tries) == 1


def test_a_fit_that_broke_is_tried_again(store: Store) -> None:
    tries: list[int] = []

    def breaks(table: ScoreTable) -> Predict:
        tries.append(1)
        raise MemoryError

    models, snapshot = Models(4, breaks), read_snapshot(store)

    for _ in range(2):
        with pytest.raises(MemoryError):
            ask(models, snapshot)
    assert len(tries) == 2


def test_whoever_must_not_wait_is_told_what_to_wait_for(store: Store, fits: Fits) -> None:
    models, snapshot = Models(4, fits), read_snapshot(store)
    question = (snapshot, POS, snapshot.version, "stack", "last", "swa")

    with pytest.raises(NotYetError) as scores:
        models.at_hand(*question)
    scores.value.work()
    with pytest.raises(NotYetError) as model:
        models.at_hand(*question)
    assert fits.tables == []
    model.value.work()

    assert models.at_hand(*question) is models(*question)
    assert len(fits.tables) == 1


def test_a_language_that_texts_alone_tell_of_has_a_model_of_its_own(store: Store, fits: Fits) -> None:
    models, snapshot = (
        Models(4, fits, overlaps({"qaa": ["na nan"], "deu": ["das"], "swa": ["na"]})),
        read_snapshot(store),
    )

    for target in ("swa", "qaa", "swa", "qaa"):
        models(snapshot, POS, snapshot.version, "stack", "last", target)

    known, unknown = fits.tables
    assert known.overlaps is None
    assert unknown.overlaps is not None
    assert codes_of(unknown.sources) == known.sources != unknown.sources
