"""Plans of a task adapter of several sources, and of fusions: budget, identity, and where they are measured."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError

from adapters_zoo.zoo import Zoo
from matrices.store import Store
from workers.driver import run_context
from workers.job import Job
from workers.pending import pending
from workers.plan import Plan, make_plan
from workers.work_units import needs
from workers.worker import Worker

Plans = Callable[..., Plan]
MULTI: dict[str, Any] = {
    "language_adapter": "none",
    "compositions": ["alone", "multi"],
    "sets": [["eng", "deu"]],
    "task_adapter": {"max_items": 10},
}


def of_sets(plan: Plan) -> list[Any]:
    return [cell for cell in plan.cells() if cell.composition == "multi"]


def test_a_set_stands_in_the_matrix_of_its_sources_under_a_composition_of_its_own(plans: Plans) -> None:
    plan, single = plans(**MULTI), plans(**{**MULTI, "compositions": ["alone"], "sets": []})
    assert {column.matrix for column in plan.columns} == {column.matrix for column in single.columns}
    assert {(cell.source, cell.seed) for cell in of_sets(plan)} == {("deu+eng", 0), ("deu+eng", 1)}
    kept = {cell.cell_id for cell in plan.cells()} - {cell.cell_id for cell in of_sets(plan)}
    assert kept == {cell.cell_id for cell in single.cells()}


def test_all_sources_of_a_set_together_give_as_many_items_as_one(plans: Plans) -> None:
    plan = plans(**MULTI)
    adapter = plan.tasks[of_sets(plan)[0].task_adapter]
    assert [(one.language, one.items) for one in adapter.data] == [("deu", 5), ("eng", 5)]
    whole = plans(**{**MULTI, "task_adapter": {}})
    assert [one.items for one in whole.tasks[of_sets(whole)[0].task_adapter].data] == [12, 12]


def test_a_set_is_the_same_in_whatever_order_it_is_listed(plans: Plans) -> None:
    assert of_sets(plans(**{**MULTI, "sets": [["deu", "eng"]]})) == of_sets(plans(**MULTI))


def test_a_set_is_not_measured_on_its_own_members(plans: Plans) -> None:
    plan = plans(**MULTI)
    measured = {column.target for column in plan.columns for cell in column.cells if cell.composition == "multi"}
    assert measured == {"yor"}


def test_another_share_is_another_adapter(plans: Plans) -> None:
    """Pivots that are read in full, and a set that shares their budget, are not one adapter."""
    shared = of_sets(plans(**MULTI))[0].task_adapter
    pivots = plans(kind="interference", sources=["yor"], pivots=["deu", "eng"], task_adapter={"max_items": 10})
    assert shared not in pivots.tasks


def test_a_fusion_is_of_the_runs_of_its_members_and_reads_the_items_of_a_set(plans: Plans) -> None:
    plan = plans(**{**MULTI, "compositions": ["alone", "multi", "fuse"], "fusion": {"learning_rate": 1e-4}})
    fusions = {cell.seed: plan.tasks[cell.task_adapter] for cell in plan.cells() if cell.composition == "fuse"}
    alone = {(cell.source, cell.seed): cell.task_adapter for cell in plan.cells() if cell.composition == "alone"}
    assert {seed: one.fused for seed, one in fusions.items()} == {
        seed: (alone["deu", seed], alone["eng", seed]) for seed in (0, 1)
    }
    assert set(needs(fusions[0])) == {alone["deu", 0], alone["eng", 0]}
    of_multi = next(plan.tasks[one.task_adapter] for one in of_sets(plan))
    assert fusions[0].data == of_multi.data
    assert (fusions[0].recipe.learning_rate, of_multi.recipe.learning_rate) == (1e-4, 1e-3)


def test_how_a_fusion_learns_is_part_of_its_identity_and_of_no_others(plans: Plans) -> None:
    fuse = {**MULTI, "compositions": ["alone", "fuse"]}
    one, other = plans(**fuse), plans(**fuse, fusion={"epochs": 1})
    assert {key for key, adapter in one.tasks.items() if not adapter.fused} <= other.tasks.keys()
    assert not {key for key, adapter in one.tasks.items() if adapter.fused} & other.tasks.keys()
    assert {column.matrix for column in one.columns}.isdisjoint(column.matrix for column in other.columns)


@pytest.mark.parametrize(
    ("knobs", "said"),
    [
        ({"compositions": ["alone", "fuse"], "method": "lora", "task_adapter": {}}, "is of bottleneck adapters alone"),
        ({"sets": []}, "those with `sets`"),
        ({"compositions": ["alone"]}, "go with `compositions"),
        ({"sets": [["eng"]]}, "at least 2"),
        ({"sets": [["eng", "English"]]}, "stands twice"),
        ({"sets": [["eng", "yor"]]}, "yor is not among the sources"),
        ({"sets": [["eng", "deu"], ["deu", "eng"]]}, "stands twice"),
        (
            {"kind": "interference", "compositions": ["stack", "multi"], "language_adapter": {"steps": 4}},
            "multi does not go with",
        ),
    ],
)
def test_mistakes_say_what_is_allowed(plans: Plans, knobs: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        plans(**{**MULTI, **knobs})


def test_a_set_is_trained_measured_and_kept_apart_from_single_sources(
    tiny_corpora: Path, tiny_encoder_folder: Path, job_of: Callable[..., Job]
) -> None:
    job = job_of(
        tiny_corpora,
        tiny_encoder_folder,
        targets=["qac"],
        language_adapter="none",
        compositions=["alone", "multi", "fuse"],
        sets=[["qab", "qaa"]],
    )
    plan = make_plan(job)
    worker, store = Worker(run_context(plan, threads=1)), Store.open(job.store, create=True)
    store.keep_items(plan.items)
    for learner in plan.learners():
        worker.work(learner)
    assert job.zoo is not None
    assert Zoo(job.zoo).keys() == {*plan.tasks}
    (column,) = plan.columns
    cells = worker.work(column)
    assert [cell.status for cell in cells] == ["ok"] * len(cells)
    store.append(cells)
    assert store.matrices()[0].sources == 2
    found = {(cell.composition, cell.source) for cell in cells}
    assert found == {
        ("baseline", None),
        ("alone", "qaa"),
        ("alone", "qab"),
        *((how, "qaa+qab") for how in ("multi", "fuse")),
    }


def test_a_fusion_leaves_its_members_as_they_are_and_is_made_again_bit_by_bit(
    tiny_corpora: Path, tiny_encoder_folder: Path, job_of: Callable[..., Job]
) -> None:
    knobs = {"targets": ["qac"], "language_adapter": "none", "seeds": [0], "compositions": ["alone", "fuse"]}
    job = job_of(tiny_corpora, tiny_encoder_folder, **knobs, sets=[["qab", "qaa"]])
    plan = make_plan(job)
    (fusion,) = (one for one in plan.tasks.values() if one.fused)
    zoo = Path(job.zoo or "")

    def files(key: str) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in sorted((zoo / key).rglob("*.safetensors"))}

    worker = Worker(run_context(plan, threads=1))
    for learner in plan.learners():
        worker.work(learner)
    members, made = [files(key) for key in fusion.fused], files(fusion.key)
    assert made.keys() == {"head.safetensors", "model_adapter_fusion.safetensors"}
    assert fusion.key not in worker.loaded.encoder.names
    before = [worker.loaded.encoder.parameters_of(key) for key in fusion.fused]
    (zoo / fusion.key).rename(zoo.parent / "lost")

    # Another process, which has nothing loaded, does what is left, with other units before it.
    left = pending(plan, None)
    assert left.adapters == (fusion,)
    again = Worker(run_context(plan, threads=1))
    again.work(fusion)
    assert files(fusion.key) == made
    assert [files(key) for key in fusion.fused] == members
    for key, weights in zip(fusion.fused, before, strict=True):
        assert all(torch.equal(weights[name], value) for name, value in again.loaded.encoder.parameters_of(key).items())

    # Who has to measure loads the members with it.
    measuring = Worker(run_context(plan, threads=1))
    cells = [cell for cell in measuring.work(plan.columns[0]) if cell.composition == "fuse"]
    assert [cell.status for cell in cells] == ["ok"]
    assert {fusion.key, *fusion.fused} <= {*measuring.loaded.encoder.names}
