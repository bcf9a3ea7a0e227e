"""Two matrices held together: what they agree on, how surely, and what it costs where they do not."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import spearmanr

from matrices.agreement import NothingInCommonError, agreement
from matrices.cells import Cell, to_table

MakeCell = Callable[..., Cell]
SOURCES = ("ces", "deu", "eng", "fin", "hin", "rus", "swa", "tur")
TARGETS = ("hsb", "wol", "yor", "ces")


@pytest.fixture
def cells(make_cell: MakeCell) -> Callable[..., pa.Table]:
    """Cells of a matrix [sources, targets] of right items of 1,000, each seed of it one of ``seeds``."""

    def make(scores: Mapping[int, np.ndarray]) -> pa.Table:
        return to_table(
            make_cell(source=source, target=target, seed=seed, correct=(int(value),), total=(1000,))
            for seed, table in scores.items()
            for source, row in zip(SOURCES, table, strict=True)
            for target, value in zip(TARGETS, row, strict=True)
        )

    return make


def drawn(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 1000, (len(SOURCES), len(TARGETS)))


def test_a_matrix_agrees_with_itself(cells: Callable[..., pa.Table]) -> None:
    found = agreement(cells({0: drawn()}), cells({0: drawn()}))
    assert (found.agreement, found.interval, found.same_choice, found.regret) == (1, (1, 1), 1, 0)
    assert found.between_seeds is None


def test_opposite_matrices_disagree(cells: Callable[..., pa.Table]) -> None:
    found = agreement(cells({0: drawn()}), cells({0: 1000 - drawn()}))
    assert found.agreement == pytest.approx(-1)
    assert found.same_choice == 0
    columns = np.ma.masked_array(drawn(), mask=False)
    columns[0, 3] = np.ma.masked  # `ces` on itself is no transfer.
    expected = {target: (column.max() - column.min()) / 1000 for target, column in zip(TARGETS, columns.T, strict=True)}
    assert {one.target: one.regret for one in found.targets} == pytest.approx(expected)


def test_agreement_of_a_target_is_spearmans_of_its_sources_without_itself(cells: Callable[..., pa.Table]) -> None:
    first, second = drawn(1), drawn(2)
    found = agreement(cells({0: first}), cells({0: second}))
    assert [one.target for one in found.targets] == sorted(TARGETS)
    by_target = {one.target: one for one in found.targets}
    for place, target in enumerate(TARGETS):
        start = 1 if target == "ces" else 0
        expected = spearmanr(first[start:, place], second[start:, place]).statistic
        assert by_target[target].agreement == pytest.approx(expected)
        assert by_target[target].sources == len(SOURCES) - start
        low, high = by_target[target].interval or (0, 0)
        assert low < expected < high
    assert found.agreement == pytest.approx(np.mean([one.agreement for one in found.targets]))


def test_what_only_one_matrix_measured_is_left_out(cells: Callable[..., pa.Table]) -> None:
    whole = cells({0: drawn()})
    part = whole.filter(pa.array([row != "ces" for row in whole["source"].to_pylist()]))
    assert {one.sources for one in agreement(whole, part).targets} == {len(SOURCES) - 1}
    few = whole.filter(pa.array([row in ("ces", "deu") for row in whole["source"].to_pylist()]))
    with pytest.raises(NothingInCommonError, match="3 of the same sources"):
        agreement(whole, few)


def test_seeds_say_what_agreement_there_can_be(cells: Callable[..., pa.Table]) -> None:
    truth, random = drawn(), np.random.default_rng(5)
    first, second = (
        cells({seed: np.clip(truth + random.integers(-200, 200, truth.shape), 0, 1000) for seed in range(3)})
        for _ in range(2)
    )
    found = agreement(first, second)
    assert found.between_seeds is not None
    assert 0.5 < found.between_seeds < found.agreement
    assert found.single_seeds == pytest.approx(found.between_seeds, abs=0.1)


def test_a_target_on_which_all_is_alike_has_no_agreement(cells: Callable[..., pa.Table]) -> None:
    flat = drawn()
    flat[:, 0] = 500
    by_target = {one.target: one for one in agreement(cells({0: flat}), cells({0: drawn()})).targets}
    assert by_target["hsb"].agreement is None
    assert by_target["wol"].agreement == pytest.approx(1)
