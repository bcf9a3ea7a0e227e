"""Heat maps: what is printed and coloured, from small matrices to large, in every format."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from matrices.grid import Grid
from matrices.plots import MISSING, render, save_heat_map

CODES = ("deu", "eng", "fra", "fin", "qaa")
GRID = Grid(
    matrix="pos-zero_shot-tiny",
    encoder="tiny",
    kind="zero_shot",
    task="pos",
    metric="accuracy",
    composition="stack",
    selection="last",
    sources=CODES,
    targets=CODES,
    scores={(a, b): 0.9 if a == b else 0.412 for a in CODES for b in CODES if (a, b) != ("fin", "deu")},
    changes={(a, b): 0.1 if a == b else -0.203 for a in CODES for b in CODES if (a, b) != ("fin", "deu")},
    baseline=dict.fromkeys(CODES, 0.333),
    seeds=3,
    items=(200, 250),
)


def texts(drawn: Grid) -> list[str]:
    root = ElementTree.fromstring(render(drawn, "svg"))
    return ["".join(node.itertext()) for node in root.iter() if node.tag.endswith("text")]


def test_values_are_printed_in_per_cent_and_a_missing_place_is_grey_and_empty() -> None:
    found = texts(GRID)
    assert (found.count("90.0"), found.count("41.2"), found.count("33.3")) == (5, 19, 5)
    assert MISSING.encode() in render(GRID, "svg")


def test_interference_is_printed_in_signed_points_from_a_scale_centred_on_no_change() -> None:
    drawn = replace(GRID, kind="interference")
    found = texts(drawn)
    assert (found.count("+10.0"), found.count("-20.3")) == (5, 19)
    assert any("change of accuracy" in text for text in found)
    assert b'"domainMid": 0' in render(drawn, "html")


def test_the_title_says_task_encoder_seeds_and_items() -> None:
    title = " ".join(texts(GRID))
    for part in ("Zero-shot transfer: pos", "encoder tiny", "mean of 3 seeds", "200-250 items"):
        assert part in title


def test_rows_are_named_with_their_family_and_columns_by_code() -> None:
    found = texts(GRID)
    for name in ("German deu", "Finnish fin", "qaa", "Indo-European", "Uralic", "baseline"):
        assert name in found
    assert found.count("deu") == 1


def test_a_matrix_of_sixty_languages_keeps_its_labels_and_prints_no_values() -> None:
    codes = tuple(f"q{a}{b}" for a in "abc" for b in "abcdefghijklmnopqrst")
    wide = replace(
        GRID,
        sources=codes,
        targets=codes,
        scores={(a, b): 0.512 for a in codes for b in codes},
        baseline=dict.fromkeys(codes, 0.3),
    )
    found = texts(wide)
    assert all(found.count(code) == 2 for code in codes)
    assert "51" not in found


def test_a_matrix_without_a_baseline_is_drawn(tmp_path: Path) -> None:
    assert "baseline" not in texts(replace(GRID, baseline={}))


def test_each_ending_gives_its_format(tmp_path: Path) -> None:
    png = save_heat_map(GRID, tmp_path / "map.png").read_bytes()
    width, height = struct.unpack(">II", png[16:24])
    assert png.startswith(b"\x89PNG")
    assert min(width, height) > 400
    assert save_heat_map(GRID, tmp_path / "map.svg").read_text().startswith("<svg")
    html = save_heat_map(GRID, tmp_path / "map.html").read_text()
    assert html.lstrip().startswith("<!DOCTYPE html>")
    assert '<script src="http' not in html


def test_another_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"cannot draw '.gif'; use .svg, .png, .html"):
        save_heat_map(GRID, tmp_path / "map.gif")
