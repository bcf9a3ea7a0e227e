"""A landscape job under way: runs and measurements that are missing are made, each a file, named by its key.

A job that was broken off and is started again does what is missing; a run that was under way begins anew. Files appear
whole or not at all, and everything is decided by seeds, so the numbers are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from adapters_zoo.backbone import Encoder
from adapters_zoo.combination import State, combined, difference, effect, inner, random_direction, standing
from adapters_zoo.heads import Head
from adapters_zoo.recipes import TaskRecipe
from matrices.export import write_table
from matrices.whole_file import whole_file
from workers.corpora.types import Dataset
from workers.encoding import TOKENS, collate, evaluation_batches
from workers.evaluation import outcomes_of
from workers.hidden_states import CachedText
from workers.landscape.numbers import SCHEMA, LandscapeNumber
from workers.landscape.plan import LandscapePlan, Line, Measurement, Plane, TrainingRun
from workers.landscape.training import AVERAGED, AVERAGED_HALF, LAST, START, States, train_head, train_run
from workers.record_tables import to_table
from workers.tasks.scoring import score

_NAME = "point"


@dataclass(frozen=True, slots=True)
class Reading:
    """``error`` is 1 less the task's metric, None where that is not defined; ``loss`` nats an answer; ``n`` items."""

    error: float | None
    loss: float
    n: int


@dataclass(frozen=True, slots=True)
class Exam:
    """The items that a language is measured by, as the encoder's frozen layers leave them."""

    dataset: Dataset
    text: CachedText


def read_point(encoder: Encoder, recipe: TaskRecipe, state: State, head: Head, tests: list[Exam]) -> list[Reading]:
    """A reading of each of ``tests`` under the weights ``state``, of an adapter that ``recipe`` makes, and ``head``."""
    with standing(encoder, _NAME, recipe, state), torch.inference_mode():
        return [_read(encoder, head, test) for test in tests]


def _read(encoder: Encoder, head: Head, test: Exam) -> Reading:
    encoded, task = test.text.encoded, test.text.encoded.task
    kept: list[Any] = [()] * len(encoded.sequences)
    loss, answers = 0.0, 0
    for indices in evaluation_batches(encoded, TOKENS[encoder.device.type]):
        batch = collate(encoded, indices, encoder.special.pad)
        states = encoder.above(test.text.seam(batch, indices, _NAME), task=_NAME)
        scores = head.over(states, batch.unit_of.to(encoder.device), batch.units)
        # A batch's loss is a mean over what is answered in it: words, texts, or the ends of spans.
        answered = sum(len(sequence.gold) for sequence in batch.sequences)
        loss += answered * float(task.loss(scores, batch, head.labels))
        answers += answered
        start, read = 0, task.read(scores)
        for index, size in zip(indices, batch.sizes, strict=True):
            kept[index] = read[start : start + size]
            start += size
    found = score(outcomes_of(test.dataset, encoded, kept, head.labels))
    return Reading(None if found is None else 1 - found, loss / answers, len(test.dataset.items))


NUMBERS = "numbers.parquet"
"""All numbers of a job, in its folder."""
_TEXTS = 40
"""Texts whose lowest layers are kept at a time, beyond which all are forgotten."""


@dataclass(frozen=True, slots=True)
class LandscapeProgress:
    """How far a job is: lines and surfaces measured, how many there are, and what it is at, in steps of some."""

    done: int
    total: int
    at: str
    steps: tuple[int, int] = (0, 0)


Watch = Callable[[LandscapeProgress], None]


def conduct(plan: LandscapePlan, watch: Watch | None = None) -> pa.Table:
    """Do what is missing of a job; all its numbers, as a table and as ``NUMBERS`` in its folder.

    Raises ``TrainingError`` for a run that diverged, and what data and encoders raise.
    """
    measurements = plan.measurements()
    missing = [one for one in measurements if not _numbers_of(plan, one).is_file()]
    tell = watch or (lambda progress: None)
    conductor = _Conductor(plan) if missing else None
    for measurement in missing:
        done = sum(_numbers_of(plan, one).is_file() for one in measurements)

        def at(what: str, step: int, steps: int, done: int = done) -> None:
            tell(LandscapeProgress(done, len(measurements), what, (step, steps)))

        assert conductor is not None
        numbers = to_table(conductor.numbers(measurement, at), SCHEMA)
        write_table(numbers, _numbers_of(plan, measurement))
    tell(LandscapeProgress(len(measurements), len(measurements), "done"))
    table = pa.concat_tables([pq.read_table(_numbers_of(plan, one), schema=SCHEMA) for one in measurements])
    write_table(table, plan.job.out / NUMBERS)
    return table


def _numbers_of(plan: LandscapePlan, measurement: Measurement) -> Path:
    return plan.job.out / "measured" / f"{measurement.key}.parquet"


