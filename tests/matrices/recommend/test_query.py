from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from matrices.cells import BASELINE, Cell
from matrices.languages import UnknownLanguageError
from matrices.reading import UnknownMatrixError
from matrices.recommend import Question, UnknownTargetError, UnknownTaskError, UnknownWayError, ask
from matrices.store import Store

INTERFERENCE = {"matrix": "interference-pos-tiny", "kind": "interference"}


@pytest.fixture
def store(tmp_path: Path, make_cell: Callable[..., Cell]) -> Store:
    store = Store.open(tmp_path / "store", create=True)
    store.append([make_cell(source=source) for source in ("deu", "eng")])
    store.append([make_cell(source=s, target=t, **INTERFERENCE) for s in ("deu", "eng", "hin") for t in ("yor", "wol")])
    store.append([make_cell(source="qaa", target="qab", matrix="zero_shot-board-tiny", task="board")])
    return store


def test_transfer_is_answered_before_interference(store: Store) -> None:
    assert ask(store, Question(task="pos", target="yor")).matrix == "zero_shot-pos-tiny"


def test_a_matrix_that_has_the_target_is_answered_before_one_that_has_not(store: Store) -> None:
    assert ask(store, Question(task="pos", target="wol")).matrix == "interference-pos-tiny"


def test_matrix_and_kind_narrow_where_to_look(store: Store) -> None:
    assert ask(store, Question(task="pos", target="yor", kind="interference")).kind == "interference"
    assert ask(store, Question(task="pos", target="yor", matrix="interference-pos-tiny")).kind == "interference"


@pytest.mark.parametrize("given", ["yor", "yo", "yo-NG", "Yoruba"])
def test_the_target_goes_by_any_tag_code_or_name(store: Store, given: str) -> None:
    assert ask(store, Question(task="pos", target=given)).target.code == "yor"


def test_a_generated_language_goes_by_the_code_it_was_measured_under(store: Store) -> None:
    assert ask(store, Question(task="board", target="qab")).sources[0].source == "qaa"


def test_the_answer_carries_the_version_and_uses_the_items(store: Store) -> None:
    answer = ask(store, Question(task="pos", target="yor"))

    assert answer.version == store.version
    assert answer.method == "joint_item_bootstrap"


def test_the_answer_says_whether_the_encoder_was_pretrained_on_the_target(store: Store) -> None:
    unknown = ask(store, Question(task="pos", target="yor"))
    store.keep_pretrained(unknown.encoder, ["deu", "eng"])
    unseen = ask(store, Question(task="pos", target="yor"))
    store.keep_pretrained(unknown.encoder, ["deu", "yor"])
    seen = ask(store, Question(task="pos", target="yor"))

    assert (unknown.pretrained, unseen.pretrained, seen.pretrained) == (None, False, True)
    assert unknown.basis == seen.basis != unseen.basis


def test_an_unknown_task_names_those_there_are(store: Store) -> None:
    with pytest.raises(UnknownTaskError, match="no matrix for task 'parsing'; there is: board, pos"):
        ask(store, Question(task="parsing", target="yor"))
    with pytest.raises(UnknownTaskError, match=r"task 'board' of kind interference; .*board \(zero_shot\)"):
        ask(store, Question(task="board", target="qab", kind="interference"))


def test_an_unknown_matrix_names_those_there_are(store: Store) -> None:
    with pytest.raises(UnknownMatrixError, match="zero_shot-board-tiny"):
        ask(store, Question(task="pos", target="yor", matrix="nope"))


def test_a_language_without_measurements_names_those_with(store: Store) -> None:
    with pytest.raises(
        UnknownTargetError, match="swa was not measured as a target in zero_shot-pos-tiny; there is: yor"
    ):
        ask(store, Question(task="pos", target="Swahili"))


def test_what_is_no_language_is_an_error_of_its_own(store: Store) -> None:
    with pytest.raises(UnknownLanguageError):
        ask(store, Question(task="pos", target="xqqz"))


def test_sets_of_sources_are_ranked_when_asked_for_and_never_among_single_ones(
    store: Store, make_cell: Callable[..., Cell]
) -> None:
    best = [make_cell(source="deu+eng", composition="multi", correct=(4, 1, 4))]
    best.append(make_cell(source="deu+hin", composition="multi", correct=(0, 0, 1)))
    store.append(best)
    assert {one.source for one in ask(store, Question(task="pos", target="yor")).sources} == {"deu", "eng"}
    asked = ask(store, Question(task="pos", target="yor", composition="multi"))
    assert [(one.source, one.name) for one in asked.sources] == [
        ("deu+eng", "German + English"),
        ("deu+hin", "German + Hindi"),
    ]


@pytest.mark.parametrize(("source", "composition"), [("deu+eng", "stack"), ("deu", "multi"), ("deu+", "multi")])
def test_a_set_under_a_composition_of_single_sources_is_no_cell_nor_the_other_way_round(
    store: Store, make_cell: Callable[..., Cell], source: str, composition: str
) -> None:
    store.append([make_cell(source=source, composition=composition, seed=7)])
    assert 7 not in store.cells("zero_shot-pos-tiny").column("seed").to_pylist()


def test_weights_chosen_by_labels_of_the_target_are_never_recommended(
    tmp_path: Path, make_cell: Callable[..., Cell]
) -> None:
    store = Store.open(tmp_path / "store", create=True)
    selections = {"last": (3, 1, 4), "source_dev": (3, 2, 4), "target_dev": (4, 4, 4)}
    store.append([make_cell(selection=name, correct=correct) for name, correct in selections.items()])
    assert ask(store, Question(task="pos", target="yor")).selection == "last"
    assert ask(store, Question(task="pos", target="yor", selection="source_dev")).selection == "source_dev"
    with pytest.raises(UnknownWayError, match=r"chosen by labels of the target.*there is: last, source_dev"):
        ask(store, Question(task="pos", target="yor", selection="target_dev"))


def test_a_matrix_of_the_oracle_alone_answers_nothing(tmp_path: Path, make_cell: Callable[..., Cell]) -> None:
    store = Store.open(tmp_path / "store", create=True)
    store.append([make_cell(selection="target_dev"), make_cell(source="eng", selection="target_dev")])
    with pytest.raises(UnknownTargetError):
        ask(store, Question(task="pos", target="yor"))


def test_how_many_shots_beat_the_best_source_is_in_the_answer(tmp_path: Path, make_cell: Callable[..., Cell]) -> None:
    store = Store.open(tmp_path / "store", create=True)
    few = {"source": None, "composition": BASELINE, "shots": 5}
    store.append([make_cell(seed=seed, correct=(3, 1, 3)) for seed in (0, 1)])
    assert ask(store, Question(task="pos", target="yor")).shots is None
    store.append([make_cell(**few, seed=seed, correct=(4, 4, 4), cell_id=f"five-{seed}") for seed in (0, 1)])

    answer = ask(store, Question(task="pos", target="yor"))

    assert answer.shots is not None
    assert answer.shots.alone is not None
    assert (answer.shots.source, answer.shots.alone.enough) == ("deu", 5)
    assert [source.source for source in answer.sources] == ["deu"]
