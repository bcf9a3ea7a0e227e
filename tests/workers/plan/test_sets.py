"""Plans of one task adapter of several sources: its budget, its identity, and where it is measured."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from adapters_zoo.zoo import Zoo
from matrices.store import Store
from workers.driver import make_bench
from workers.job import Job
from workers.plan import Plan, make_plan
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


@pytest.mark.parametrize(
    ("knobs", "said"),
    [
        ({"sets": []}, "that with `sets`"),
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
        compositions=["alone", "multi"],
        sets=[["qab", "qaa"]],
    )
    plan = make_plan(job)
    worker, store = Worker(make_bench(plan, threads=1)), Store.open(job.store, create=True)
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
    assert found == {("baseline", None), ("alone", "qaa"), ("alone", "qab"), ("multi", "qaa+qab")}