class _Conductor:
    """Trains and measures with one encoder, which it keeps."""

    def __init__(self, plan: LandscapePlan) -> None:
        self.plan, self.job, self.recipe = plan, plan.job, plan.job.task_recipe
        self.encoder = Encoder(plan.encoder, precision=plan.precision)
        self._texts: dict[tuple[str, str], CachedText] = {}

    def numbers(self, measurement: Measurement, at: Callable[[str, int, int], None]) -> list[LandscapeNumber]:
        """All numbers of a line or a surface; what it needs is trained first."""
        if isinstance(measurement, Plane):
            return [*self._on_plane(measurement, at)]
        return [*self._on_line(measurement, at)]

    def _on_line(self, line: Line, at: Callable[[str, int, int], None]) -> Iterator[LandscapeNumber]:
        states, end = self._states(line.start, at), self._states(line.end, at)[LAST]
        start, head = states[LAST], self._head(line.start, at)
        for number, alpha in enumerate(self.job.alphas, start=1):
            point = combined([(start, 1 - alpha), (end, alpha)])
            yield from self._read(line, point, head, "line", alpha=alpha)
            at(f"{line.start.source} to {line.end.beside}, seed {line.start.seed}", number, len(self.job.alphas))
        effects = {name: effect(state, self.recipe) for name, state in states.items()}
        way = difference(effect(end, self.recipe), effects[LAST])
        length = inner(way, way) ** 0.5
        yield self._number(line, "line", "distance", length)
        for name in (AVERAGED, AVERAGED_HALF, START):
            there = difference(effects[name], effects[LAST])
            product, far = inner(there, way), inner(there, there) ** 0.5
            yield self._number(line, name, "along", product / length**2 if length else None)
            yield self._number(line, name, "cosine", product / (far * length) if far * length else None)
            if line.end.beside == line.start.source and name != START:
                yield from self._read(line, states[name], head, name)

    def _on_plane(self, plane: Plane, at: Callable[[str, int, int], None]) -> Iterator[LandscapeNumber]:
        surface, head = plane.surface, self._head(plane.start, at)
        start, end = self._states(plane.start, at)[LAST], self._states(plane.end, at)[LAST]
        if plane.other is not None:
            third: State = self._states(plane.other, at)[LAST]
        else:
            drawn = random_direction(difference(end, start), surface.seed)
            third = {name: weight + drawn[name] for name, weight in start.items()}
        points = [(alpha, beta) for beta in surface.across for alpha in surface.along]
        for number, (alpha, beta) in enumerate(points, start=1):
            point = combined([(start, 1 - alpha - beta), (end, alpha), (third, beta)])
            yield from self._read(plane, point, head, "surface", alpha=alpha, beta=beta, axis=surface.axis)
            at(f"surface of {surface.source} to {surface.target} by {surface.axis}", number, len(points))

    def _read(
        self, measurement: Measurement, state: State, head: Head, point: str, **where: object
    ) -> Iterator[LandscapeNumber]:
        tests = [self._test(code) for code in measurement.languages]
        readings = read_point(self.encoder, self.recipe, state, head, tests)
        for code, reading in zip(measurement.languages, readings, strict=True):
            yield from self._told(measurement, code, reading, point, where)

    def _told(
        self, measurement: Measurement, language: str, reading: Reading, point: str, where: dict[str, object]
    ) -> Iterator[LandscapeNumber]:
        more = {"language": language, "n": reading.n, **where}
        yield self._number(measurement, point, "error", reading.error, **more)
        yield self._number(measurement, point, "loss", reading.loss, **more)

    def _number(
        self, measurement: Measurement, point: str, measure: str, value: float | None, **more: object
    ) -> LandscapeNumber:
        start, end = measurement.start, measurement.end
        of_the_run = point in (AVERAGED, AVERAGED_HALF) and measure in ("error", "loss")
        return LandscapeNumber(
            method=self.job.method,
            source=start.source,
            toward=None if of_the_run else end.beside,
            seed=start.seed,
            point=point,
            measure=measure,
            value=value,
            **more,  # type: ignore[arg-type]
        )

    def _states(self, run: TrainingRun, at: Callable[[str, int, int], None]) -> States:
        """The states of a run: read, or trained."""
        kept = self.job.out / "runs" / f"{run.key}.safetensors"
        if not kept.is_file():
            head = self._head(run, at)
            beside = f" and {run.beside}" if run.beside else ""
            states = train_run(
                self.encoder,
                self.recipe,
                self._text(run.source, "train"),
                self._text(run.beside, "train") if run.beside else None,
                head,
                run.seed,
                snapshots=1 if run.beside else self.job.snapshots,
                tick=lambda step, steps: at(f"training {run.source}{beside}, seed {run.seed}", step, steps),
            )
            flat = {f"{name}/{key}": weight for name, state in states.items() for key, weight in state.items()}
            with whole_file(kept) as temporary:
                # Of two snapshots the mean of the later half is the last itself, and a file holds no tensor twice.
                save_file({key: weight.contiguous().clone() for key, weight in flat.items()}, temporary)
        return _by_state(load_file(kept))

    def _head(self, run: TrainingRun, at: Callable[[str, int, int], None]) -> Head:
        """The head of a run's source: read, or trained."""
        kept = self.job.out / "heads" / f"{run.head}.safetensors"
        if not kept.is_file():
            text, labels = self._text(run.source, "train"), self.plan.labels
            tick = lambda step, steps: at(f"training the head of {run.source}", step, steps)  # noqa: E731
            head = train_head(self.encoder, self.recipe, text, labels, self.job.head_seed, tick)
            with whole_file(kept) as temporary:
                save_file({key: weight.contiguous() for key, weight in head.state_dict().items()}, temporary)
        head = Head(self.encoder.hidden_size, self.plan.labels, self.recipe.pool)
        head.load_state_dict(load_file(kept))
        return head.to(self.encoder.device).requires_grad_(False).eval()

    def _test(self, language: str) -> Exam:
        return Exam(self.plan.tests[language], self._text(language, "test"))

    def _text(self, language: str, use: str) -> CachedText:
        if (language, use) not in self._texts:
            if len(self._texts) >= _TEXTS:
                self._texts.clear()
            dataset = (self.plan.train if use == "train" else self.plan.tests)[language]
            dropout = self.recipe.dropout and use == "train"
            self._texts[language, use] = CachedText(self.encoder, [dataset], language=None, dropout=dropout)
        return self._texts[language, use]


def _by_state(flat: dict[str, Tensor]) -> States:
    states: States = {}
    for key, weight in flat.items():
        name, _, parameter = key.partition("/")
        states.setdefault(name, {})[parameter] = weight
    return states
