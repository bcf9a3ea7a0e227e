"""What a job will take: memory and time of each run, from one step that is measured here."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from workers.othello.board import random_games
from workers.othello.job import LaboratoryJob, Run
from workers.othello.run import languages_of, new_model, opening_of
from workers.othello.training import products_in
from workers.othello.vocabulary import IGNORED, MoveVocabulary

BYTES_A_PARAMETER = 16
"""Weights, gradients and the two moments of AdamW, in fp32."""
_FEW, _MORE = 8, 256
"""Games of the measured step at first, on a CPU and on a GPU: enough to time, on a machine that the job may not fit."""
_QUICK = 0.1
"""Seconds of a step that leave time for one of a whole batch."""
_STEPS = 4
"""Steps measured, the fastest of which counts."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one run of a condition takes. ``flop`` counts 6 a parameter and token, and attention beside it."""

    condition: str
    parameters: int
    tokens: int
    flop: float
    memory: float
    """Bytes of weights, gradients, moments and what a step keeps for its way back."""
    games: float
    """Bytes of games on disk."""
    seconds: float
    """On the device of the measured step, at its speed."""


def costs(job: LaboratoryJob, device: str) -> list[Cost]:
    """The cost of a run of every condition of a job, from a step of a few of its games on ``device``."""
    first = {run.name: run for run in reversed(job.runs())}
    return [_cost(first[name], device) for name in job.conditions]


def hours(costs: Sequence[Cost], job: LaboratoryJob) -> float:
    """All runs of a job, one after another, in hours."""
    return sum(cost.seconds for cost in costs) * len(job.seeds) / 3600


def _cost(run: Run, device: str) -> Cost:
    vocabulary, settings = languages_of(run), run.pretraining
    model = new_model(run, vocabulary).to(device)
    few = min(_FEW if device == "cpu" else _MORE, settings.batch)
    measured = _measured(model, vocabulary, run, few, device)
    if measured.seconds < _QUICK and few < settings.batch:
        # Of a small model a few games take as long as many.
        few = settings.batch
        measured = _measured(model, vocabulary, run, few, device)
    steps = settings.steps * settings.batch + run.finetuning.steps * run.finetuning.batch
    length = measured.length
    forward = 2 * model.parameters_in_all + 2 * run.model.layers * length * run.model.width
    return Cost(
        condition=run.name,
        parameters=model.parameters_in_all,
        tokens=steps * length,
        flop=3.0 * forward * steps * length,
        memory=BYTES_A_PARAMETER * model.parameters_in_all + measured.kept / few * settings.batch,
        games=float(run.games.pretraining * (run.board**2 - 4)),
        seconds=measured.seconds / few * steps,
    )


@dataclass(frozen=True, slots=True)
class _Measured:
    """The fastest of some steps: its seconds, the bytes it kept in between, and the tokens of a game."""

    seconds: float
    kept: int
    length: int


def _measured(model: nn.Module, vocabulary: MoveVocabulary, run: Run, few: int, device: str) -> _Measured:
    rng = np.random.default_rng(run.seed)
    games = random_games(run.board, few, rng, opening=opening_of(run))
    written = vocabulary.write(games, rng.integers(len(run.condition.types), size=few))
    ids = torch.from_numpy(written.ids).to(device)
    targets = torch.from_numpy(vocabulary.targets(written, games, run.condition.output)).to(device)
    fastest, kept = float("inf"), 0
    # The first step pays for what is set up once; any may wait for what else the machine does.
    for _ in range(_STEPS):
        begun = time.perf_counter()
        kept = _step(model, ids, targets, run)
        fastest = min(fastest, time.perf_counter() - begun)
    return _Measured(fastest, kept, ids.shape[1])


def _step(model: nn.Module, ids: Tensor, targets: Tensor, run: Run) -> int:
    """A step there and back; the bytes it kept in between, weights left out."""
    kept: dict[int, int] = {}
    weights = {weight.untyped_storage().data_ptr() for weight in model.parameters()}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        with products_in(ids.device, bf16=run.precision == "bf16"):
            logits = model(ids)
        loss = nn.functional.cross_entropy(logits.flatten(0, 1).float(), targets.flatten(), ignore_index=IGNORED)
    loss.backward()
    if ids.is_cuda:
        torch.cuda.synchronize()
    model.zero_grad()
    return sum(kept.values())
