from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from matrices.cells import Cell
from matrices.scores import NoScoresError, ScoreTable, scores_of
from matrices.store import Store

MATRIX = "zero_shot-pos-tiny"
MakeCell = Callable[..., Cell]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "store", create=True)


def table() -> ScoreTable:
    scores = np.arange(6.0).reshape(2, 3)
    return ScoreTable(("deu", "yor"), ("eng", "wol", "yor"), scores, scores / 10, {"GENETIC": 1 - scores})


def test_scores_are_means_over_seeds_and_nan_where_nothing_was_measured(store: Store, make_cell: MakeCell) -> None:
    store.append([make_cell(seed=0, correct=(4, 4, 4)), make_cell(seed=1, correct=(2, 2, 2))])
    store.append([make_cell(source="eng", target="wol"), make_cell(source="hin", status="failed")])

    found = scores_of(store, MATRIX)

    assert (found.sources, found.targets) == (("deu", "eng"), ("wol", "yor"))
    np.testing.assert_array_equal(found.scores, [[np.nan, 0.75], [8 / 12, np.nan]])


def test_scores_on_other_items_than_most_of_a_target_are_left_out(store: Store, make_cell: MakeCell) -> None:
    store.append([make_cell(), make_cell(source="eng"), make_cell(source="hin", correct=(1,), total=(1,))])
    store.append([make_cell(source="hin", target="wol", correct=(1,), total=(1,))])

    np.testing.assert_array_equal(scores_of(store, MATRIX).scores, [[np.nan, 8 / 12], [np.nan, 8 / 12], [1, np.nan]])


def test_the_usual_composition_and_selection_answer_unless_another_is_named(store: Store, make_cell: MakeCell) -> None:
    store.append([make_cell(), make_cell(selection="averaged", correct=(0, 0, 1))])
    store.append([make_cell(composition="shift", correct=(1, 1, 1)), make_cell(source=None, composition="baseline")])

    assert scores_of(store, MATRIX).scores == pytest.approx(np.array([[8 / 12]]))
    assert scores_of(store, MATRIX, selection="averaged").scores == pytest.approx(np.array([[1 / 12]]))
    assert scores_of(store, MATRIX, composition="shift").scores == pytest.approx(np.array([[3 / 12]]))
    with pytest.raises(NoScoresError, match=r"composition 'fuse'; there is: .*shift"):
        scores_of(store, MATRIX, composition="fuse")


def test_an_error_covers_items_and_seeds(store: Store, make_cell: MakeCell) -> None:
    runs = enumerate([(4, 3, 2, 1), (3, 2, 1, 0)])
    store.append([make_cell(source="eng", correct=right, total=(4,) * 4, seed=seed) for seed, right in runs])

    errors = scores_of(store, MATRIX).errors

    assert errors is not None
    items = np.var([3.5 / 4, 2.5 / 4, 1.5 / 4, 0.5 / 4], ddof=1) / 4
    of_seeds = np.var([10 / 16, 6 / 16], ddof=1) / 2  # They agree on what is hard: nothing counts twice.
    assert errors[0, 0] == pytest.approx(np.sqrt(items + of_seeds))


def test_without_items_or_seeds_an_error_is_unknown_not_nought(store: Store, make_cell: MakeCell) -> None:
    store.append([make_cell(score=0.5, n_items=0, correct=None, total=None)])

    assert scores_of(store, MATRIX).errors is None


def test_a_hidden_language_is_neither_source_nor_target_but_keeps_its_features() -> None:
    hidden = table().hide("yor")

    np.testing.assert_array_equal(hidden.scores, [[0, 1, np.nan], [np.nan, np.nan, np.nan]])
    np.testing.assert_array_equal(np.isnan(hidden.errors), np.isnan(hidden.scores))
    assert (hidden.sources, hidden.targets) == (table().sources, table().targets)
    np.testing.assert_array_equal(hidden.pair_features["GENETIC"], table().pair_features["GENETIC"])


def test_hiding_leaves_the_table_itself_as_it_is() -> None:
    whole = table()
    whole.hide("yor")
    whole.without_selves()

    np.testing.assert_array_equal(whole.scores, table().scores)


def test_without_selves_only_a_language_on_itself_is_missing() -> None:
    np.testing.assert_array_equal(table().without_selves().scores, [[0, 1, 2], [3, 4, np.nan]])


def test_arrays_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match=r"GENETIC is \(1, 3\), not \(2, 3\)"):
        ScoreTable(("deu", "yor"), ("eng", "wol", "yor"), np.zeros((2, 3)), None, {"GENETIC": np.zeros((1, 3))})
