"""Selections from end to end: what a run leaves, what is taken of it, and that nothing is trained for it again."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from pydantic import ValidationError

from adapters_zoo.adapter_store import AdapterFileError
from adapters_zoo.combination import add_state
from adapters_zoo.heads import Head
from adapters_zoo.zoo import Trained, Zoo
from matrices.store import Store
from tests.workers.conftest import MakeJob
from tests.workers.selections.jobs import KNOBS, SEVERAL, SINGLE, filled
from workers.driver import run_context
from workers.pending import pending
from workers.plan import Plan, PlanError, make_plan
from workers.selecting import LeakError
from workers.work_units import DevScores, Selected, TaskAdapter
from workers.worker import Worker


def first_matrix(plan: Plan) -> str:
    return plan.columns[0].matrix


def test_selections_are_cells_of_one_matrix_and_further_recipes_have_their_own(job: MakeJob) -> None:
    wanted = job()
    done, matrices = filled(wanted)
    assert done.failed == 0
    assert len(matrices) == 2
    first = first_matrix(make_plan(wanted))
    assert {cell.selection for cell in matrices.pop(first)} == {*SINGLE, *SEVERAL}
    assert {cell.selection for cell in next(iter(matrices.values()))} == {*SINGLE, "run_averaged(1)"}


def test_a_second_selection_trains_nothing(job: MakeJob) -> None:
    first, _ = filled(job(selections=["last", "averaged"]))
    trained = [path for path in Path(job().zoo or "").iterdir() if (path / "adapter").is_dir()]
    more = make_plan(job(selections=["last", "averaged", "source_dev", "run_averaged(2)"]))
    left = pending(more, Store(job().store))
    assert first.failed == 0
    assert trained
    assert {type(one) for one in left.adapters} <= {DevScores, Selected}


def test_one_averaged_run_scores_what_the_run_does(job: MakeJob) -> None:
    wanted = job(recipes=[], selections=["last", "run_averaged(1)"])
    _, matrices = filled(wanted)
    (cells,) = matrices.values()
    by_selection = {
        name: {
            (cell.source, cell.target, cell.seed): cell.correct
            for cell in cells
            if cell.selection == name and cell.source
        }
        for name in ("last", "run_averaged(1)")
    }
    assert by_selection["last"] == by_selection["run_averaged(1)"]
    assert len(by_selection["last"]) == 8


def test_all_runs_learn_under_the_head_of_the_first(job: MakeJob) -> None:
    plan = make_plan(job())
    filled(job())
    runs = [one for one in plan.tasks.values() if one.head is not None]
    assert len(runs) == 8  # Two sources, seeds and recipes.
    zoo = Path(job().zoo or "")
    for one in runs:
        assert one.head is not None
        assert (zoo / one.key / "head.safetensors").read_bytes() == (zoo / one.head / "head.safetensors").read_bytes()


def test_all_runs_under_a_head_start_from_the_same_weights_and_read_in_their_own_order(job: MakeJob) -> None:
    still = {**KNOBS["task_adapter"], "learning_rate": 1e-12}
    plan = make_plan(job(sources=["qaa"], recipes=[], selections=["run_averaged(2)"], task_adapter=still))
    worker = Worker(run_context(plan, threads=1))
    for one in plan.tasks.values():
        worker.work(one)
    first, second = (one for one in plan.tasks.values() if one.head is not None)
    assert (first.seed, second.seed, first.drawn_by, second.drawn_by) == (0, 1, 0, 0)
    worker.loaded.need([first.key, second.key])
    one, other = (worker.loaded.encoder.parameters_of(run.key) for run in (first, second))
    for key, weight in one.items():
        torch.testing.assert_close(other[key], weight, atol=1e-8, rtol=0)


def test_a_missing_head_is_an_error(job: MakeJob) -> None:
    plan = make_plan(job())
    run_under_it = next(one for one in plan.tasks.values() if one.head is not None)
    with pytest.raises(AdapterFileError, match="there is no adapter"):
        Worker(run_context(plan, threads=1)).work(run_under_it)
    assert not Zoo(job().zoo or "").has(run_under_it.key)


def test_runs_with_heads_of_their_own_are_not_averaged(job: MakeJob) -> None:
    with pytest.raises(ValidationError, match="whose heads must be one; set `head: shared`"):
        job(head="own")


@pytest.mark.parametrize(
    ("knobs", "told"),
    [
        ({"selections": ["best"]}, "'best' is no selection"),
        ({"selections": ["run_averaged(5)"]}, "needs 5 runs, and seeds and recipes make 4"),
        ({"task_adapter": {"epochs": 1}}, "keep some: `task_adapter: {snapshots: 10}`"),
        ({"kind": "interference", "language_adapter": {"steps": 2}}, "of interference `last` alone is measured"),
    ],
)
def test_what_cannot_be_made_is_refused_before_anything_is_trained(
    job: MakeJob, knobs: dict[str, Any], told: str
) -> None:
    with pytest.raises(ValidationError, match=told.replace("(", r"\(").replace(")", r"\)")):
        job(**knobs)


def answering(own: dict[str, torch.Tensor], head: Head, layer: int, label: int, unit: int) -> dict[str, torch.Tensor]:
    """A bottleneck adapter, shaped as ``own``, that gives one of two labels always, by one of its units.

    In the layer it adds 2 v, by way of the unit, and -1.5 v: of v that speaks for the label, 0.5. Of three such
    adapters, of which one uses another unit, the mean adds (2/3)^2 2 v + (1/3)^2 2 v - 1.5 v, which speaks against it.
    """
    v = 1e4 * (head.linear.weight[label] - head.linear.weight[1 - label]).detach()
    state = {name: torch.zeros_like(weight) for name, weight in own.items()}
    here = {name.rpartition("adapter_")[2]: name for name in own if f"layer.{layer}." in name}
    state[here["down.0.bias"]][unit] = 1.0
    state[here["up.weight"]][:, unit] = 2 * v
    state[here["up.bias"]] = -1.5 * v
    return state


def test_a_run_that_is_good_and_spoils_the_mean_is_left_out_and_named(job: MakeJob) -> None:
    """It answers as the others do, by another unit, so that halfway between them is another function."""
    odd = {"selecting": {"max_items": 7}, "min_items": 5}  # So that a constant answer is better than its opposite.
    wanted = job(sources=["qaa"], seeds=[0, 1, 2], recipes=[], selections=["last", "run_averaged(3)"], **odd)
    plan = make_plan(wanted)
    worker, zoo = Worker(run_context(plan, threads=1)), Zoo(wanted.zoo or "")
    loaded = worker.loaded
    runs = sorted((one for one in plan.tasks.values() if one.head is not None), key=lambda one: one.seed)
    (first,) = (one for one in plan.tasks.values() if one.head is None)
    worker.work(first)
    loaded.need([first.key])
    own, head, last = loaded.encoder.parameters_of(first.key), loaded.head(first.key), loaded.encoder.layers - 1
    (dev,) = {one.data for one in plan.scores.values()}
    judged = loaded.data(dev[0]).first(7)
    gold = Counter(label for item in judged.items for label in judged.rules.gold(item))
    often = head.labels.index(gold.most_common(1)[0][0])
    for one, unit in zip(runs, (0, 0, 1), strict=True):
        add_state(loaded.encoder, "made", one.recipe, answering(own, head, last, often, unit))
        for key, made_from in ((state.key, state.made_from) for state in (*one.states, one)):
            zoo.save(loaded.encoder, "made", Trained(key, head.labels, 0.0, 0.0), made_from, head)
        loaded.forget("made")
    for one in plan.scores.values():
        worker.work(one)
    (selected,) = plan.selected.values()
    plain = replace(selected, key="0" * 32, mean_guard=0.0)
    worker.work(plain)
    worker.work(selected)

    (each,) = {zoo.load_scores(loaded.encoder, key)[-1] for key in selected.scores}
    assert each == max(gold.values()) / gold.total() > 0.5
    (left_out,) = zoo.made_from(selected.key)["left_out"]
    assert left_out["states"] == [runs[2].key]
    assert left_out["mean"] == pytest.approx(1 - each)
    assert zoo.made_from(selected.key)["taken"] == {runs[0].key: 0.5, runs[1].key: 0.5}
    assert len(zoo.made_from(plain.key)["taken"]) == 3

    (of_mean,) = {
        cell.provenance for column in plan.columns for cell in worker.work(column) if "averaged" in cell.selection
    } - {None}
    assert (
        f"left out of the mean: seed 2, rate 0.001, batch 16 (dev score {each:.3f}; the mean with it {1 - each:.3f})"
        in (of_mean)
    )


class TestLeaks:
    def test_scores_on_the_target_planted_under_a_deployable_selection_are_refused(self, job: MakeJob) -> None:
        wanted = job(sources=["qaa"], targets=["qac"], seeds=[0], recipes=[], selections=["source_dev", "target_dev"])
        plan = make_plan(wanted)
        worker = Worker(run_context(plan, threads=1))
        for learner in [*plan.tasks.values(), *plan.scores.values()]:
            worker.work(learner)
        on_target = next(one for one in plan.scores.values() if one.data[0].language == "qac")
        honest = next(one for one in plan.selected.values() if one.selection == "source_dev")
        planted = replace(honest, key="0" * 32, scores=(on_target.key,))

        with pytest.raises(LeakError, match="chosen by labels of qac, which none of its runs learned from"):
            worker.work(planted)

        assert not Zoo(wanted.zoo or "").has(planted.key)
        # Nor may a mean be judged by them.
        with pytest.raises(LeakError, match="chosen by labels of qac"):
            worker.work(replace(honest, key="0" * 32, data=on_target.data))
        assert not Zoo(wanted.zoo or "").has(planted.key)
        worker.work(honest)  # What sees the source's labels alone is made.
        assert Zoo(wanted.zoo or "").has(honest.key)

    def test_no_plan_lets_scores_of_a_target_decide_but_for_the_oracle(self, job: MakeJob) -> None:
        plan = make_plan(job())
        for one in plan.selected.values():
            languages = {data.language for key in one.scores for data in plan.scores[key].data}
            trained_on = {data.language for run in one.runs for data in plan.tasks[run[-1]].data}
            assert one.selection == "target_dev" or languages == trained_on


@pytest.fixture
def without_dev(tiny_corpora: Path, tmp_path: Path) -> Callable[[str], Path]:
    """Copies the corpora without the dev split of a language."""

    def make(code: str) -> Path:
        corpora: Path = shutil.copytree(tiny_corpora, tmp_path / "corpora")
        path = corpora / "corpora.yaml"
        declared = yaml.safe_load(path.read_text(encoding="utf-8"))
        block = next(one for one in declared["corpora"] if one.get("task") == "corner")
        block["languages"] = [language for language in block["languages"] if language != code]
        rest = {name: value for name, value in block.items() if name != "dev"}
        declared["corpora"].append({**rest, "name": "rest", "languages": [code]})
        path.write_text(yaml.safe_dump(declared), encoding="utf-8")
        return corpora

    return make


def test_a_source_without_a_dev_split_is_named(job: MakeJob, without_dev: Callable[[str], Path]) -> None:
    with pytest.raises(PlanError, match="corner: qab has no dev split"):
        make_plan(job(corpora=without_dev("qab")))


def test_the_oracle_is_left_out_where_a_target_has_no_dev_split(
    job: MakeJob, without_dev: Callable[[str], Path]
) -> None:
    plan = make_plan(job(corpora=without_dev("qac")))
    assert "corner: qac has no dev split, so no target_dev" in plan.notes
    of_target = [cell.selection for column in plan.columns if column.target == "qac" for cell in column.cells]
    assert "target_dev" not in of_target
    assert "source_dev" in of_target


def test_all_of_it_is_found_again(job: MakeJob) -> None:
    filled(job())
    again, _ = filled(job())
    assert (again.trained, again.measured) == (0, 0)


def test_no_unit_is_left_that_nothing_needs(job: MakeJob) -> None:
    plan = make_plan(job())
    assert {type(one) for one in plan.learners()} == {TaskAdapter, DevScores, Selected}
