"""Plans of merged language adapters: whose they are the mean of, and that a target then needs no text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError

from adapters_zoo.backbone import Encoder
from adapters_zoo.sources import check_encoder
from adapters_zoo.zoo import Zoo
from matrices.likeness.similarity import kernel
from workers.driver import run_context
from workers.job import Job
from workers.plan import Plan, make_plan
from workers.worker import Worker

Plans = Callable[..., Plan]
MERGE: dict[str, Any] = {"compositions": ["merge"], "targets": ["hau"], "seeds": [0]}


def weights_of(plan: Plan) -> dict[str, float]:
    """By language, of the one merged adapter that there is."""
    [merged] = plan.merged.values()
    return {plan.languages[key].language: weight for key, weight in merged.parts}


def test_a_target_without_text_has_a_mean_of_others_by_how_alike_they_are(plans: Plans) -> None:
    plan = plans(**MERGE, merging={"among": ["eng", "deu", "yor"], "top": 2})
    alike = dict(zip(("eng", "deu", "yor"), kernel(["hau"], ["eng", "deu", "yor"])[0], strict=True))
    nearest = sorted(alike, key=lambda code: -alike[code])[:2]
    total = sum(alike[code] for code in nearest)
    assert weights_of(plan) == pytest.approx({code: alike[code] / total for code in nearest}, abs=1e-3)
    assert not any("hau" in note for note in plan.notes)
    assert {adapter.language for adapter in plan.languages.values()} == {"eng", "deu", "yor"}


def test_stated_weights_are_taken_for_their_target(plans: Plans) -> None:
    plan = plans(**MERGE, merging={"weights": {"hau": {"eng": 3, "deu": 1}}})
    assert weights_of(plan) == {"eng": 0.75, "deu": 0.25}


def test_a_target_is_never_merged_of_itself(plans: Plans) -> None:
    plan = plans(**{**MERGE, "targets": ["eng"]})
    assert weights_of(plan) == {"deu": 1.0}


def test_task_adapters_are_those_of_a_stack(plans: Plans) -> None:
    both = plans(**{**MERGE, "compositions": ["stack", "merge"], "targets": ["yor"]})
    cells = {cell.composition: cell for cell in both.cells() if cell.source == "eng"}
    assert cells["merge"].task_adapter == cells["stack"].task_adapter
    assert cells["merge"].language_adapter in both.merged
    assert cells["stack"].language_adapter in both.languages
    assert cells["merge"].language_seed == 0


def test_other_weights_make_another_matrix(plans: Plans) -> None:
    names = {
        plans(**MERGE, merging={"top": top, "among": ["eng", "deu", "yor"]}).columns[0].matrix for top in (1, 2, 2)
    }
    assert len(names) == 2


def test_merging_without_language_adapters_is_refused(plans: Plans) -> None:
    with pytest.raises(ValidationError, match="merge needs language adapters"):
        plans(**MERGE, language_adapter="none")


def test_a_merged_adapter_is_the_weighted_mean_and_is_measured(
    tiny_corpora: Path, tiny_encoder_folder: Path, job_of: Callable[..., Job]
) -> None:
    job = job_of(
        tiny_corpora,
        tiny_encoder_folder,
        targets=["qac"],
        seeds=[0],
        compositions=["stack", "merge"],
        merging={"weights": {"qac": {"qaa": 3, "qab": 1}}},
    )
    plan = make_plan(job)
    worker = Worker(run_context(plan, threads=1))
    for learner in plan.learners():
        worker.work(learner)
    assert job.zoo is not None
    zoo, encoder = Zoo(job.zoo), Encoder(check_encoder(tiny_encoder_folder))
    [merged] = plan.merged.values()
    for key in [merged.key, *(key for key, _ in merged.parts)]:
        zoo.load(encoder, key, key)
    parts = [(encoder.parameters_of(key), weight) for key, weight in merged.parts]
    found = encoder.parameters_of(merged.key)
    assert any("invertible" in name for name in found)
    for name, tensor in found.items():
        torch.testing.assert_close(tensor, 0.75 * parts[0][0][name] + 0.25 * parts[1][0][name])
    (column,) = plan.columns
    cells = {(cell.composition, cell.source): cell for cell in worker.work(column)}
    assert {cell.status for cell in cells.values()} == {"ok"}
    assert cells["merge", "qaa"].correct != cells["stack", "qaa"].correct
