"""Which other matrices of a store tell something of one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from matrices.cells import Cell
from matrices.recommend.related import FEWEST, MOST, related_scores, telling_of
from matrices.scores import ScoreTable
from matrices.store import Store

SOURCES, TARGETS = ("deu", "eng", "hin", "spa", "tur"), ("ben", "fin", "nld", "por", "wol", "yor")
POS, TOPIC = {"matrix": "pos-a", "task": "pos"}, {"matrix": "topic-a", "task": "topic"}

MakeCell = Callable[..., Cell]
Grid = Callable[..., list[Cell]]


@pytest.fixture
def grid(make_cell: MakeCell) -> Grid:
    """``grid(POS, shift=1)``: a score of every source on every target, other numbers for another ``shift``."""

    def make(
        of: dict[str, str], shift: int, targets: Iterable[str] = TARGETS, sources: Iterable[str] = SOURCES, **more: str
    ) -> list[Cell]:
        return [
            make_cell(
                source=source,
                target=target,
                correct=(1 + (7 * row + (3 + shift) * column) % 17,),
                total=(20,),
                **of,
                **more,
            )
            for row, source in enumerate(sources)
            for column, target in enumerate(targets)
        ]

    return make


@pytest.fixture
def store(tmp_path: Path, grid: Grid) -> Store:
    store = Store.open(tmp_path / "store", create=True)
    store.append(grid(POS, 0))
    return store


def related(store: Store, **asked: str) -> list[str]:
    return list(related_scores(store, "pos-a", store.version, **asked).related)


def test_a_matrix_of_another_task_is_related(store: Store, grid: Grid) -> None:
    store.append(grid(TOPIC, 1))

    table = related_scores(store, "pos-a", store.version)

    (topic,) = table.related.values()
    assert (topic.sources, topic.targets) == (SOURCES, TARGETS)
    assert topic.scores[0, 1] == pytest.approx((1 + 4) / 20)


def test_a_store_of_one_matrix_has_nothing_related(store: Store) -> None:
    assert related(store) == []


def test_another_kind_measures_another_thing(store: Store, grid: Grid) -> None:
    store.append(grid({**TOPIC, "kind": "interference"}, 1))

    assert related(store) == []


def test_a_copy_under_another_name_tells_nothing(store: Store, grid: Grid) -> None:
    store.append(grid({"matrix": "pos-again", "task": "pos"}, 0))

    assert related(store) == []


def test_a_copy_in_which_a_score_was_corrected_tells_nothing(store: Store, grid: Grid) -> None:
    first, *others = grid({"matrix": "pos-again", "task": "pos"}, 0)
    store.append([replace(first, score=(first.score or 0) + 0.1), *others])

    assert related(store) == []


def test_too_few_pairs_in_both_tell_nothing(store: Store, grid: Grid) -> None:
    store.append(grid(TOPIC, 1, targets=TARGETS[: FEWEST // len(SOURCES) - 1]))

    assert related(store) == []


def test_the_matrices_that_share_most_are_kept(store: Store, grid: Grid) -> None:
    for number in range(MOST + 1):
        of = {"matrix": f"{number}-a", "task": f"task{number}"}
        store.append(grid(of, 1 + number, targets=TARGETS if number else TARGETS[:5]))

    assert related(store) == [f"task{number} scores" for number in range(1, MOST + 1)]


def test_they_are_called_by_what_sets_them_apart(store: Store, grid: Grid) -> None:
    store.append([*grid(TOPIC, 1), *grid({"matrix": "pos-b", "task": "pos", "encoder": "large"}, 2)])
    assert set(related(store)) == {"topic scores", "pos scores of large"}

    store.append(grid({"matrix": "pos-c", "task": "pos"}, 3))
    assert set(related(store)) == {"topic scores", "pos scores of large", "pos scores in pos-c"}


def test_the_composition_asked_for_is_read_where_there_is_one(store: Store, grid: Grid) -> None:
    store.append([*grid(TOPIC, 1), *grid(TOPIC, 2, composition="fuse")])

    store.append(grid(POS, 5, composition="fuse"))

    (stack,) = related_scores(store, "pos-a", store.version).related.values()
    (fuse,) = related_scores(store, "pos-a", store.version, "fuse", "last").related.values()

    assert stack.scores[0, 1] == pytest.approx((1 + 4) / 20)
    assert fuse.scores[0, 1] == pytest.approx((1 + 5) / 20)


def test_only_those_tell_of_a_target_that_measured_two_sources_on_it() -> None:
    scores = np.array([[0.5, 0.6, np.nan], [0.7, np.nan, np.nan]])
    other = ScoreTable(("deu", "eng"), ("yor", "wol", "deu"), scores)
    table = ScoreTable(("deu", "eng"), ("fin",), np.ones((2, 1)), related={"other": other})

    assert telling_of(table, "yor").related == {"other": other}
    assert telling_of(table, "wol").related == {}
    assert telling_of(table, "swa").related == {}
    own = replace(other, scores=np.array([[0.5, 0.6, 0.9], [0.7, np.nan, 0.1]]))
    assert telling_of(replace(table, related={"own": own}), "deu").related == {}, "of itself is no source"
