"""A job worked out: which adapters it needs, which cells it fills, and the identity of each, before anything runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from adapters_zoo.precision import Precision, best_precision
from adapters_zoo.sources import EncoderFiles, locate_encoder
from matrices.cells import Fact, cell_ids
from matrices.items import Items
from workers.cell_specs import CellSpec, CellSpecs
from workers.corpora import open_corpora
from workers.corpora.checks import check
from workers.job import Job
from workers.job_data import JobData
from workers.job_settings import EncoderReference
from workers.learners import Learners, PlanError, reference
from workers.matrix_names import matrix_name
from workers.tasks import task_of
from workers.work_units import (
    Column,
    DataReference,
    DevScores,
    FewShot,
    LanguageAdapter,
    Learner,
    MergedAdapter,
    PlannedCell,
    Selected,
    Shift,
    TaskAdapter,
)


@dataclass(frozen=True, slots=True)
class Plan:
    """A job's learners and columns.

    ``items`` are those of every target, by matrix and target; ``pretrained`` are the languages that the job or the
    encoder's card says it was pretrained on; ``notes`` are sentences for people: what is left out or stands in, why.
    """

    job: Job
    encoder: EncoderFiles
    precision: Precision
    languages: dict[str, LanguageAdapter]
    shifts: dict[str, Shift]
    tasks: dict[str, TaskAdapter]
    merged: dict[str, MergedAdapter]
    few_shots: dict[str, FewShot]
    scores: dict[str, DevScores]
    selected: dict[str, Selected]
    columns: tuple[Column, ...]
    items: dict[str, dict[str, Items]]
    pretrained: tuple[str, ...] | None
    notes: tuple[str, ...]

    def learners(self) -> Iterator[Learner]:
        """All that is trained, and what is derived from it: each behind what it stands on."""
        for learners in (
            *(self.languages, self.merged, self.shifts, self.tasks),
            *(self.few_shots, self.scores, self.selected),
        ):
            yield from learners.values()

    def cells(self) -> Iterator[PlannedCell]:
        """Every cell of every column."""
        for column in self.columns:
            yield from column.cells


def make_plan(job: Job, *, folder: Path = Path()) -> Plan:
    """Read and check the corpora and work out adapters and cells.

    Raises ``PlanError``, ``CorpusError`` or ``EncoderError`` before any training starts.
    """
    return _Planner(job, folder).plan()


def _moving(named: EncoderReference, files: EncoderFiles) -> list[str]:
    """What a branch or tag of a hub's repository stood for, where one was named: it may stand for another tomorrow."""
    if files.revision in (None, named.revision):
        return []
    return [
        f"encoder {files.name} at {named.revision} is commit {files.revision}; `revision: {files.revision}` keeps it"
    ]


class _Planner:
    """The state of making one plan. Of a dataset only its facts are kept."""

    def __init__(self, job: Job, folder: Path) -> None:
        self.job = job
        self.corpora = open_corpora(job.corpora)
        self.encoder = locate_encoder(job.encoder.name, job.encoder.revision, relative_to=folder)
        self.precision: Precision = best_precision() if job.precision == "auto" else job.precision
        self.learners = Learners(job, self.corpora, self.encoder, self.precision)
        self.items: dict[str, dict[str, Items]] = {}
        self.notes = _moving(job.encoder, self.encoder)
        self.data = JobData(job, self.corpora, self.notes)
        self.specs = CellSpecs(job, self.learners, self.data, self.notes)

    def plan(self) -> Plan:
        layers, leave_out = self.encoder.layers, self.job.task_recipe.leave_out
        if leave_out >= layers:
            key = "task_adapter" if self.job.method == "bottleneck" else self.job.method
            what = f"`{key}.leave_out`: {leave_out} of {layers} layers"
            raise PlanError(f"{what} leaves none; at most {layers - 1}")
        columns = tuple(column for task in self.job.tasks for column in self._columns(task))
        return Plan(
            self.job,
            self.encoder,
            self.precision,
            self.learners.languages,
            self.learners.shifts,
            self.learners.tasks,
            self.learners.merged,
            self.learners.few_shots,
            self.learners.scores,
            self.learners.selected,
            columns,
            self.items,
            self.job.encoder.languages or self.encoder.languages,
            tuple(dict.fromkeys([*self.learners.notes, *self.notes])),
        )

    def _columns(self, task: str) -> Iterator[Column]:
        evaluation = self.job.evaluation
        train = self.data.facts(task, self.job.pivots or self.job.sources, "train", self.job.task_recipe.max_items)
        targets = self.data.facts(task, self.job.targets, evaluation.split, evaluation.max_items)
        if not targets:
            raise PlanError(self.data.nothing(task, evaluation.split))
        without = [code for code in self.job.pivots or () if code not in train]
        if without:
            raise PlanError(f"`pivots`: {', '.join(without)} have no train data for {task}; leave them out")
        if not train:
            raise PlanError(self.data.nothing(task, "train"))
        check([*train.values(), *targets.values()], self.job.min_items)
        for recipe in self.job.task_recipes:
            matrix = matrix_name(self.job, self.encoder, self.precision, task, train, recipe)
            specs_of = self.specs.of_matrix(train, recipe)
            for target, facts in targets.items():
                if self.job.cells is not None and not self.job.cells.get(target):
                    continue
                data = reference(facts)
                self.items.setdefault(matrix, {})[target] = facts.named.first(data.limit)
                cells = self._cells(matrix, data, specs_of(target))
                yield Column(matrix, task, target, task_of(facts.kind).metric, data, cells)

    def _cells(self, matrix: str, data: DataReference, specs: Iterable[CellSpec]) -> tuple[PlannedCell, ...]:
        shared: dict[str, Fact] = {
            # A constant answer depends on no recipe, yet every matrix needs its own cell of it.
            "matrix": matrix,
            "encoder": self.encoder.digest,
            "precision": self.precision,
            "kind": self.job.kind,
            "task": data.task,
            "target": data.language,
            "data": data.digest,
            "items": data.items,
            "split": data.split,
        }
        differing = ("composition", "source", "seed", "task_adapter", "selection")
        frozen = cell_ids(shared, *differing, "language_adapter")
        shifted = cell_ids(shared, *differing, "shift")
        return tuple(
            PlannedCell(
                identify(spec.composition, spec.source, spec.seed, spec.task_adapter, spec.selection, below),
                **spec._asdict(),
                language_seed=self.learners.language_seed(spec.language_adapter, spec.shift),
            )
            for spec in specs
            for identify, below in [(shifted, spec.shift) if spec.shift else (frozen, spec.language_adapter)]
        )
