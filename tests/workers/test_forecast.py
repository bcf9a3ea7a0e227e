"""What a job is forecast to take, against what it took."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from matrices.store import Store
from tests.workers.conftest import KNOBS
from workers.cluster import NoGpuError
from workers.driver import run, run_context
from workers.forecast import CostEstimate, forecast
from workers.job import Job
from workers.pending import pending
from workers.plan import make_plan
from workers.pool import InlinePool

MakeJob = Callable[..., Job]
HERE = [{"CPU": 2.0}]


@pytest.fixture
def job(tiny_corpora: Path, tiny_encoder_folder: Path, tmp_path: Path) -> MakeJob:
    """Two cells, and what they need."""
    named = {"store": "store", "encoder": {"name": str(tiny_encoder_folder)}, "corpora": tiny_corpora}
    few = {"sources": ["qaa"], "targets": ["qac"], "seeds": [0]}

    def make(**knobs: Any) -> Job:
        usual = {name: value for name, value in KNOBS.items() if name != "task_adapter" or "method" not in knobs}
        return Job.model_validate({**named, **usual, **few, **knobs}).relative_to(tmp_path)

    return make


def before_and_after(job: Job) -> tuple[CostEstimate, CostEstimate]:
    """Filled between the two, in this process."""
    plan = make_plan(job)
    store, bench = Store.open(plan.job.store, create=True), run_context(plan, threads=1)
    first = forecast(plan, pending(plan, None), HERE)
    run(plan, pending(plan, store), store, InlinePool(bench), bench)
    return first, forecast(plan, pending(plan, store), HERE)


def size(folder: str) -> int:
    return sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())


def test_a_job_that_is_done_takes_nothing(job: MakeJob) -> None:
    before, after = before_and_after(job())
    assert before.seconds is not None
    assert before.seconds > 0
    assert (after.seconds, after.gpu_hours, after.adapters, after.cells) == (0, 0, 0, 0)


def test_layers_below_a_task_adapter_are_not_counted_for_every_pass(
    job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.forecast.product_rate", lambda precision: 1e9)  # Else measured, each time another.

    def seconds(leave_out: int) -> float:
        recipe = {"epochs": 1, "leave_out": leave_out}
        plan = make_plan(job(language_adapter="none", task_adapter=recipe))
        said = forecast(plan, pending(plan, None), HERE).seconds
        assert said is not None
        return said

    assert seconds(1) == pytest.approx(seconds(0) / 2)  # Of two layers.


@pytest.mark.parametrize(
    "knobs",
    [
        {},
        {"method": "lora", "lora": {"epochs": 1}},
        {"method": "full", "full": {"epochs": 1}},
        {"task_adapter": {"epochs": 1, "snapshots": 4}, "selections": ["last", "averaged"]},
        {"kind": "interference", "pivots": ["qaa"], "compositions": ["shift"], "shift": {"budgets": [1, 2]}},
    ],
    ids=["bottleneck", "lora", "full", "snapshots", "shift"],
)
def test_zoo_and_store_grow_by_about_as_much_as_was_said(job: MakeJob, knobs: dict[str, Any]) -> None:
    wanted = job(**knobs)
    said, _ = before_and_after(wanted)
    assert wanted.zoo is not None
    assert said.adapters == pytest.approx(size(wanted.zoo), rel=0.25)
    assert size(wanted.store) / 2 < said.cells < 2 * size(wanted.store)


def test_gpus_that_no_machine_has_are_refused(job: MakeJob) -> None:
    plan = make_plan(job(gpus_per_worker=1, workers=None))
    work = pending(plan, None)
    with pytest.raises(NoGpuError, match="gpus_per_worker is 1, and this machine has no GPU"):
        forecast(plan, work, HERE)
    assert forecast(plan, work, [{"CPU": 8.0, "GPU": 2.0}]).crew.workers == 2
