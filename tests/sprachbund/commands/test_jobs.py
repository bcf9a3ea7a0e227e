"""`plan`, `fill` and `pretrain`: what they say to people and to machines."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner, Result

from matrices.published.importing import About, import_published
from matrices.published.reading import read_published
from matrices.store import Store
from sprachbund.cli import app
from sprachbund.commands.arguments import shown
from sprachbund.commands.budget import BudgetError
from workers.cluster import NoGpuError
from workers.driver import run, run_context
from workers.job import load_job
from workers.pending import pending
from workers.plan import make_plan
from workers.pool import InlinePool


@pytest.fixture
def job_file(write_job: Callable[..., Path]) -> Path:
    """Two cells: a baseline, and one of two languages and a task adapter."""
    return write_job()


def command(*arguments: str) -> Result:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    return result


def fill_here(job_file: Path) -> None:
    """What `fill` does, in this process."""
    plan = make_plan(load_job(job_file), folder=job_file.parent)
    store, context = Store.open(plan.job.store, create=True), run_context(plan, threads=1)
    run(plan, pending(plan, store), store, InlinePool(context), context)


def test_plan_for_machines_is_one_object_that_counts_what_is_left(job_file: Path) -> None:
    told = json.loads(command("plan", str(job_file), "--json").stdout)
    assert told["adapters"] == {"to_train": 3, "reused": 0}
    assert told["cells"] == {"to_measure": 2, "done": 0}
    assert told["estimated_seconds"] >= 0
    assert told["estimated_gpu_hours"] == 0
    assert told["workers"]["gpus"] == 0
    assert told["workers"]["workers"] * told["workers"]["threads"] >= 1
    assert told["estimated_bytes"]["adapters"] > told["estimated_bytes"]["cells"] > 0
    assert told["notes"] == []
    (matrix,) = told["matrices"]
    assert matrix.startswith("corner-zero_shot-tiny-")


def test_plan_says_how_to_start(job_file: Path) -> None:
    said = command("plan", str(job_file)).stdout
    assert "adapters: 3 to train, 0 in the zoo" in said
    assert f"sprachbund fill {job_file}" in said
    assert re.search(r"Workers: \d+ of 1 core each, on this machine", said)
    assert re.search(r"Time: about \d+ s\.", said)
    assert re.search(r"Disk: about \d+ KB of adapters in the zoo, \d+ KB of cells in the store", said)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
@pytest.mark.parametrize("name", ["plan", "fill"])
def test_gpus_that_are_not_there_are_refused_before_anything_is_trained(job_file: Path, name: str) -> None:
    job_file.write_text(json.dumps({**json.loads(job_file.read_text()), "gpus_per_worker": 0.5}), encoding="utf-8")
    with pytest.raises(NoGpuError, match=r"gpus_per_worker is 0\.5, and this machine has no GPU; set it to 0"):
        CliRunner().invoke(app, [name, str(job_file)], catch_exceptions=False)
    assert not list(job_file.parent.glob("zoo/*/manifest.json"))


def test_plan_neither_makes_a_store_nor_trains(job_file: Path) -> None:
    command("plan", str(job_file))
    assert [path.name for path in job_file.parent.iterdir()] == ["job.yaml"]


def test_plan_says_when_everything_is_done(job_file: Path) -> None:
    fill_here(job_file)
    assert "Everything is measured already" in command("plan", str(job_file)).stdout


def test_fill_of_a_job_that_is_done_says_that_nothing_was_trained(job_file: Path) -> None:
    fill_here(job_file)
    assert (
        "Nothing to do: all 2 cells were measured before; nothing was trained." in command("fill", str(job_file)).stdout
    )
    told = json.loads(command("fill", str(job_file), "--json").stdout)
    assert (told["trained"], told["measured"], told["found"], told["failed"]) == (0, 0, 2, 0)


def test_places_are_told_as_seen_from_here(job_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs, runs = job_file.parent / "jobs", job_file.parent / "runs"
    jobs.mkdir()
    job = {**json.loads(job_file.read_text()), "store": "../runs/store"}
    (jobs / "job.yaml").write_text(json.dumps(job), encoding="utf-8")
    fill_here(jobs / "job.yaml")

    monkeypatch.chdir(job_file.parent)
    assert "--store runs/store --task" in command("fill", "jobs/job.yaml").stdout
    monkeypatch.chdir(jobs)
    assert f"--store {runs / 'store'} --task" in command("fill", "job.yaml").stdout


@pytest.mark.parametrize("place", ["s3://bucket/a/../store", "gs://bucket/store"])
def test_a_bucket_is_told_as_it_was_named(place: str) -> None:
    assert shown(place) == place


def test_pretrain_of_an_encoder_that_is_made_says_so(tiny_encoder_folder: Path, tiny_corpora: Path) -> None:
    job = {
        "out": str(tiny_encoder_folder.parent / "again"),
        "corpora": str(tiny_corpora),
        "vocabulary": 300,
        "layers": 1,
        "hidden": 16,
        "heads": 2,
        "max_length": 64,
        "length": 32,
        "pair_length": 24,
        "tokens": 128,
        "steps": 20,
        "precision": "fp32",
    }
    path = tiny_encoder_folder.parent / "pretrain.yaml"
    path.write_text(json.dumps(job), encoding="utf-8")
    results = [command("pretrain", str(path), "--json") for _ in range(2)]
    told = [line.split(", ")[0] for line in results[0].stderr.splitlines() if line.startswith("pretraining")]
    assert told == ["pretraining 10/20", "pretraining 20/20"]
    first, second = (json.loads(result.stdout) for result in results)
    assert (first["trained"], second["trained"]) == (True, False)
    assert first["digest"] == second["digest"]
    assert "nothing trained" in command("pretrain", str(path)).stdout


def test_a_budget_chooses_cells_and_writes_a_job_that_measures_those_alone(job_file: Path) -> None:
    job = {**json.loads(job_file.read_text()), "sources": ["qaa", "qab"], "targets": ["qac", "qad"]}
    job_file.write_text(json.dumps(job), encoding="utf-8")

    told = json.loads(command("plan", str(job_file), "--budget", "3", "--json").stdout)

    following = job_file.with_name("job.next.yaml")
    assert told["fill"] == f"sprachbund fill {following}"
    plan = make_plan(load_job(following), folder=following.parent)
    planned = {(cell.source, column.target) for column in plan.columns for cell in column.cells if cell.source}
    assert planned == {(one["source"], one["target"]) for one in told["cells"]}
    assert len(planned) == 3


def test_a_budget_is_spent_on_one_task(job_file: Path) -> None:
    job = {**json.loads(job_file.read_text()), "tasks": ["corner", "board"]}
    job_file.write_text(json.dumps(job), encoding="utf-8")

    result = CliRunner().invoke(app, ["plan", str(job_file), "--budget", "1"])

    assert isinstance(result.exception, BudgetError)
    assert "keep one of corner, board" in str(result.exception)


def test_a_budget_is_spent_on_a_matrix_without_a_job(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    pairs = [(s, t) for s in ("deu", "fra", "ita", "nld") for t in ("spa", "swe", "por") if (s, t) != ("ita", "spa")]
    table.write_text("source,target,score\n" + "".join(f"{s},{t},0.{n + 10}\n" for n, (s, t) in enumerate(pairs)))
    import_published(tmp_path / "store", read_published(table), About(matrix="published", task="pos"))

    told = command("plan", f"{tmp_path / 'store'}/published", "--budget", "5").stdout

    assert "Italian (ita)" in told
    assert "Spanish (spa)" in told
    assert "the best with probability" in told
