"""What the work outstanding is likely to take: workers, time, hours of GPUs, and room on disk. Rough, and said so."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from adapters_zoo.precision import product_rate
from adapters_zoo.recipes import LanguageAdapterRecipe, LowRankRecipe, TaskAdapterRecipe, TaskRecipe, TunedRecipe
from adapters_zoo.sources import EncoderFiles
from workers.cluster import Crew, crew_for, must_have_gpus
from workers.pending import Work
from workers.plan import Plan
from workers.schedule import cost
from workers.work_units import DevScores, LanguageAdapter, Learner, Shift, WorkUnit, kept_as

_SHARE_OF_PEAK = 0.5
"""What training and evaluation of small adapters reach of a plain matrix product's rate."""
_NUMBER = 4
"""Bytes of a weight that is kept."""
_DIFFERENCE = 2
"""Bytes of a weight of which the difference from the encoder's own is kept."""
_BESIDE = 2_500
"""Bytes of what is kept beside the weights of an adapter: its configuration and manifest."""
_COMMIT, _CELL, _ITEM = 20_000, 300, 1
"""Bytes in the store: of a commit, which is a column's, of a cell, and of an item's outcome."""


@dataclass(frozen=True, slots=True)
class CostEstimate:
    """``seconds`` and ``gpu_hours``, those that workers reserve, are None where no GPU is at hand to be measured.

    ``adapters`` and ``cells`` are bytes that zoo and store grow by.
    """

    crew: Crew
    seconds: float | None
    adapters: int
    cells: int

    @property
    def gpu_hours(self) -> float | None:
        """Hours of whole GPUs; 0 where workers reserve none."""
        gpus = self.crew.workers * self.crew.gpus
        return 0.0 if not gpus else None if self.seconds is None else gpus * self.seconds / 3600


def forecast(plan: Plan, work: Work, resources: Sequence[Mapping[str, float]]) -> CostEstimate:
    """On machines with these resources (``CPU``, ``GPU``). Raises ``NoGpuError`` where they lack a worker's GPUs."""
    if work.columns:
        must_have_gpus(resources, plan.job.gpus_per_worker)
    crew = crew_for(resources, plan.job.workers, plan.job.gpus_per_worker)
    return CostEstimate(
        crew=crew,
        seconds=_seconds(plan, work, crew),
        adapters=sum(len(kept_as(learner)) * _bytes(learner, plan.encoder) for learner in work.adapters),
        cells=sum(_COMMIT + len(column.cells) * (_CELL + _ITEM * column.data.items) for column in work.columns),
    )


def _seconds(plan: Plan, work: Work, crew: Crew) -> float | None:
    """The arithmetic outstanding, at a share of the matrix products a second that are measured here."""
    tokens = sum(_tokens(unit, plan) for unit in [*work.adapters, *work.columns])
    operations = tokens * 24.0 * plan.encoder.layers * plan.encoder.width**2
    if not crew.gpus:
        processors, rate = crew.workers * crew.threads / (os.cpu_count() or 1), product_rate(plan.precision)
    elif torch.cuda.is_available():
        processors, rate = crew.workers * crew.gpus, product_rate(plan.precision, "cuda")
    else:
        return None
    return operations / (_SHARE_OF_PEAK * processors * rate)


def _tokens(unit: WorkUnit, plan: Plan) -> float:
    """What a unit costs, in tokens that pass all layers once forward.

    Of what a task adapter reads, the layers below it are computed once a text and kept, which is not counted.
    """
    if isinstance(unit, LanguageAdapter | Shift):
        return cost(unit)
    return cost(unit) * (1 - plan.job.task_recipe.leave_out / plan.encoder.layers)


def _bytes(learner: Learner, encoder: EncoderFiles) -> int:
    """What one state of a learner takes in the zoo."""
    if isinstance(learner, DevScores):
        return _BESIDE
    if isinstance(learner, Shift):
        return _BESIDE + _NUMBER * encoder.parameters
    number = _DIFFERENCE if isinstance(learner.recipe, TunedRecipe) else _NUMBER
    return _BESIDE + number * int(_weights(learner.recipe, encoder))


def _weights(recipe: LanguageAdapterRecipe | TaskRecipe, encoder: EncoderFiles) -> float:
    """How many an adapter has, less biases; its head, of a few labels, not counted."""
    width, layers = encoder.width, encoder.layers
    match recipe:
        case LanguageAdapterRecipe():
            # Two matrices a layer, and of the invertible one two blocks of half the width, halved again between.
            return layers * 2 * width**2 / recipe.reduction + 2 * 2 * (width / 2) * (width / 4)
        case TaskAdapterRecipe():
            return (layers - recipe.leave_out) * 2 * width**2 / recipe.reduction
        case LowRankRecipe():
            return (layers - recipe.leave_out) * 2 * 2 * width * recipe.rank
        case _:
            return (layers - recipe.leave_out) * encoder.layer_parameters / layers
