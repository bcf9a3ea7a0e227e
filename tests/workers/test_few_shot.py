"""Few-shot runs from end to end: what they read, what they go on from, and where their cells stand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError

from adapters_zoo.backbone import Encoder
from adapters_zoo.heads import Head
from adapters_zoo.recipes import FewShotRecipe, TaskAdapterRecipe
from adapters_zoo.sources import check_encoder
from matrices.cells import BASELINE, from_table
from matrices.store import Store
from matrices.view import view
from workers.corpora import open_corpora
from workers.driver import run, run_context
from workers.fitting import items_of
from workers.hidden_states import CachedText
from workers.job import Job
from workers.pending import pending
from workers.plan import make_plan
from workers.pool import InlinePool
from workers.training import train_few_shot
from workers.work_units import Lesson
from workers.worker import Worker

KNOBS: dict[str, Any] = {
    "language_adapter": "none",
    "sources": ["qaa"],
    "targets": ["qac", "qad"],
    "shots": [0, 2, 8],
    "few_shot": {"steps": 4},
}
MakeJob = Callable[..., Job]


@pytest.fixture
def job(tiny_corpora: Path, tiny_encoder_folder: Path, job_of: MakeJob) -> MakeJob:
    return lambda **knobs: job_of(tiny_corpora, tiny_encoder_folder, **{**KNOBS, **knobs})


def filled(job: Job) -> Store:
    plan, store = make_plan(job), Store.open(job.store, create=True)
    context = run_context(plan, threads=1)
    assert run(plan, pending(plan, store), store, InlinePool(context), context).failed == 0
    return store


def test_shots_stand_beside_zero_shot_in_one_matrix_and_are_not_mixed_with_it(job: MakeJob) -> None:
    store = filled(job())
    (info,) = store.matrices()
    cells = from_table(store.cells(info.matrix))
    of_source = {(cell.target, cell.shots, cell.seed) for cell in cells if cell.source == "qaa"}
    assert of_source == {(target, shots, seed) for target in ("qac", "qad") for shots in (0, 2, 8) for seed in (0, 1)}
    alone = {(cell.shots, cell.seed) for cell in cells if cell.source is None and cell.target == "qac" and cell.shots}
    assert alone == {(2, 0), (2, 1), (8, 0), (8, 1)}
    assert {cell.composition for cell in cells if cell.source is None} == {BASELINE}
    shown = view(store.cells(info.matrix))
    zero = {(cell.target, cell.seed): cell.score for cell in cells if cell.source == "qaa" and not cell.shots}
    assert shown.scores[0, 0].tolist() == [zero["qac", 0], zero["qac", 1]]


@pytest.mark.parametrize("method", ["lora", "full"])
def test_every_method_learns_on(job_of: MakeJob, tiny_corpora: Path, tiny_encoder_folder: Path, method: str) -> None:
    knobs = {**KNOBS, "seeds": [0], "targets": ["qac"], "shots": [0, 4]}
    base = job_of(tiny_corpora, tiny_encoder_folder, **knobs).model_dump(
        include={"store", "encoder", "corpora", "tasks", "precision", "zoo"}, exclude_none=True
    )
    store = filled(Job.model_validate({**base, **knobs, "method": method, method: {"epochs": 1}}))
    (info,) = store.matrices()
    assert {cell.shots for cell in from_table(store.cells(info.matrix))} == {0, 4}


def test_with_language_adapters_each_language_is_read_over_its_own(job: MakeJob) -> None:
    plan = make_plan(job(language_adapter={"steps": 2, "tokens": 256, "length": 32}, targets=["qac"]))
    run = next(one for one in plan.few_shots.values() if one.start is not None)
    adapters = {one.key: one.language for one in plan.languages.values()}
    assert {lesson.data.language: adapters[lesson.under or ""] for lesson in run.lessons} == {
        "qaa": "qaa",
        "qac": "qac",
    }


def test_several_targets_are_learned_at_once_where_a_job_says_so(job: MakeJob) -> None:
    plan = make_plan(job(few_shot={"mode": "multi", "steps": 4, "baseline": False}))
    runs = plan.few_shots.values()
    assert len(runs) == 4  # Two numbers of shots and two seeds, for both targets.
    assert {tuple(lesson.data.language for lesson in one.lessons) for one in runs} == {("qaa", "qac", "qad")}


def test_fewer_shots_are_among_more_and_each_seed_draws_its_own(tiny_corpora: Path) -> None:
    dataset = open_corpora(tiny_corpora).dataset("corner", "qaa", "train")

    def drawn(shots: int, seed: int) -> set[str]:
        lesson = Lesson(data=None, shots=shots, under=None)  # type: ignore[arg-type]
        return {item.id for item in items_of(dataset, lesson, seed, dataset.labels).items}

    assert len(drawn(8, 0)) == 8
    assert drawn(2, 0) < drawn(8, 0)
    assert drawn(8, 0) != drawn(8, 1)


def test_no_shot_has_a_label_that_the_head_lacks(tiny_corpora: Path) -> None:
    dataset = open_corpora(tiny_corpora).dataset("corner", "qaa", "train")
    lesson = Lesson(data=None, shots=8, under=None)  # type: ignore[arg-type]
    assert items_of(dataset, lesson, 0, ("corner",)).labels == ("corner",)


def test_a_target_with_too_few_items_is_noted_and_gets_none(job: MakeJob) -> None:
    plan = make_plan(job(shots=[0, 65]))
    assert "corner: qac has 64 train items, fewer than 65 shots; it gets none" in plan.notes
    assert not plan.few_shots


def test_a_run_goes_on_from_the_zero_shot_weights(job: MakeJob) -> None:
    plan = make_plan(job(few_shot={"steps": 1, "learning_rate": 1e-12}, targets=["qac"], seeds=[0], shots=[0, 2]))
    worker = Worker(run_context(plan, threads=1))
    for learner in plan.learners():
        worker.work(learner)
    onward = next(one for one in plan.few_shots.values() if one.start is not None)
    assert onward.start is not None
    worker.loaded.need([onward.key, onward.start])
    before, after = (worker.loaded.encoder.parameters_of(key) for key in (onward.start, onward.key))
    for key, weight in before.items():
        torch.testing.assert_close(after[key], weight, atol=1e-9, rtol=0)


def test_a_step_weighs_every_language_alike(tiny_corpora: Path, tiny_encoder_folder: Path) -> None:
    """One language of two items and one of sixty: the loss is the mean of theirs."""
    encoder = Encoder(check_encoder(tiny_encoder_folder))
    corpora = open_corpora(tiny_corpora)
    encoder.add_task_adapter("a", reduction=4)
    head = Head(encoder.hidden_size, ("corner", "none"))
    texts = [
        CachedText(encoder, [corpora.dataset("corner", code, "train").first(first)], language=None, dropout=False)
        for code, first in (("qaa", 60), ("qac", 2))
    ]
    how = FewShotRecipe(steps=1, batch=64, learning_rate=1e-9)

    def loss(*of: CachedText) -> float:
        return train_few_shot(encoder, "a", head, of, how, dropout=False, seed=0).loss

    assert loss(*texts) == pytest.approx((loss(texts[0]) + loss(texts[1])) / 2, rel=1e-5)


@pytest.mark.parametrize(
    ("knobs", "told"),
    [
        ({"shots": [5]}, "lacks 0: what shots add to is zero-shot"),
        ({"shots": [0, 5, 5]}, "stands twice"),
        ({"kind": "interference", "language_adapter": {"steps": 2}}, "goes with `kind: zero_shot` only"),
    ],
)
def test_shots_that_make_no_sense_are_refused(job: MakeJob, knobs: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        job(**knobs)


def test_recipes_other_than_the_first_get_no_shots(job: MakeJob) -> None:
    plan = make_plan(job(recipes=[{"learning_rate": 3e-3}], targets=["qac"]))
    assert {one.recipe for one in plan.few_shots.values()} == {TaskAdapterRecipe(epochs=1, batch=16, reduction=4)}
