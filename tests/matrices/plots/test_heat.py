"""Heat maps: what is printed, coloured and marked, from small matrices to large."""

from __future__ import annotations

import itertools
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from matrices.grid import ScoreGrid
from matrices.plots import MISSING, heat_map, render
from matrices.plots.heat import ordered
from tests.grids import grid_of, grid_with

CODES = ("deu", "eng", "fra", "fin", "qaa")
GRID = grid_of(CODES, items=(200, 250))
CHANGES = replace(GRID, kind="interference")


def picture(drawn: ScoreGrid, **how: object) -> ElementTree.Element:
    return ElementTree.fromstring(render(heat_map(drawn, **how), "svg"))


def texts(drawn: ScoreGrid, **how: object) -> list[str]:
    return ["".join(node.itertext()) for node in picture(drawn, **how).iter() if node.tag.endswith("text")]


def marks(root: ElementTree.Element, role: str) -> list[ElementTree.Element]:
    """The marks of data of one kind: squares are rectangles (`rect mark`), triangles are `point`."""
    return [node for node in root.iter() if node.get("aria-roledescription") == role]


def test_values_are_printed_in_per_cent_and_a_missing_place_is_grey_and_empty() -> None:
    found = texts(GRID)
    assert (found.count("90.0"), found.count("41.2"), found.count("33.3")) == (5, 19, 5)
    assert MISSING.encode() in render(heat_map(GRID), "svg")
    assert any("grey: not measured" in text for text in found)


def test_a_matrix_measured_whole_says_nothing_of_grey() -> None:
    scores = GRID.scores | {("fin", "deu"): 0.4}
    assert not any("grey" in text for text in texts(replace(GRID, scores=scores)))


def test_interference_is_printed_in_signed_points() -> None:
    found = texts(CHANGES)
    assert (found.count("+10.0"), found.count("-20.3")) == (5, 19)
    assert any("change of accuracy" in text for text in found)


def test_the_colour_of_no_change_is_nearly_white_whatever_the_changes_are() -> None:
    drawn = replace(CHANGES, changes={**CHANGES.changes, ("eng", "fra"): 0.0})
    fills = {square.get("fill") for square in marks(picture(drawn), "rect mark")}
    assert "rgb(247, 247, 247)" in fills


def test_one_outlier_does_not_leave_the_others_pale() -> None:
    codes = tuple(f"qa{letter}" for letter in "abcdefghij")
    small = {(a, b): 0.01 for a in codes for b in codes} | {("qaa", "qab"): -0.4}
    drawn = replace(CHANGES, sources=codes, targets=codes, changes=small, scores=dict.fromkeys(small, 0.5))
    assert any("colours end at 1.0 points" in text for text in texts(drawn))


def test_what_helps_and_what_harms_has_a_triangle_and_the_legend_says_so() -> None:
    verdicts = {
        ("deu", "eng"): "helps",
        ("deu", "fra"): "harms",
        ("eng", "fra"): "undecided",
        ("eng", "deu"): "neutral",
    }
    drawn = picture(CHANGES, verdicts=verdicts)
    labels = [mark.get("aria-label", "") for mark in marks(drawn, "point")]
    assert sorted(label.rpartition("verdict: ")[2] for label in labels) == ["harms", "helps"]
    assert {"beyond doubt", "helps", "harms"} <= set(texts(CHANGES, verdicts=verdicts))


def test_where_nothing_helps_or_harms_the_picture_says_so() -> None:
    verdicts = dict.fromkeys(CHANGES.changes, "undecided")
    assert any("no change is beyond doubt" in text for text in texts(CHANGES, verdicts=verdicts))
    assert not any("beyond doubt" in text for text in texts(CHANGES))


def test_the_title_says_task_encoder_seeds_and_items() -> None:
    title = " ".join(texts(GRID))
    for part in ("Zero-shot transfer: pos", "encoder tiny", "mean of 3 seeds", "200-250 items"):
        assert part in title


