"""Work that is itself at fault: tried once, recorded with its error, and nobody else's cells suffer."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from workers.plan import make_plan

Make = Callable[..., Any]


@pytest.fixture
def corpora(tiny_corpora: Path, tmp_path: Path) -> Path:
    """Corpora that a test may damage."""
    return shutil.copytree(tiny_corpora, tmp_path / "corpora")


def test_a_task_that_always_raises_is_tried_once_and_recorded(task: Make, corpora: Path, log: Any) -> None:
    job = task(corpora=str(corpora))
    plan = job.plan()
    (corpora / "text" / "qab.txt").write_bytes(b"\xff")
    summary = job.run(plan=plan)

    assert (summary.measured, summary.failed) == (6, 4)
    failed = [error for status, *_, error in job.results().values() if status == "failed"]
    assert all("qab.txt:1: byte 0xff is not UTF-8" in error for error in failed)
    assert [(entry["event"], entry["what"]) for entry in log.entries] == [("failed", "language adapter qab")]


def test_a_loss_that_becomes_nan_is_a_failure_and_never_a_score(task: Make, log: Any) -> None:
    job = task(task_adapter={"epochs": 2, "reduction": 4, "learning_rate": 1e30})
    summary = job.run()

    assert (summary.measured, summary.failed) == (2, 8)  # The baselines are constant answers.
    for status, score, correct, _, error in job.results().values():
        if status == "failed":
            assert (score, correct) == (None, None)
            assert "TrainingError" in error
            assert "lower learning_rate" in error
    assert set(log.events()) == {"failed"}


@pytest.mark.filterwarnings("ignore::FutureWarning:ray")
def test_a_task_that_hangs_is_stopped_at_its_time_limit_and_the_rest_is_done(
    task: Make, log: Any, ray_here: None
) -> None:
    from workers.cluster import Crew
    from workers.driver import run_context
    from workers.pool import ray_pool

    job = task()
    plan = make_plan(job.job)
    for adapter in plan.languages.values():
        if adapter.language == "qab":
            endless = adapter.recipe.model_copy(update={"steps": 10**9})
            plan.languages[adapter.key] = replace(adapter, recipe=endless)
    with ray_pool(run_context(plan, threads=1), Crew(1, 1, 0), time_limit=20, outage=60) as pool:
        summary = job.run(pool, plan=plan)

    assert (summary.measured, summary.failed) == (6, 4)
    failed = [error for status, *_, error in job.results().values() if status == "failed"]
    assert all("language adapter qab: stopped after 20 s, the `time_limit`" in error for error in failed)
    assert log.events() == ["took too long; its worker was stopped", "failed"]
