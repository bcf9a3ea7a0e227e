"""`sprachbund othello`: a small job from its file to its table, findings, numbers and pictures; a plan; mistakes."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from sprachbund.cli import app

JOB = """\
out: runs
conditions:
  naive: {}
  anchors-4: {anchors: 4}
  unified: {output: unified}
seeds: [0, 1]
games: {pretraining: 500, finetuning: 300, evaluation: 4, probing: 20}
model: {layers: 1, width: 16, heads: 2}
pretraining: {steps: 6, batch: 8, warm_up: 4}
finetuning: {steps: 4, batch: 8, every: 2}
probing: {hidden: 8, steps: 5, batch: 16}
workers: 1
"""


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["othello", *arguments])


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("othello") / "job.yaml"
    path.write_text(JOB, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def told(job: Path) -> str:
    result = run(str(job))
    assert result.exit_code == 0, result.output
    return result.stdout


def test_it_prints_the_table_and_three_findings(told: str) -> None:
    for name in ("naive", "anchors-4", "unified"):
        assert name in told
    for number in (1, 2, 3):
        assert f"\n{number}. " in told
    assert "2 seeds, means with 95% intervals" in told


def test_it_draws_pictures_that_are_svg(told: str, job: Path) -> None:
    pictures = sorted((job.parent / "runs" / "pictures").iterdir())
    assert [path.name for path in pictures] == ["boards.svg", "moves.svg", "probes.svg"]
    for path in pictures:
        drawn = ElementTree.fromstring(path.read_text(encoding="utf-8"))
        kinds = Counter(node.tag.rpartition("}")[2] for node in drawn.iter())
        assert drawn.tag.endswith("svg")
        assert kinds["text"] > 0
        assert kinds["path"] + kinds["circle"] + kinds["rect"] > 10


def test_it_keeps_every_number_and_tells_a_machine_the_same(told: str, job: Path) -> None:
    result = run(str(job), "--json")
    assert result.exit_code == 0, result.output
    answer = json.loads(result.stdout)
    table = pq.read_table(job.parent / "runs" / "numbers.parquet").to_pandas()
    assert set(table["condition"]) == set(answer["conditions"])
    before = table[
        (table["measure"] == "legal")
        & (table["games"] == "held_out")
        & (table["step"] == 0)
        & (table["target"] == "B")
        & (table["condition"] == "naive")
    ]
    assert answer["conditions"]["naive"]["target_before"]["mean"] == pytest.approx(before["value"].mean(), abs=1e-6)
    assert [finding["verdict"] for finding in answer["findings"]]


def test_a_plan_is_measured_and_starts_nothing(tmp_path: Path) -> None:
    path = tmp_path / "job.yaml"
    path.write_text(JOB, encoding="utf-8")
    result = run(str(path), "--plan", "--json")
    assert result.exit_code == 0, result.output
    plan = json.loads(result.stdout)
    assert [one["condition"] for one in plan["runs"]] == ["naive", "anchors-4", "unified"]
    assert all(one["seconds"] > 0 and one["memory"] > 16 * one["parameters"] for one in plan["runs"])
    assert not (tmp_path / "runs").exists()


def test_a_job_for_gpus_is_refused_without_one(tmp_path: Path) -> None:
    path = tmp_path / "job.yaml"
    path.write_text(JOB + "gpus_per_worker: 1\n", encoding="utf-8")
    result = run(str(path))
    assert result.exit_code == 1
    assert "this machine has none; name a cluster with --address" in str(result.exception)
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("arguments", [[], ["job.yaml", "--preset", "mini"]])
def test_a_job_file_or_a_preset_is_named_and_not_both(arguments: list[str]) -> None:
    result = run(*arguments)
    assert "name a job file or a preset" in str(result.exception)
