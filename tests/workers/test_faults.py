"""A job killed at any moment and started again ends as if nothing had happened."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable

from matrices.cells import from_table
from matrices.store import Store
from workers.driver import make_bench, outstanding, run
from workers.job import Job, load_job
from workers.plan import make_plan
from workers.pool import InlinePool

KILLS = 5
_POLL = 0.05
_COMMAND = "from sprachbund.cli import main; main()"
_ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def job_file(tiny_corpora: Path, tiny_encoder_folder: Path, tmp_path: Path) -> Path:
    """A job of seven adapters, two columns and ten cells."""
    job = {
        "store": "store",
        "encoder": {"name": str(tiny_encoder_folder)},
        "corpora": str(tiny_corpora),
        "tasks": ["corner"],
        "sources": ["qaa", "qab"],
        "targets": ["qaa", "qac"],
        "seeds": [0, 1],
        "language_adapter": {"steps": 10, "tokens": 512, "length": 32},
        "task_adapter": {"epochs": 2, "reduction": 4},
        "workers": os.cpu_count(),
        "precision": "fp32",
    }
    path = tmp_path / "job.yaml"
    path.write_text(json.dumps(job), encoding="utf-8")  # JSON is YAML.
    return path


def started(job_file: Path) -> subprocess.Popen[str]:
    """`sprachbund fill` in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", _COMMAND, "fill", str(job_file), "--json"],
        cwd=_ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def progress(job: Job) -> int:
    """How many things a job has made so far: adapters and commits."""
    assert job.zoo is not None
    adapters = Path(job.zoo).glob("*/manifest.json")
    commits = (Path(job.store) / "_delta_log").glob("*.json")
    return sum(1 for _ in adapters) + sum(1 for _ in commits)


def kill_at(job_file: Path, point: int, moment: float) -> int:
    """Start the job, kill its driver some seconds after it made ``point`` things, and return the driver's status."""
    job = load_job(job_file)
    process = started(job_file)
    try:
        while progress(job) < point and process.poll() is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_POLL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(moment)
        process.kill()
        process.communicate()
        return process.returncode
    finally:
        end_group(process)


def end_group(process: subprocess.Popen[str]) -> None:
    """End whatever a killed driver has left behind."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def finished(job_file: Path) -> dict[str, Any]:
    process = started(job_file)
    try:
        out, err = process.communicate()
        assert process.returncode == 0, err
        summary: dict[str, Any] = json.loads(out)
        return summary
    finally:
        end_group(process)


def results(job: Job) -> Mapping[str, tuple[object, ...]]:
    store = Store(job.store)
    cells = [cell for info in store.matrices() for cell in from_table(store.cells(info.matrix))]
    return {cell.cell_id: (cell.status, cell.score, cell.correct, cell.total) for cell in cells}


def uninterrupted(job: Job) -> Mapping[str, tuple[object, ...]]:
    """The same job in one process, with a store and a zoo of its own."""
    folder = Path(job.store).parent / "uninterrupted"
    alone = job.model_copy(update={"store": str(folder / "store"), "zoo": str(folder / "zoo")})
    plan, store = make_plan(alone), Store.open(alone.store, create=True)
    bench = make_bench(plan, threads=1)
    run(plan, outstanding(plan, store), store, InlinePool(bench), bench)
    return results(alone)


@pytest.mark.timeout(900)
def test_killed_at_five_random_moments_the_job_ends_with_the_same_cells(job_file: Path) -> None:
    rng = random.Random(20)
    job = load_job(job_file)
    whole = uninterrupted(job)
    made_in_all = 7 + 1 + 2  # Adapters, the store, and a commit a column.
    points = sorted(rng.sample(range(made_in_all), KILLS))

    for point in points:
        assert kill_at(job_file, point, rng.uniform(0, 0.3)) == -signal.SIGKILL
    summary = finished(job_file)

    assert results(job) == whole
    rows = DeltaTable(job.store).to_pyarrow_table()["cell_id"].to_pylist()
    assert sorted(rows) == sorted(whole)  # None twice.
    assert (summary["failed"], summary["measured"] + summary["found"]) == (0, len(whole))
