from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from matrices.cells import Cell
from matrices.scores import NoScoresError, ScoreTable, item_variance, scores_of
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
    with pytest.raises(NoScoresError, match="under fuse"):
        scores_of(store, MATRIX, composition="fuse")


def test_an_error_covers_items_and_seeds(store: Store, make_cell: MakeCell) -> None:
    right = (4, 2, 0, 3)
    store.append([make_cell(correct=right, total=(4,) * 4, seed=seed) for seed in (0, 1)])
    store.append(
        [
            make_cell(source="eng", correct=correct, total=(4,) * 4, seed=seed)
            for seed, correct in enumerate([(4, 3, 2, 1), (3, 2, 1, 0)])
        ]
    )

    errors = scores_of(store, MATRIX).errors

    assert errors is not None
    items = item_variance(np.array(right, float), np.full(4, 4.0))
    of_seeds = (0 + np.var([10 / 16, 6 / 16], ddof=1)) / 2  # Within a cell, averaged over the two cells of the target.
    assert errors[0, 0] == pytest.approx(np.sqrt(items + of_seeds / 2))


def test_without_items_or_seeds_an_error_is_unknown_not_nought(store: Store, make_cell: MakeCell) -> None:
    store.append([make_cell(score=0.5, n_items=0, correct=None, total=None)])

    assert scores_of(store, MATRIX).errors is None


def test_the_variance_over_items_is_that_of_resampled_items() -> None:
    random = np.random.default_rng(0)
    total = random.integers(1, 30, 200).astype(float)
    correct = np.floor(total * random.uniform(size=200))
    drawn = random.integers(200, size=(4000, 200))
    resampled = correct[drawn].sum(axis=1) / total[drawn].sum(axis=1)

    assert item_variance(correct, total) == pytest.approx(resampled.var(), rel=0.1)


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
