"""Two matrices held together: what they agree on, how surely, and what it costs where they do not."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

import numpy as np
import pytest
from scipy.stats import spearmanr

from matrices.agreement import NothingInCommonError, agreement
from matrices.cells import Cell, to_table
from matrices.view import MatrixView, view

MakeCell = Callable[..., Cell]
MakeView = Callable[..., MatrixView]
SOURCES = ("ces", "deu", "eng", "fin", "hin", "rus", "swa", "tur")
TARGETS = ("hsb", "wol", "yor", "ces")


@pytest.fixture
def matrix(make_cell: MakeCell) -> MakeView:
    """A matrix [sources, targets] of right items of 1,000, by seed; of all its sources, or of some."""

    def make(scores: Mapping[int, np.ndarray], of: Collection[str] = SOURCES) -> MatrixView:
        cells = to_table(
            make_cell(source=source, target=target, seed=seed, correct=(int(value),), total=(1000,))
            for seed, table in scores.items()
            for source, row in zip(SOURCES, table, strict=True)
            if source in of
            for target, value in zip(TARGETS, row, strict=True)
        )
        return view(cells)

    return make


def drawn(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 1000, (len(SOURCES), len(TARGETS)))


def test_a_matrix_agrees_with_itself(matrix: MakeView) -> None:
    found = agreement(matrix({0: drawn()}), matrix({0: drawn()}))
    assert (found.agreement, found.interval, found.same_choice, found.regret) == (1, (1, 1), 1, 0)
    assert found.between_seeds is None


def test_opposite_matrices_disagree(matrix: MakeView) -> None:
    found = agreement(matrix({0: drawn()}), matrix({0: 1000 - drawn()}))
    assert found.agreement == pytest.approx(-1)
    assert found.same_choice == 0
    columns = np.ma.masked_array(drawn(), mask=False)
    columns[0, 3] = np.ma.masked  # `ces` on itself is no transfer.
    expected = {target: (column.max() - column.min()) / 1000 for target, column in zip(TARGETS, columns.T, strict=True)}
    assert {one.target: one.regret for one in found.targets} == pytest.approx(expected)


def test_agreement_of_a_target_is_spearmans_of_its_sources_without_itself(matrix: MakeView) -> None:
    first, second = drawn(1), drawn(2)
    found = agreement(matrix({0: first}), matrix({0: second}))
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


def test_what_only_one_matrix_measured_is_left_out(matrix: MakeView) -> None:
    whole = matrix({0: drawn()})
    part = matrix({0: drawn()}, SOURCES[1:])
    assert {one.sources for one in agreement(whole, part).targets} == {len(SOURCES) - 1}
    few = matrix({0: drawn()}, SOURCES[:2])
    with pytest.raises(NothingInCommonError, match="3 of the same sources"):
        agreement(whole, few)


def test_seeds_say_what_agreement_there_can_be(matrix: MakeView) -> None:
    truth, random = drawn(), np.random.default_rng(5)
    first, second = (
        matrix({seed: np.clip(truth + random.integers(-200, 200, truth.shape), 0, 1000) for seed in range(3)})
        for _ in range(2)
    )
    found = agreement(first, second)
    assert found.between_seeds is not None
    assert 0.5 < found.between_seeds < found.agreement
    assert found.single_seeds == pytest.approx(found.between_seeds, abs=0.1)


def test_a_target_on_which_all_is_alike_has_no_agreement(matrix: MakeView) -> None:
    flat = drawn()
    flat[:, 0] = 500
    by_target = {one.target: one for one in agreement(matrix({0: flat}), matrix({0: drawn()})).targets}
    assert by_target["hsb"].agreement is None
    assert by_target["wol"].agreement == pytest.approx(1)
