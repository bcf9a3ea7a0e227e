"""How many labelled items beat the best zero-shot source: from the outcomes of items, paired by draw."""

from collections.abc import Callable

import pytest

from matrices.cells import BASELINE, Cell, to_table
from matrices.shots import shots_of

MakeCell = Callable[..., Cell]


def cells_of(
    make_cell: MakeCell, alone: dict[int, int], onward: dict[int, int] | None = None, *, other_items: bool = False
) -> list[Cell]:
    """A source that has 60 of 100 items right, a worse one, and others by shots: items that are right, of 100."""

    def right(count: int, *, last: bool = False) -> tuple[float, ...]:
        items = (1.0,) * count + (0.0,) * (100 - count)
        return items[::-1] if last else items

    whole = (1.0,) * 100
    made = [
        make_cell(source=source, seed=seed, correct=right(count + seed), total=whole)
        for source, count in (("deu", 60), ("eng", 40))
        for seed in range(3)
    ]
    for curve, source, composition in ((alone, None, BASELINE), (onward or {}, "deu", "stack")):
        made += [
            make_cell(
                source=source,
                composition=composition,
                seed=seed,
                shots=shots,
                correct=right(count + seed, last=other_items),
                total=whole,
                cell_id=f"{source}-{shots}-{seed}",
            )
            for shots, count in curve.items()
            for seed in range(3)
        ]
    return made


def test_the_fewest_shots_that_beat_the_best_source_are_told(make_cell: MakeCell) -> None:
    found = shots_of(to_table(cells_of(make_cell, {5: 20, 10: 50, 50: 90})), "yor", composition="stack")
    assert found is not None
    assert (found.source, found.score) == ("deu", pytest.approx(0.61))
    assert found.with_source is None
    assert found.alone is not None
    assert (found.alone.enough, found.alone.between) == (50, (50, 50))
    assert [point.difference for point in found.alone.points] == pytest.approx([-0.4, -0.1, 0.3])
    assert all(low < point.difference < high for point in found.alone.points for low, high in [point.interval])


def test_where_the_most_are_not_enough_nothing_is_promised(make_cell: MakeCell) -> None:
    found = shots_of(to_table(cells_of(make_cell, {5: 20, 10: 50})), "yor", composition="stack")
    assert found is not None
    assert found.alone is not None
    assert (found.alone.enough, found.alone.between) == (None, (None, None))


def test_a_number_that_is_not_sure_has_an_interval(make_cell: MakeCell) -> None:
    found = shots_of(
        to_table(cells_of(make_cell, {5: 58, 10: 62, 50: 95}, other_items=True)), "yor", composition="stack"
    )
    assert found is not None
    assert found.alone is not None
    assert found.alone.enough == 10
    assert found.alone.between == (5, 50)


def test_shots_on_top_of_the_source_have_a_curve_of_their_own(make_cell: MakeCell) -> None:
    found = shots_of(to_table(cells_of(make_cell, {5: 20}, {5: 80})), "yor", composition="stack")
    assert found is not None
    assert found.with_source is not None
    assert found.with_source.enough == 5


def test_a_luckier_number_below_one_that_loses_does_not_count(make_cell: MakeCell) -> None:
    found = shots_of(to_table(cells_of(make_cell, {5: 90, 10: 20, 50: 90})), "yor", composition="stack")
    assert found is not None
    assert found.alone is not None
    assert found.alone.enough == 50


def test_a_matrix_without_shots_tells_nothing(make_cell: MakeCell) -> None:
    assert shots_of(to_table(cells_of(make_cell, {})), "yor", composition="stack") is None
