"""A job worked out: which adapters it needs, which cells it fills, and the identity of each, before anything runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import NamedTuple

from adapters_zoo.precision import Precision, best_precision
from adapters_zoo.recipes import TaskRecipe
from adapters_zoo.sources import EncoderFiles, locate_encoder
from matrices.cells import BASELINE, SEPARATOR, Fact, cell_ids
from matrices.items import Items
from matrices.selections import LAST, is_oracle, parse
from workers.corpora import open_corpora
from workers.corpora.checks import Facts, check
from workers.job import Job
from workers.job_data import JobData
from workers.job_settings import EncoderReference
from workers.learners import Learners, PlanError, reference
from workers.matrix_names import matrix_name
from workers.selecting import groups
from workers.tasks import task_of
from workers.work_units import (
    Column,
    DataReference,
    DevScores,
    FewShot,
    LanguageAdapter,
    Learner,
    Lesson,
    MergedAdapter,
    PlannedCell,
    Selected,
    Shift,
    TaskAdapter,
    kept_as,
)

STACK, ALONE, MERGE, MULTI, FUSE = "stack", "alone", "merge", "multi", "fuse"


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


def shift_of(steps: int) -> str:
    """The composition of cells whose encoder took so many steps: each budget is one of its own."""
    return f"shift-{steps}"


class _Row(NamedTuple):
    """What tells the cells of a column apart: fields of ``PlannedCell``."""

    composition: str
    source: str | None
    seed: int
    task_adapter: str | None = None
    language_adapter: str | None = None
    shift: str | None = None
    selection: str = LAST
    shots: int = 0


_RowsOf = Callable[[str], list[_Row]]
"""The rows of a target's column."""


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
            rows_of = self._zero_shot(train, recipe) if self.job.kind == "zero_shot" else self._interference(train)
            for target, facts in targets.items():
                if self.job.cells is not None and not self.job.cells.get(target):
                    continue
                data = reference(facts)
                self.items.setdefault(matrix, {})[target] = facts.named.first(data.limit)
                cells = self._cells(matrix, data, self._asked_for(target, rows_of(target)))
                yield Column(matrix, task, target, task_of(facts.kind).metric, data, cells)

    def _asked_for(self, target: str, rows: Sequence[_Row]) -> Iterable[_Row]:
        """The baselines of a target, and the rows of the sources that the job pairs with it; all if none."""
        if self.job.cells is None:
            return rows
        asked = self.job.cells[target]
        return [row for row in rows if row.source is None or set(row.source.split(SEPARATOR)).issubset(asked)]

    def _zero_shot(self, train: Mapping[str, Facts], recipe: TaskRecipe) -> _RowsOf:
        def weights(of: str | None) -> dict[tuple[str, str, str], list[tuple[int, str]]]:
            """By source, composition and selection: of the oracle for a target, or of all others, for any target."""
            return {
                (source, composition, selection): [*self._weights(selection, facts, composition, recipe, of or source)]
                for source, facts in train.items()
                for composition in self._of_one()
                for selection in self.job.selections
                if is_oracle(selection) == (of is not None)
            }

        deployable = weights(None)
        of_sets = [*self._of_sets(train, recipe)]

        def rows(target: str) -> list[_Row]:
            across = [
                _Row(composition, source, seed, adapter, self._below(composition, target, seed), selection=selection)
                for (source, composition, selection), runs in {**deployable, **weights(target)}.items()
                for seed, adapter in runs
            ]
            shots = self._few_shot(train, recipe, target) if recipe == self.job.task_recipe else ()
            together = (row for members, row in of_sets if target not in members)
            return [_Row(BASELINE, None, 0), *across, *shots, *together]

        return rows

    def _of_sets(self, train: Mapping[str, Facts], recipe: TaskRecipe) -> Iterator[tuple[tuple[str, ...], _Row]]:
        """Rows of task adapters of several sources, each with its sources; of the runs' ends alone.

        One that learns from all of them, and a fusion of those of each of them, read the same items: all together as
        many as the recipe reads of one source, or as the largest of them has, by equal shares.
        """
        fusion = self.job.fusion.of(recipe).model_copy(update={"snapshots": 0})
        for members in self.job.sets:
            if absent := [code for code in members if code not in train]:
                self.notes.append(f"{SEPARATOR.join(members)}: no train data for {', '.join(absent)}; left out")
                continue
            budget = recipe.max_items or max(train[code].items for code in members)
            share = max(1, budget // len(members))
            parts = [replace(train[code], limit=share) for code in members]
            for composition, seed in product(self.job.compositions, self.job.seeds):
                if composition == MULTI:
                    adapter = self.learners.task(parts, None, seed, recipe)
                elif composition == FUSE:
                    fused = [self._run(train[code], ALONE, recipe, seed) for code in members]
                    adapter = self.learners.task(parts, None, seed, fusion, fused=fused)
                else:
                    continue
                yield members, _Row(composition, SEPARATOR.join(members), seed, adapter.key)

    def _few_shot(self, train: Mapping[str, Facts], recipe: TaskRecipe, target: str) -> Iterator[_Row]:
        """Rows of what learned from labelled items of the target too: from each source's weights, and from none."""
        how, numbers = self.job.few_shot, [number for number in self.job.shots if number]
        task = next(iter(train.values())).task
        pools = self.data.shot_pools(task, (target,) if how.mode == "bi" else self.job.targets) if numbers else {}
        ways = [composition for composition in self.job.compositions if composition in (ALONE, STACK)]
        if target not in pools:
            return
        for composition, number, seed in product(ways, numbers, self.job.seeds):
            under = self._below(composition, target, seed)
            drawn = [
                Lesson(reference(facts), number, self._below(composition, code, seed)) for code, facts in pools.items()
            ]
            for source, facts in train.items():
                own = Lesson(reference(facts), None, self._below(composition, source, seed))
                others = [lesson for lesson in drawn if lesson.data.language != source]
                if source != target:
                    start = self._run(facts, composition, recipe, seed)
                    run = self.learners.few_shot([own, *others], start, recipe, how, seed)
                    yield _Row(composition, source, seed, run.key, under, shots=number)
            if how.baseline and composition == ways[0]:
                alone = [lesson for lesson in drawn if lesson.data.language == target]
                run = self.learners.few_shot(alone, None, recipe, how, seed)
                yield _Row(BASELINE, None, seed, run.key, under, shots=number)

    def _of_one(self) -> list[str]:
        """The compositions of a single source."""
        return [composition for composition in self.job.compositions if composition not in (MULTI, FUSE)]

    def _below(self, composition: str, code: str, seed: int) -> str | None:
        """The language adapter that a task adapter stands on in a composition."""
        if composition == MERGE:
            return self.learners.merge(code, seed).key
        return self.learners.language(code, seed).key if composition == STACK else None

    def _weights(
        self, selection: str, facts: Facts, composition: str, recipe: TaskRecipe, target: str
    ) -> Iterator[tuple[int, str]]:
        """The seed and key of what a selection takes of a source's runs, for each group of runs it can take it of.

        No two groups share a run, so that what they score is independent. A selection of several runs is one of all
        recipes, and stands in the matrix of the first.
        """
        rule = parse(selection)
        recipes = (recipe,) if rule.runs == 1 else self.job.task_recipes
        if rule.runs > 1 and recipe != recipes[0]:
            return
        for seed, group in groups(self.job.seeds, recipes, rule.runs):
            runs = [self._run(facts, composition, run_group, of_seed) for of_seed, run_group in group]
            if not rule.needs_scores:
                yield seed, runs[0].key
                continue
            judge = self.data.dev(facts.task, target if rule.is_oracle else facts.language)
            if judge is None:
                continue
            # On its own dev split a source has its own adapter beneath, whatever its targets have.
            with_own = STACK if composition == MERGE and not rule.is_oracle else composition
            over = self._below(with_own, judge.language, seed)
            scores = [self.learners.dev_scores(kept_as(run), [reference(judge)], over) for run in runs]
            yield seed, self.learners.select(selection, runs, scores).key

    def _run(self, facts: Facts, composition: str, recipe: TaskRecipe, seed: int) -> TaskAdapter:
        """A run on a source: under a head of its own, or under that which the first of its runs learned."""
        stacked = composition in (STACK, MERGE)
        under = self.learners.language(facts.language, seed) if stacked else None
        if self.job.head == "own":
            return self.learners.task([facts], under, seed, recipe)
        first, whole = self.job.seeds[0], self.job.task_recipe.model_copy(update={"snapshots": 0})
        below = self.learners.language(facts.language, first) if stacked else None
        return self.learners.task([facts], under, seed, recipe, self.learners.task([facts], below, first, whole))

    def _interference(self, pivots: Mapping[str, Facts]) -> _RowsOf:
        """Rows of a task adapter of the pivots, which it reads in the order of their codes, not of the job's list."""
        in_order = [facts for _, facts in sorted(pivots.items())]
        adapters = [(seed, self.learners.task(in_order, None, seed).key) for seed in self.job.seeds]
        alone = [_Row(BASELINE, None, seed, adapter) for seed, adapter in adapters]
        changed = [
            _Row(composition, source, seed, adapter, language, shift)
            for source in self.job.sources
            for of_all_seeds in zip(*(self._added(source, seed) for seed, _ in adapters), strict=True)
            for (seed, adapter), (composition, language, shift) in zip(adapters, of_all_seeds, strict=True)
        ]
        return lambda _: [*alone, *changed]

    def _added(self, source: str, seed: int) -> Iterator[tuple[str, str | None, str | None]]:
        """What a transfer language adds to a fixed task adapter: compositions of its language adapter or snapshots."""
        if STACK in self.job.compositions:
            yield STACK, self.learners.language(source, seed).key, None
        if "shift" in self.job.compositions:
            for snapshot in self.learners.shift(source, seed).snapshots:
                yield shift_of(snapshot.steps), None, snapshot.key

    def _cells(self, matrix: str, data: DataReference, rows: Iterable[_Row]) -> tuple[PlannedCell, ...]:
        shared: dict[str, Fact] = {
            # A constant answer depends on no recipe, yet every matrix needs its own row of it.
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
                identify(row.composition, row.source, row.seed, row.task_adapter, row.selection, below),
                **row._asdict(),
                language_seed=self.learners.language_seed(row.language_adapter, row.shift),
            )
            for row in rows
            for identify, below in [(shifted, row.shift) if row.shift else (frozen, row.language_adapter)]
        )
