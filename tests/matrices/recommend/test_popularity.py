from __future__ import annotations

from collections.abc import Callable

import pytest

from matrices.cells import Cell, to_table
from matrices.recommend.popularity import popularity
from matrices.view import view

MakeCell = Callable[..., Cell]


def average(cells: list[Cell], target: str = "yor") -> dict[str, float]:
    return popularity(view(to_table(cells)), target)


@pytest.fixture
def scored(make_cell: MakeCell) -> Callable[..., Cell]:
    return lambda source, target, score, **given: make_cell(
        source=source, target=target, score=score, correct=None, total=None, n_items=10, **given
    )


def test_it_is_the_mean_z_score_over_the_other_targets(scored: Callable[..., Cell]) -> None:
    cells = [
        *(scored("deu", "wol", 0.8), scored("hin", "wol", 0.6)),
        *(scored("deu", "ewe", 0.3), scored("hin", "ewe", 0.1)),
        *(scored("deu", "ibo", 0.2), scored("hin", "ibo", 0.9)),
    ]

    assert average(cells) == {"deu": pytest.approx(1 / 3), "hin": pytest.approx(-1 / 3)}


def test_the_target_asked_about_does_not_count(scored: Callable[..., Cell]) -> None:
    elsewhere = [scored("deu", "wol", 0.8), scored("hin", "wol", 0.6)]

    assert average([*elsewhere, scored("hin", "yor", 1.0), scored("deu", "yor", 0.0)]) == average(elsewhere)


def test_a_language_is_no_source_of_itself(scored: Callable[..., Cell]) -> None:
    elsewhere = [scored("deu", "wol", 0.8), scored("hin", "wol", 0.6)]

    assert average([*elsewhere, scored("wol", "wol", 1.0)]) == average(elsewhere)


def test_seeds_are_averaged_before_sources_are_compared(scored: Callable[..., Cell]) -> None:
    once = [scored("deu", "wol", 0.8), scored("hin", "wol", 0.6)]
    seeds = [scored("deu", "wol", 0.7, seed=0), scored("deu", "wol", 0.9, seed=1), scored("hin", "wol", 0.6)]

    assert average(seeds) == pytest.approx(average(once))


def test_a_source_measured_on_few_targets_has_no_average(scored: Callable[..., Cell]) -> None:
    cells = [scored(source, target, 0.5) for source in ("deu", "hin") for target in ("wol", "ewe", "ibo")]

    assert set(average([*cells, scored("swa", "wol", 1.0)])) == {"deu", "hin"}


def test_sources_that_score_alike_are_all_average(scored: Callable[..., Cell]) -> None:
    assert average([scored("deu", "wol", 0.5), scored("hin", "wol", 0.5)]) == {"deu": 0, "hin": 0}
