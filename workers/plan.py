"""A job worked out: which adapters it needs, which cells it fills, and the identity of each, before anything runs."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

from adapters_zoo.precision import Precision, best_precision
from adapters_zoo.recipes import TaskRecipe
from adapters_zoo.sources import EncoderFiles, locate_encoder
from matrices.cells import BASELINE, Fact, cell_ids
from matrices.items import Items
from matrices.likeness.similarity import kernel
from matrices.selections import LAST, ORACLE, is_oracle, parse
from workers.corpora import open_corpora
from workers.corpora.checks import Facts, check, facts_of
from workers.corpora.copies import without_copies
from workers.corpora.types import Split
from workers.job import Job
from workers.roster import PlanError, Roster, reference
from workers.selecting import groups
from workers.tasks import task_of
from workers.units import (
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

STACK, ALONE, MERGE, MULTI = "stack", "alone", "merge", "multi"


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


class _Planner:
    """The state of making one plan. Of a dataset only its facts are kept."""

    def __init__(self, job: Job, folder: Path) -> None:
        self.job = job
        self.corpora = open_corpora(job.corpora)
        self.encoder = locate_encoder(job.encoder.name, job.encoder.revision, relative_to=folder)
        self.precision: Precision = best_precision() if job.precision == "auto" else job.precision
        self.roster = Roster(job, self.corpora, self.encoder, self.precision)
        self.items: dict[str, dict[str, Items]] = {}
        self.notes: list[str] = []
        self._shot_pools: dict[str, dict[str, Facts | None]] = {}
        self._devs: dict[tuple[str, str], Facts | None] = {}

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
            self.roster.languages,
            self.roster.shifts,
            self.roster.tasks,
            self.roster.merged,
            self.roster.few_shots,
            self.roster.scores,
            self.roster.selected,
            columns,
            self.items,
            self.job.encoder.languages or self.encoder.languages,
            tuple(dict.fromkeys([*self.roster.notes, *self.notes])),
        )

    def _columns(self, task: str) -> Iterator[Column]:
        evaluation = self.job.evaluation
        train = self._facts(task, self.job.pivots or self.job.sources, "train", self.job.task_recipe.max_items)
        targets = self._facts(task, self.job.targets, evaluation.split, evaluation.max_items)
        if not targets:
            raise PlanError(self._nothing(task, evaluation.split))
        without = [code for code in self.job.pivots or () if code not in train]
        if without:
            raise PlanError(f"`pivots`: {', '.join(without)} have no train data for {task}; leave them out")
        if not train:
            raise PlanError(self._nothing(task, "train"))
        check([*train.values(), *targets.values()], self.job.min_items)
        for recipe in self.job.task_recipes:
            matrix = self._matrix(task, train, recipe)
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
        return [row for row in rows if row.source is None or set(row.source.split("+")).issubset(asked)]

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
        """Rows of task adapters that learn from several sources, each with its sources; of the runs' ends alone.

        All together give as many items as the recipe reads of one source, or as the largest of them has, by equal
        shares.
        """
        for members in self.job.sets if MULTI in self.job.compositions else ():
            if absent := [code for code in members if code not in train]:
                self.notes.append(f"{'+'.join(members)}: no train data for {', '.join(absent)}; left out")
                continue
            budget = recipe.max_items or max(train[code].items for code in members)
            share = max(1, budget // len(members))
            parts = [replace(train[code], limit=share) for code in members]
            for seed in self.job.seeds:
                yield members, _Row(MULTI, "+".join(members), seed, self.roster.task(parts, None, seed, recipe).key)

    def _few_shot(self, train: Mapping[str, Facts], recipe: TaskRecipe, target: str) -> Iterator[_Row]:
        """Rows of what learned from labelled items of the target too: from each source's weights, and from none."""
        how, numbers = self.job.few_shot, [number for number in self.job.shots if number]
        task = next(iter(train.values())).task
        pools = self._pools(task, (target,) if how.mode == "bi" else self.job.targets) if numbers else {}
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
                    run = self.roster.few_shot([own, *others], start, recipe, how, seed)
                    yield _Row(composition, source, seed, run.key, under, shots=number)
            if how.baseline and composition == ways[0]:
                alone = [lesson for lesson in drawn if lesson.data.language == target]
                run = self.roster.few_shot(alone, None, recipe, how, seed)
                yield _Row(BASELINE, None, seed, run.key, under, shots=number)

    def _pools(self, task: str, targets: Sequence[str]) -> dict[str, Facts]:
        """The train splits that shots are drawn from; a target that has none, or too few items, is noted."""
        known, most = self._shot_pools.setdefault(task, {}), max(self.job.shots)
        for code in targets:
            if code not in known:
                known[code] = found = self._facts(task, [code], "train", None).get(code)
                if found is None or found.items < most:
                    there = 0 if found is None else found.items
                    self.notes.append(f"{task}: {code} has {there} train items, fewer than {most} shots; it gets none")
        return {code: facts for code in targets if (facts := known[code]) is not None and facts.items >= most}

    def _of_one(self) -> list[str]:
        """The compositions of a single source."""
        return [composition for composition in self.job.compositions if composition != MULTI]

    def _below(self, composition: str, code: str, seed: int) -> str | None:
        """The language adapter that a task adapter stands on in a composition."""
        if composition == MERGE:
            return self.roster.merge(code, self._alike(code), seed).key
        return self.roster.language(code, seed).key if composition == STACK else None

    def _alike(self, code: str) -> dict[str, float]:
        """The languages whose adapters a target's merged one is made of, with their weights, the largest first.

        As the job says; else those most like the target by genealogy, place and typology (``matrices.likeness``), each
        weighted by how alike it is; equal weights where nothing is known of the target.
        """
        merging = self.job.merging
        if code in merging.weights:
            return merging.weights[code]
        among = [one for one in merging.among or self.job.sources if one != code]
        if not among:
            raise PlanError(f"{code}: no other language to merge adapters of; name some in `merging.among`")
        alike = dict(zip(among, kernel([code], among)[0].tolist(), strict=True))
        nearest = sorted(among, key=lambda one: (-alike[one], one))[: merging.top]
        known = {one: round(alike[one], 4) for one in nearest if round(alike[one], 4) > 0}
        return known or dict.fromkeys(nearest, 1.0)

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
            runs = [self._run(facts, composition, one, of_seed) for of_seed, one in group]
            if not rule.needs_scores:
                yield seed, runs[0].key
                continue
            judge = self._dev(facts.task, target if rule.is_oracle else facts.language)
            if judge is None:
                continue
            # On its own dev split a source has its own adapter beneath, whatever its targets have.
            with_own = STACK if composition == MERGE and not rule.is_oracle else composition
            over = self._below(with_own, judge.language, seed)
            scores = [self.roster.dev_scores(kept_as(run), [reference(judge)], over) for run in runs]
            yield seed, self.roster.select(selection, runs, scores, self.job.selecting.guard).key

    def _run(self, facts: Facts, composition: str, recipe: TaskRecipe, seed: int) -> TaskAdapter:
        """A run on a source: under a head of its own, or under that which the first of its runs learned."""
        stacked = composition in (STACK, MERGE)
        under = self.roster.language(facts.language, seed) if stacked else None
        if self.job.head == "own":
            return self.roster.task([facts], under, seed, recipe)
        first, whole = self.job.seeds[0], self.job.task_recipe.model_copy(update={"snapshots": 0})
        below = self.roster.language(facts.language, first) if stacked else None
        return self.roster.task([facts], under, seed, recipe, self.roster.task([facts], below, first, whole))

    def _dev(self, task: str, language: str) -> Facts | None:
        """The dev split that selects among runs; None, and a note, where a target has none for the oracle."""
        if (task, language) not in self._devs:
            facts = self._facts(task, [language], "dev", self.job.selecting.max_items).get(language)
            if facts is not None:
                check([facts], self.job.min_items)
            elif language in self.job.sources:
                raise PlanError(
                    f"{task}: {language} has no dev split, by which `selections` choose; leave the source out, or "
                    "select `last` alone"
                )
            else:
                self.notes.append(f"{task}: {language} has no dev split, so no {ORACLE}")
            self._devs[task, language] = facts
        return self._devs[task, language]

    def _interference(self, pivots: Mapping[str, Facts]) -> _RowsOf:
        """Rows of a task adapter of the pivots, which it reads in the order of their codes, not of the job's list."""
        in_order = [facts for _, facts in sorted(pivots.items())]
        adapters = [(seed, self.roster.task(in_order, None, seed).key) for seed in self.job.seeds]
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
        if "stack" in self.job.compositions:
            yield STACK, self.roster.language(source, seed).key, None
        if "shift" in self.job.compositions:
            for snapshot in self.roster.shift(source, seed).snapshots:
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
                language_seed=self.roster.language_seed(row.language_adapter, row.shift),
            )
            for row in rows
            for identify, below in [(shifted, row.shift) if row.shift else (frozen, row.language_adapter)]
        )

    def _facts(self, task: str, languages: Sequence[str], split: Split, limit: int | None) -> dict[str, Facts]:
        found = {
            code: self._facts_of(task, code, split, limit) for code in languages if self.corpora.has(task, code, split)
        }
        absent = [code for code in languages if code not in found]
        if absent and found:
            self.notes.append(f"{task}: no {split} data for {', '.join(absent)}; left out")
        copied = [f"{code} {facts.copies}" for code, facts in found.items() if facts.copies]
        if copied:
            what = f"{task}: train items whose text is in the dev or test split too, left out of training"
            self.notes.append(f"{what}: {', '.join(copied)}")
        return found

    def _facts_of(self, task: str, language: str, split: Split, limit: int | None) -> Facts:
        dataset = self.corpora.dataset(task, language, split)
        if split != "train" or not self.job.leave_out_copies:
            return facts_of(dataset, limit)
        kept = without_copies(self.corpora, dataset)
        return facts_of(kept, limit, copies=len(dataset.items) - len(kept.items))

    def _matrix(self, task: str, pivots: Iterable[str], recipe: TaskRecipe) -> str:
        """Task, kind, method but for bottlenecks, and encoder, and eight digits of every other setting of a score.

        So cells measured under different settings never meet in one matrix. Budgets are no settings: they are told
        apart by their compositions; nor is the order of pivots.
        """
        job = self.job
        settings = {
            "encoder": self.encoder.digest,
            "precision": self.precision,
            "language_adapter": job.language_adapter.identity() if job.language_adapter else None,
            "task_adapter": recipe.identity(),
            "evaluation": job.evaluation.model_dump(),
            "pivots": sorted(pivots) if job.kind == "interference" else None,
            **({} if job.leave_out_copies else {"copies": "kept"}),
            **({} if job.language_seeds == "one" else {"language_seeds": job.language_seeds}),
            **({"shift": job.shift.of_the_run()} if "shift" in job.compositions else {}),
            **({"merging": job.merging.model_dump(mode="json")} if MERGE in job.compositions else {}),
            **({} if job.head == "own" else {"head": job.head, "first": job.task_recipe.identity()}),
            **(
                {} if not recipe.snapshots else {"snapshots": recipe.snapshots, "selecting": job.selecting.model_dump()}
            ),
            **({"few_shot": how} if (how := job.few_shot.model_dump(exclude_defaults=True)) else {}),
            **({} if len(job.task_recipes) == 1 or recipe != job.task_recipe else {"recipes": self._recipes()}),
        }
        digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()
        method = "" if job.method == "bottleneck" else f"{job.method}-"
        return f"{task}-{job.kind}-{method}{_in_names(self.encoder.name)}-{digest[:8]}"

    def _recipes(self) -> list[Any]:
        """What weights of several runs are made of."""
        return [recipe.identity() for recipe in self.job.task_recipes]

    def _nothing(self, task: str, split: str) -> str:
        labelled = [entry for entry in self.corpora.entries() if entry.kind != "text"]
        splits = sorted({entry.split for entry in labelled if entry.task == task and entry.split})
        if not splits:
            tasks = sorted({entry.task for entry in labelled})
            return f"`tasks`: {task!r} is not in {self.job.corpora}; there are: {', '.join(tasks)}"
        if split not in splits:
            return f"no language has {split} data for {task}; splits there are: {', '.join(splits)}"
        there = sorted({entry.language for entry in labelled if entry.task == task and entry.split == split})
        which = "sources" if split == "train" else "targets"
        return f"`{which}`: none has {split} data for {task}; languages that do: {', '.join(there)}"


def _in_names(encoder: str) -> str:
    """An encoder's name as names of matrices have it: of a hub id the part behind the slash, and no odd characters.

    A matrix's name stands in addresses and file names.
    """
    return re.sub(r"[^\w.-]+", "-", encoder.rpartition("/")[2], flags=re.ASCII).strip("-.") or "encoder"
