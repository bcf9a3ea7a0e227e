"""A backtest judges what is served: the same table is fitted, and the same is said of a target."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from matrices.backtest.ours import sprachbund
from matrices.cells import Cell
from matrices.recommend.predictions import predictor
from matrices.scores import scores_of
from matrices.store import Store
from tests.conftest import MakeCell

CODES = ("deu", "eng", "fin", "hin", "jpn", "swa", "tam", "tur", "yor")
MATRIX = "zero_shot-pos-tiny"


@pytest.fixture(scope="module")
def store(make_cell: MakeCell, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Every language on every other but ``yor``, two seeds each, one pair in six not measured."""
    random = np.random.default_rng(0)
    store = Store.open(tmp_path_factory.mktemp("store"), create=True)
    cells: list[Cell] = []
    for source in CODES:
        for target in CODES[:-1]:
            if random.random() < 1 / 6:
                continue
            right = [tuple(random.binomial(10, random.uniform(0.3, 0.7), 12).tolist()) for _ in range(2)]
            cells += [
                make_cell(source=source, target=target, seed=seed, correct=of, total=(10,) * 12)
                for seed, of in enumerate(right)
            ]
    store.append(cells)
    return store


@pytest.mark.parametrize("target", ["yor", "zul", "qaa"], ids=["a source alone", "new", "known to no database"])
def test_what_a_backtest_says_of_a_target_is_what_an_answer_says(store: Store, target: str) -> None:
    table = scores_of(store, MATRIX)
    judged = sprachbund(table, target)

    served = predictor(store, MATRIX, store.version, "stack", "last", target)(target, table.sources)

    at = [table.sources.index(one.source) for one in served.expected]
    assert len(at) >= len(CODES) - 1
    assert [one.score for one in served.expected] == judged.scores[at].tolist()
    intervals = [one.interval for one in served.expected]
    assert_array_equal(intervals, judged.intervals[at].clip(0, 1))
    assert set(served.shortlist) == set(judged.shortlist)
