"""A laboratory job: what is wrong with one is told by file, line and what is allowed."""

from __future__ import annotations

from pathlib import Path

import pytest

from workers.config import ConfigError
from workers.othello.job import PRESETS, load_laboratory_job

JOBS = Path(__file__).parent.parent.parent.parent / "jobs"
GOOD = "out: runs\nconditions:\n  naive: {}\n"


def load(tmp_path: Path, text: str) -> object:
    path = tmp_path / "job.yaml"
    path.write_text(text, encoding="utf-8")
    return load_laboratory_job(path)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (GOOD + "seeds: [1, 1]\n", r":4: `seeds`: stands twice"),
        (GOOD + "bord: 4\n", r":4: unknown key `bord`; did you mean `board`\?"),
        (GOOD + "board: 5\n", r":4: `board`: Input should be 4, 6 or 8"),
        ("out: runs\nconditions:\n  a: {anchors: 13}\n", "13 anchors are more than the 12 moves of the board"),
        ("out: runs\nconditions:\n  a: {anchors: [b2]}\n", "no such move: b2; moves are a1, b1"),
        ("out: runs\nconditions:\n  a: {weights: [1]}\n", "1 of them for 2 languages"),
        ("out: runs\nconditions:\n  a: {among: [C]}\n", "no language C beside A, B"),
        (GOOD + "finetuning: {language: C}\n", r"language C: naive has the languages A, B"),
        (GOOD + "model: {width: 30, heads: 4}\n", r"`heads`: 4 does not divide `width`: 30"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_what_is_allowed(text: str, error: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=error):
        load(tmp_path, text)


@pytest.mark.parametrize("name", ["othello-4x4.yaml", "othello-6x6.yaml"])
def test_the_jobs_that_are_shipped_can_be_read(name: str) -> None:
    assert "naive" in load_laboratory_job(JOBS / name).conditions


def test_runs_come_seed_by_seed_so_that_a_job_broken_off_has_every_condition(tmp_path: Path) -> None:
    job = PRESETS["mini"](tmp_path).model_copy(update={"seeds": (0, 1)})
    assert [(run.seed, run.name) for run in job.runs()[:4]] == [
        (0, "naive"),
        (0, "anchors-4"),
        (0, "unified"),
        (1, "naive"),
    ]
