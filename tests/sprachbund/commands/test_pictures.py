"""`sprachbund plot`: a matrix as a picture, in the format its file asks for."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner, Result

from matrices.bundled import boxed
from matrices.measures.registry import measure
from matrices.plots.style import UnknownPictureError
from matrices.store import Store
from matrices.view import NoScoresError
from sprachbund.cli import app

INTERFERENCE, ZERO_SHOT = "interference-pos-tiny@0a1b", "zero_shot-pos-tiny@0a1b"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["plot", *arguments])


def drawn(out: Path) -> tuple[list[str], list[str]]:
    """The texts of an SVG, and what its points are of."""
    nodes = list(ElementTree.parse(out).iter())
    texts = ["".join(node.itertext()) for node in nodes if node.tag.endswith("text")]
    roles = {"point", "circle"}
    return texts, [node.get("aria-label", "") for node in nodes if node.get("aria-roledescription") in roles]


def test_a_heat_map_of_interference_has_a_mark_for_every_verdict_of_the_measure(
    measured_store: Store, tmp_path: Path
) -> None:
    result = run(measured_store.uri, INTERFERENCE, "--out", str(tmp_path / "heat.svg"))
    texts, marks = drawn(tmp_path / "heat.svg")

    assert (result.exit_code, result.stdout.startswith(str(tmp_path / "heat.svg"))) == (0, True)
    labels = measure(measured_store, INTERFERENCE, "interference")["label"].to_pylist()
    for verdict in ("helps", "harms"):
        assert sum(f"verdict: {verdict}" in mark for mark in marks) == labels.count(verdict) > 0
    assert {"German deu", "beyond doubt"} <= set(texts)
    assert any("languages alike stand side by side" in text for text in texts)


def test_order_composition_and_version_are_taken_from_the_command_line(measured_store: Store, tmp_path: Path) -> None:
    out = tmp_path / "heat.svg"
    assert run(measured_store.uri, ZERO_SHOT, "--order", "family", "--out", str(out)).exit_code == 0
    assert "Indo-European" in drawn(out)[0]

    named = ["--composition", "shift-10", "--version", str(measured_store.version)]
    assert run(measured_store.uri, INTERFERENCE, *named, "--out", str(out)).exit_code == 0
    assert any("shift-10" in text for text in drawn(out)[0])
    assert isinstance(
        run(measured_store.uri, INTERFERENCE, "--composition", "fuse", "--out", str(out)).exception, NoScoresError
    )


def test_donors_and_recipients_stand_in_named_quadrants(measured_store: Store, tmp_path: Path) -> None:
    out = tmp_path / "donors.svg"
    assert run(measured_store.uri, INTERFERENCE, "--what", "donors", "--out", str(out)).exit_code == 0
    texts, points = drawn(out)

    assert {"gives", "takes", "gives and takes", "neither"} <= set(texts)
    assert {"German", "English", "Hindi", "Swahili"} <= set(texts)
    assert len(points) == 4


def test_without_outcomes_a_heat_map_is_drawn_without_marks_and_a_word_says_why(tmp_path: Path) -> None:
    box = boxed()
    assert box is not None
    matrix = next(info.matrix for info in box.matrices() if info.kind == "interference")
    result = run(matrix, "--out", str(tmp_path / "heat.svg"))

    assert result.exit_code == 0
    assert "without marks of what is beyond doubt" in result.stderr
    assert drawn(tmp_path / "heat.svg")[1] == []


@pytest.mark.parametrize("ending", ["png", "html"])
def test_the_ending_gives_the_format(measured_store: Store, tmp_path: Path, ending: str) -> None:
    out = tmp_path / f"heat.{ending}"
    assert run(measured_store.uri, ZERO_SHOT, "--out", str(out)).exit_code == 0
    assert out.read_bytes().lstrip().startswith({"png": b"\x89PNG", "html": b"<!DOCTYPE html>"}[ending])


def test_another_ending_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    result = run(str(tmp_path / "no store"), "nope", "--out", str(tmp_path / "heat.gif"))
    assert isinstance(result.exception, UnknownPictureError)