def test_rows_are_named_with_their_family_and_columns_by_code() -> None:
    found = texts(GRID)
    for name in ("German deu", "Finnish fin", "qaa", "Indo-European", "Uralic", "baseline"):
        assert name in found
    assert found.count("deu") == 1


def test_clustered_rows_stand_without_families() -> None:
    found = texts(GRID, order="cluster")
    assert "Indo-European" not in found
    assert any("languages alike stand side by side" in text for text in found)


@pytest.mark.parametrize("kind", ["zero_shot", "interference"])
def test_a_matrix_of_sixty_languages_keeps_its_labels_and_prints_no_values(kind: str) -> None:
    codes = tuple(f"q{a}{b}" for a in "abc" for b in "abcdefghijklmnopqrst")
    wide = replace(
        GRID,
        kind=kind,
        sources=codes,
        targets=codes,
        scores={(a, b): 0.512 for a in codes for b in codes},
        changes={(a, b): 0.212 for a in codes for b in codes},
        baseline=dict.fromkeys(codes, 0.3),
    )
    found = texts(wide, verdicts={("qaa", "qab"): "helps"} if kind == "interference" else None)
    assert all(found.count(code) == 2 for code in codes)
    assert not {"51", "51.2", "+21", "+21.2"} & set(found)


def test_a_matrix_without_a_baseline_is_drawn() -> None:
    assert "baseline" not in texts(replace(GRID, baseline={}))


SOURCES = ("qaa", "qab", "qac", "qad")
TARGETS = ("qba", "qbb", "qbc")


ALIKE = {"qaa": 0.2, "qab": 0.8, "qac": 0.25, "qad": 0.85}
"""The first and the third are alike, the second and the fourth."""


def beside(order: tuple[str, ...]) -> set[frozenset[str]]:
    return {frozenset(pair) for pair in itertools.pairwise(order)}


def test_sources_that_act_alike_and_targets_that_are_acted_on_alike_stand_side_by_side() -> None:
    hard = {"qba": 0.0, "qbb": 0.15, "qbc": 0.01}
    found = ordered(grid_with({(s, t): ALIKE[s] - hard[t] for s in SOURCES for t in TARGETS}), "cluster")
    assert {frozenset({"qaa", "qac"}), frozenset({"qab", "qad"})} <= beside(found.sources)
    assert frozenset({"qba", "qbc"}) in beside(found.targets)


def test_the_optimal_order_turns_branches_towards_each_other() -> None:
    # Two pairs, 0-1 and 10-11: only 0, 1, 10, 11 (or its mirror) goes from one end to the other without a detour.
    levels = {"qaa": 0.01, "qab": 0.10, "qac": 0.0, "qad": 0.11}
    found = ordered(grid_with({(s, t): levels[s] for s in SOURCES for t in TARGETS}), "cluster")
    assert found.sources in (("qac", "qaa", "qab", "qad"), ("qad", "qab", "qaa", "qac"))


def test_missing_places_and_in_language_scores_do_not_part_what_is_alike() -> None:
    values = {(s, t): ALIKE[s] for s in SOURCES for t in SOURCES} | {(s, s): 0.99 for s in SOURCES}
    del values["qaa", "qab"], values["qad", "qac"]
    found = ordered(grid_with(values), "cluster")
    assert {frozenset({"qaa", "qac"}), frozenset({"qab", "qad"})} <= beside(found.sources)


def test_rows_that_share_no_place_are_ordered_too() -> None:
    values = {("qaa", "qba"): 0.1, ("qab", "qbb"): 0.1, ("qac", "qba"): 0.1, ("qad", "qbb"): 0.2}
    found = ordered(grid_with(values), "cluster")
    assert sorted(found.sources) == list(SOURCES)
    assert frozenset({"qaa", "qac"}) in beside(found.sources)


def test_one_language_or_two_stay_as_they_are_and_so_does_the_order_of_families() -> None:
    two = grid_with({("qaa", "qba"): 0.1, ("qab", "qba"): 0.9})
    assert ordered(two, "cluster") == two
    backwards = replace(two, sources=("qab", "qaa"))
    assert ordered(backwards, "family") == backwards
