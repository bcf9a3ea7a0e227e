"""A job whose task is learnt by another method than a bottleneck adapter, from end to end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from safetensors import safe_open

from matrices.cells import from_table
from matrices.store import Store
from tests.workers.conftest import KNOBS
from workers.driver import Summary, run, run_context
from workers.job import Job
from workers.pending import pending
from workers.plan import PlanError, make_plan
from workers.pool import InlinePool

METHODS = {
    "lora": {"method": "lora", "lora": {"epochs": 1, "rank": 4}},
    "full": {"method": "full", "full": {"epochs": 3, "learning_rate": 2e-3, "leave_out": 1}},
}


@pytest.fixture
def job(tiny_corpora: Path, tiny_encoder_folder: Path, tmp_path: Path) -> Callable[..., Job]:
    """Makes a job of a second, of the usual knobs but the bottleneck's, and of those that differ."""

    def make(**knobs: Any) -> Job:
        usual = {name: value for name, value in KNOBS.items() if name != "task_adapter"}
        values = {"store": "store", "encoder": {"name": str(tiny_encoder_folder)}, "corpora": tiny_corpora}
        return Job.model_validate({**values, **usual, **knobs}).relative_to(tmp_path)

    return make


def filled(job: Job) -> Summary:
    """Fill a job in this process."""
    plan, store = make_plan(job), Store.open(job.store, create=True)
    context = run_context(plan, threads=1)
    return run(plan, pending(plan, store), store, InlinePool(context), context)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("below", ["none", KNOBS["language_adapter"]], ids=["alone", "stack"])
def test_a_matrix_is_filled_and_found_again(job: Callable[..., Job], method: str, below: object) -> None:
    wanted = job(**METHODS[method], language_adapter=below)
    done = filled(wanted)
    assert (done.failed, done.measured) == (0, 10)  # Two sources and seeds on two targets, and a constant answer each.
    again = filled(wanted)
    assert (again.measured, again.found) == (0, 10)
    store = Store(wanted.store)
    (info,) = store.matrices()
    assert info.matrix.startswith(f"corner-zero_shot-{method}-")
    scores = {(cell.source, cell.target, cell.seed): cell.score for cell in from_table(store.cells(info.matrix))}
    assert len(set(scores.values())) > 2


def test_methods_lie_side_by_side_in_a_store(job: Callable[..., Job]) -> None:
    for knobs in ({}, *METHODS.values()):
        filled(job(language_adapter="none", seeds=[0], **knobs))
    assert len(Store(job().store).matrices()) == 3


def test_fine_tuning_is_kept_as_a_difference_of_the_layers_that_learnt(job: Callable[..., Job]) -> None:
    wanted = job(language_adapter="none", seeds=[0], sources=["qaa"], **METHODS["full"])
    filled(wanted)
    (path,) = Path(wanted.zoo or "").glob("*/adapter/difference.safetensors")
    with safe_open(path, "pt") as file:
        names = set(file.keys())
        assert {str(file.get_slice(name).get_dtype()) for name in names} == {"BF16"}
        assert any(bool(file.get_tensor(name).any()) for name in names)
    assert all(name.startswith("roberta.encoder.layer.1.") for name in names)


@pytest.mark.parametrize(
    ("knobs", "told"),
    [
        ({"method": "lora", "task_adapter": {"epochs": 1}}, "goes with `method: bottleneck` only"),
        ({"lora": {"rank": 2}}, "goes with `method: lora` only"),
        ({"method": "lora", "full": {"epochs": 1}}, "goes with `method: full` only"),
        ({"method": "adapter"}, "'bottleneck', 'lora' or 'full'"),
        (
            {"method": "full", "kind": "interference", "compositions": ["shift"]},
            "full takes the place of the layers that `shift` changes",
        ),
    ],
)
def test_what_does_not_go_together_is_refused(job: Callable[..., Job], knobs: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        job(**knobs)


def test_a_method_that_leaves_out_every_layer_is_refused_by_its_own_key(job: Callable[..., Job]) -> None:
    with pytest.raises(PlanError, match=r"`full\.leave_out`: 2 of 2 layers leaves none; at most 1"):
        make_plan(job(language_adapter="none", method="full", full={"leave_out": 2}))
