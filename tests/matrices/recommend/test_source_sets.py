from __future__ import annotations

from collections.abc import Callable

from matrices.cells import Cell, to_table
from matrices.recommend.outlook import ExpectedSet
from matrices.recommend.sets import one_is_enough, sets_of

PAIR = ExpectedSet(sources=("deu", "nld"), score=0.8, gain=0.02, shares=(0.6, 0.4))


def test_what_was_measured_of_a_set_stands_beside_what_is_expected(make_cell: Callable[..., Cell]) -> None:
    together = {"target": "yor", "total": (1, 1, 1, 1)}
    cells = [
        make_cell(source="deu", correct=(1, 1, 0, 0), **together),
        make_cell(source="nld+deu", composition="multi", correct=(1, 1, 1, 0), **together),
        make_cell(source="nld+deu", composition="fuse", correct=(1, 0, 0, 0), **together),
        make_cell(source="eng+deu", composition="multi", correct=(0, 0, 0, 0), **together),
        make_cell(source="fra+deu", composition="multi", correct=(1, 1, 1, 1), target="wol", total=(1, 1, 1, 1)),
    ]

    first, other = sets_of([PAIR], to_table(cells), "yor", best=0.5)

    assert (first.sources, first.score, first.shares) == (("deu", "nld"), 0.8, (0.6, 0.4))
    assert (first.composition, first.measured, first.measured_gain) == ("multi", 0.75, 0.25)
    assert (other.sources, other.score, other.measured, other.measured_gain) == (("deu", "eng"), None, 0.0, -0.5)


def test_one_source_is_enough_where_no_set_gains_a_hundredth() -> None:
    small = ExpectedSet(sources=("deu", "nld"), score=0.8, gain=0.007, shares=(0.6, 0.4))

    assert one_is_enough([small]) is True
    assert one_is_enough([small, PAIR]) is False
    assert one_is_enough([]) is None
