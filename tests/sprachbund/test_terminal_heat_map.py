"""Matrices in the terminal: readable without colour, split where the terminal is narrow."""

from __future__ import annotations

from dataclasses import replace

from rich.console import Console

from matrices.grid import ScoreGrid
from sprachbund.terminal_heat_map import matrix_table
from tests.grids import grid_of

CODES = ("deu", "eng", "fin", "qaa")
GRID = grid_of(CODES, items=(200, 200))


def shown(drawn: ScoreGrid, width: int = 100, *, colour: bool = False) -> str:
    console = Console(width=width, force_terminal=colour, color_system="truecolor" if colour else None)
    with console.capture() as captured:
        console.print(matrix_table(drawn, width=width))
    return captured.get()


def rows(drawn: ScoreGrid, width: int = 100) -> dict[str, list[str]]:
    return {line[:12].strip(): line[12:].split() for line in shown(drawn, width).splitlines() if line[:3].strip()}


def test_in_language_cells_are_framed_and_missing_ones_are_dots() -> None:
    found = rows(GRID)
    assert found["German deu"] == ["[90.0]", "41.2", "41.2", "41.2"]
    assert found["Finnish fin"] == ["·", "41.2", "[90.0]", "41.2"]


def test_the_baseline_stands_below() -> None:
    assert rows(GRID)["baseline"] == ["33.3"] * 4


def test_interference_is_shown_as_signed_points() -> None:
    found = rows(replace(GRID, kind="interference"))
    assert found["English eng"] == ["-20.3", "[+10.0]", "-20.3", "-20.3"]


def test_columns_stand_under_their_targets() -> None:
    lines = shown(GRID).splitlines()
    header = next(line for line in lines if line.split() == list(CODES))
    row = next(line for line in lines if line.startswith("English"))
    assert [header.index(code) + len(code) for code in CODES][2:] == [
        row.rindex("41.2", 0, header.index("qaa")) + 4,
        row.rindex("41.2") + 4,
    ]


def test_a_narrow_terminal_gets_the_columns_in_blocks_and_no_line_too_long() -> None:
    lines = shown(GRID, 30).splitlines()
    assert [line.split() for line in lines if line.split() and set(line.split()) <= set(CODES)] == [
        ["deu", "eng"],
        ["fin", "qaa"],
    ]
    assert sum(line.startswith("German deu") for line in lines) == 2
    assert max(map(len, lines)) <= 30


def test_the_lowest_and_highest_scores_have_the_ends_of_the_scale() -> None:
    text = shown(GRID, colour=True)
    assert "48;2;68;1;84m   41.2 " in text
    assert "48;2;253;231;37m  [90.0]" in text


def test_no_change_is_white() -> None:
    drawn = replace(GRID, kind="interference", changes={("deu", "eng"): 0.0, ("eng", "deu"): -0.2})
    assert "48;2;247;247;247m   +0.0 " in shown(drawn, colour=True)


def test_the_legend_says_range_seeds_items_and_baseline() -> None:
    legend = " ".join(shown(GRID, 200).split())
    for part in ("41.2", "90.0", "mean of 3 seeds, 200 items", "· not measured", "baseline: the constant answer"):
        assert part in legend
    assert "not measured" not in shown(
        replace(GRID, targets=CODES[1:], scores={k: v for k, v in GRID.scores.items() if k[1] != "deu"})
    )
