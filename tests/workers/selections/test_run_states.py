"""The states that a run leaves on its way: what they are, and that keeping them changes nothing."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from adapters_zoo.adapter_store import read_manifest
from adapters_zoo.backbone import Encoder
from adapters_zoo.recipes import LanguageAdapterRecipe, TaskAdapterRecipe
from adapters_zoo.sources import check_encoder
from adapters_zoo.zoo import Zoo
from tests.workers.conftest import MakeJob
from tests.workers.selections.jobs import KNOBS, PLAIN, filled
from workers.corpora import open_corpora
from workers.driver import run_context
from workers.hidden_states import CachedText
from workers.job import Job
from workers.language_modelling import train_language_adapter
from workers.plan import make_plan
from workers.training import Stops, TrainingResult, train_task_adapter
from workers.work_units import kept_as
from workers.worker import Worker


class TestStates:
    def test_a_run_leaves_evenly_spaced_states(self, job: MakeJob) -> None:
        filled(job())
        plan = make_plan(job())
        task = next(one for one in plan.tasks.values() if one.states)
        assert [state.part for state in task.states] == [1, 2]
        zoo = Path(job().zoo or "")
        weights = [(zoo / key / "adapter" / "adapter.safetensors").read_bytes() for key in kept_as(task)]
        assert len(set(weights)) == 3
        assert read_manifest(zoo / task.states[0].key)["made_from"]["part"] == "1/3"

    def test_keeping_states_leaves_identity_and_weights_of_the_run_as_they_are(self, job: MakeJob) -> None:
        plain = {**KNOBS["task_adapter"], "snapshots": 0}
        knobs = {"head": "own", "recipes": [], "seeds": [0], "sources": ["qaa"]}
        wanted = job(**knobs, selections=["last"], task_adapter=plain)
        filled(wanted)
        (key,) = make_plan(wanted).tasks
        zoo = Path(wanted.zoo or "")
        before = (zoo / key / "adapter" / "adapter.safetensors").read_bytes()
        with_states = job(**knobs, selections=["averaged"])
        task = make_plan(with_states).tasks[key]
        assert task.key == key
        shutil.rmtree(zoo / key)
        filled(with_states)
        assert (zoo / key / "adapter" / "adapter.safetensors").read_bytes() == before

    def test_states_that_are_missing_are_made_again_as_they_were(self, job: MakeJob) -> None:
        plan = make_plan(job())
        worker = Worker(run_context(plan, threads=1))
        for one in plan.tasks.values():
            worker.work(one)
        task = next(one for one in plan.tasks.values() if one.states)
        zoo = Path(job().zoo or "")
        lost = zoo / task.states[1].key
        before = (lost / "adapter" / "adapter.safetensors").read_bytes()
        lost.rename(zoo.parent / "gone")
        Worker(run_context(plan, threads=1)).work(task)
        assert (lost / "adapter" / "adapter.safetensors").read_bytes() == before

    def test_a_state_is_what_a_run_that_ends_there_has_by_the_same_schedule(
        self, tiny_corpora: Path, tiny_encoder_folder: Path
    ) -> None:
        encoder = Encoder(check_encoder(tiny_encoder_folder))
        text = CachedText(encoder, [open_corpora(tiny_corpora).dataset("corner", "qaa", "train")], language=None)
        recipe, labels = TaskAdapterRecipe(epochs=2, batch=16, reduction=4), ("corner", "none")
        kept: dict[int, dict[str, torch.Tensor]] = {}

        class EndedError(Exception): ...

        def train(name: str, keep: Callable[[int, TrainingResult], None]) -> None:
            train_task_adapter(
                encoder, name, text, recipe, labels=labels, seed=3, stops=lambda head: Stops(4, (1, 2, 3), keep)
            )

        def copied(part: int, name: str) -> None:
            kept[part] = {key: value.clone() for key, value in encoder.parameters_of(name).items()}

        def end(part: int, _: TrainingResult) -> None:
            if part == 2:
                raise EndedError

        train("whole", lambda part, _: copied(part, "whole"))
        with pytest.raises(EndedError):
            train("short", end)
        ended = encoder.parameters_of("short")
        assert all(torch.equal(ended[key], value) for key, value in kept[2].items())
        assert not all(torch.equal(ended[key], value) for key, value in kept[3].items())

    def test_a_language_adapter_leaves_states_too(self, tiny_corpora: Path, tiny_encoder_folder: Path) -> None:
        encoder = Encoder(check_encoder(tiny_encoder_folder))
        text = open_corpora(tiny_corpora).text("qaa")
        assert text is not None
        seen: list[int] = []
        recipe = LanguageAdapterRecipe(steps=4, tokens=256, length=32)
        stops = Stops(4, (1, 2, 3), lambda part, _: seen.append(part))
        train_language_adapter(encoder, "qaa", text.sentences, recipe, stops=stops)
        assert seen == [1, 2, 3]

    def test_a_job_keeps_the_states_it_asks_for_of_language_adapters_too(self, job: MakeJob) -> None:
        language = {"steps": 4, "tokens": 256, "length": 32, "snapshots": 2}
        wanted = job(language_adapter=language, selections=["last"], recipes=[], seeds=[0], head="own")
        done, _ = filled(wanted)
        assert done.failed == 0
        plan, zoo = make_plan(wanted), Zoo(wanted.zoo or "")
        kept = [key for learner in plan.languages.values() for key in kept_as(learner)]
        assert len(kept) == 2 * len(plan.languages)
        assert all(zoo.has(key) for key in kept)

    def test_a_run_shorter_than_its_parts_keeps_each_all_the_same(self) -> None:
        assert Stops(10, range(1, 10), lambda part, _: None).by_step(3) == {1: [1, 2, 3, 4], 2: [5, 6, 7, 8], 3: [9]}


@pytest.mark.parametrize(("method", "knobs"), [("lora", {"epochs": 1, "rank": 2}), ("full", {"epochs": 1})])
def test_every_method_leaves_states_and_selections(
    tiny_corpora: Path, tiny_encoder_folder: Path, tmp_path: Path, method: str, knobs: dict[str, Any]
) -> None:
    selections = ["last", "source_dev", "averaged", "run_averaged(2, averaged)"]
    values = {"language_adapter": "none", "head": "shared", "selections": selections, "sources": ["qaa"]}
    recipe = {"method": method, method: {**knobs, "snapshots": 3}}
    wanted = Job.model_validate(
        {**PLAIN, "encoder": {"name": str(tiny_encoder_folder)}, "corpora": tiny_corpora, **values, **recipe}
    ).relative_to(tmp_path)
    done, matrices = filled(wanted)
    assert done.failed == 0
    (cells,) = matrices.values()
    assert {cell.selection for cell in cells} == set(selections)
    assert {cell.method for cell in cells} == {method}
