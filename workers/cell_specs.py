"""The cells that a job asks for, before they have an identity: by composition, source, seed, weights and shots."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import NamedTuple

from adapters_zoo.recipes import TaskRecipe
from matrices.cells import BASELINE, SEPARATOR
from matrices.selections import LAST, is_oracle, parse
from workers.corpora.checks import Facts
from workers.job import Job
from workers.job_data import JobData
from workers.learners import Learners, reference
from workers.selecting import groups
from workers.work_units import Lesson, TaskAdapter, kept_as

STACK, ALONE, MERGE, MULTI, FUSE = "stack", "alone", "merge", "multi", "fuse"


class CellSpec(NamedTuple):
    """What tells the cells of a column apart: fields of ``PlannedCell``."""

    composition: str
    source: str | None
    seed: int
    task_adapter: str | None = None
    language_adapter: str | None = None
    shift: str | None = None
    selection: str = LAST
    shots: int = 0


SpecsOf = Callable[[str], Sequence[CellSpec]]
"""The cells of a target's column."""


class CellSpecs:
    """The cells of a job's matrices. ``learners`` collects what they stand on, for the plan."""

    def __init__(self, job: Job, learners: Learners, data: JobData, notes: list[str]) -> None:
        self._job, self._learners, self._data, self._notes = job, learners, data, notes

    def of_matrix(self, train: Mapping[str, Facts], recipe: TaskRecipe) -> SpecsOf:
        """The cells of a matrix by target; ``train`` are the train splits of its sources, or of its pivots."""
        specs = self._zero_shot(train, recipe) if self._job.kind == "zero_shot" else self._interference(train)
        return lambda target: self._asked_for(target, specs(target))

    def _asked_for(self, target: str, specs: Sequence[CellSpec]) -> Sequence[CellSpec]:
        """The baselines of a target, and the cells of the sources that the job pairs with it; all if none."""
        if self._job.cells is None:
            return specs
        asked = self._job.cells[target]
        return [spec for spec in specs if spec.source is None or set(spec.source.split(SEPARATOR)).issubset(asked)]

    def _zero_shot(self, train: Mapping[str, Facts], recipe: TaskRecipe) -> SpecsOf:
        def weights(of: str | None) -> dict[tuple[str, str, str], list[tuple[int, str]]]:
            """By source, composition and selection: of the oracle for a target, or of all others, for any target."""
            return {
                (source, composition, selection): [*self._weights(selection, facts, composition, recipe, of or source)]
                for source, facts in train.items()
                for composition in self._of_one()
                for selection in self._job.selections
                if is_oracle(selection) == (of is not None)
            }

        deployable = weights(None)
        of_sets = [*self._of_sets(train, recipe)]

        def specs(target: str) -> list[CellSpec]:
            across = [
                CellSpec(
                    composition, source, seed, adapter, self._below(composition, target, seed), selection=selection
                )
                for (source, composition, selection), runs in {**deployable, **weights(target)}.items()
                for seed, adapter in runs
            ]
            shots = self._few_shot(train, recipe, target) if recipe == self._job.task_recipe else ()
            together = (spec for members, spec in of_sets if target not in members)
            return [CellSpec(BASELINE, None, 0), *across, *shots, *together]

        return specs

    def _of_sets(self, train: Mapping[str, Facts], recipe: TaskRecipe) -> Iterator[tuple[tuple[str, ...], CellSpec]]:
        """Cells of task adapters of several sources, each with its sources; of the runs' ends alone.

        One that learns from all of them, and a fusion of those of each of them, read the same items: all together as
        many as the recipe reads of one source, or as the largest of them has, by equal shares.
        """
        fusion = self._job.fusion.of(recipe).model_copy(update={"snapshots": 0})
        for members in self._job.sets:
            if absent := [code for code in members if code not in train]:
                self._notes.append(f"{SEPARATOR.join(members)}: no train data for {', '.join(absent)}; left out")
                continue
            budget = recipe.max_items or max(train[code].items for code in members)
            share = max(1, budget // len(members))
            parts = [replace(train[code], limit=share) for code in members]
            for composition, seed in product(self._job.compositions, self._job.seeds):
                if composition == MULTI:
                    adapter = self._learners.task(parts, None, seed, recipe)
                elif composition == FUSE:
                    fused = [self._run(train[code], ALONE, recipe, seed) for code in members]
                    adapter = self._learners.task(parts, None, seed, fusion, fused=fused)
                else:
                    continue
                yield members, CellSpec(composition, SEPARATOR.join(members), seed, adapter.key)

    def _few_shot(self, train: Mapping[str, Facts], recipe: TaskRecipe, target: str) -> Iterator[CellSpec]:
        """Cells of what learned from labelled items of the target too: from each source's weights, and from none."""
        how, numbers = self._job.few_shot, [number for number in self._job.shots if number]
        task = next(iter(train.values())).task
        pools = self._data.shot_pools(task, (target,) if how.mode == "bi" else self._job.targets) if numbers else {}
        ways = [composition for composition in self._job.compositions if composition in (ALONE, STACK)]
        if target not in pools:
            return
        for composition, number, seed in product(ways, numbers, self._job.seeds):
            under = self._below(composition, target, seed)
            drawn = [
                Lesson(reference(facts), number, self._below(composition, code, seed)) for code, facts in pools.items()
            ]
            for source, facts in train.items():
                own = Lesson(reference(facts), None, self._below(composition, source, seed))
                others = [lesson for lesson in drawn if lesson.data.language != source]
                if source != target:
                    start = self._run(facts, composition, recipe, seed)
                    run = self._learners.few_shot([own, *others], start, recipe, how, seed)
                    yield CellSpec(composition, source, seed, run.key, under, shots=number)
            if how.baseline and composition == ways[0]:
                alone = [lesson for lesson in drawn if lesson.data.language == target]
                run = self._learners.few_shot(alone, None, recipe, how, seed)
                yield CellSpec(BASELINE, None, seed, run.key, under, shots=number)

    def _of_one(self) -> list[str]:
        """The compositions of a single source."""
        return [composition for composition in self._job.compositions if composition not in (MULTI, FUSE)]

    def _below(self, composition: str, code: str, seed: int) -> str | None:
        """The language adapter that a task adapter stands on in a composition."""
        if composition == MERGE:
            return self._learners.merge(code, seed).key
        return self._learners.language(code, seed).key if composition == STACK else None

    def _weights(
        self, selection: str, facts: Facts, composition: str, recipe: TaskRecipe, target: str
    ) -> Iterator[tuple[int, str]]:
        """The seed and key of what a selection takes of a source's runs, for each group of runs it can take it of.

        No two groups share a run, so that what they score is independent. A selection of several runs is one of all
        recipes, and stands in the matrix of the first.
        """
        rule = parse(selection)
        recipes = (recipe,) if rule.runs == 1 else self._job.task_recipes
        if rule.runs > 1 and recipe != recipes[0]:
            return
        for seed, group in groups(self._job.seeds, recipes, rule.runs):
            runs = [self._run(facts, composition, run_group, of_seed) for of_seed, run_group in group]
            if not rule.needs_scores:
                yield seed, runs[0].key
                continue
            judge = self._data.dev(facts.task, target if rule.is_oracle else facts.language)
            if judge is None:
                continue
            # On its own dev split a source has its own adapter beneath, whatever its targets have.
            with_own = STACK if composition == MERGE and not rule.is_oracle else composition
            over = self._below(with_own, judge.language, seed)
            scores = [self._learners.dev_scores(kept_as(run), [reference(judge)], over) for run in runs]
            yield seed, self._learners.select(selection, runs, scores).key

    def _run(self, facts: Facts, composition: str, recipe: TaskRecipe, seed: int) -> TaskAdapter:
        """A run on a source: under a head of its own, or under that which the first of its runs learned."""
        stacked = composition in (STACK, MERGE)
        under = self._learners.language(facts.language, seed) if stacked else None
        if self._job.head == "own":
            return self._learners.task([facts], under, seed, recipe)
        first, whole = self._job.seeds[0], self._job.task_recipe.model_copy(update={"snapshots": 0})
        below = self._learners.language(facts.language, first) if stacked else None
        return self._learners.task([facts], under, seed, recipe, self._learners.task([facts], below, first, whole))

    def _interference(self, pivots: Mapping[str, Facts]) -> SpecsOf:
        """Cells of a task adapter of the pivots, which it reads in the order of their codes, not of the job's list."""
        in_order = [facts for _, facts in sorted(pivots.items())]
        adapters = [(seed, self._learners.task(in_order, None, seed).key) for seed in self._job.seeds]
        alone = [CellSpec(BASELINE, None, seed, adapter) for seed, adapter in adapters]
        changed = [
            CellSpec(composition, source, seed, adapter, language, shift)
            for source in self._job.sources
            for of_all_seeds in zip(*(self._added(source, seed) for seed, _ in adapters), strict=True)
            for (seed, adapter), (composition, language, shift) in zip(adapters, of_all_seeds, strict=True)
        ]
        return lambda _: [*alone, *changed]

    def _added(self, source: str, seed: int) -> Iterator[tuple[str, str | None, str | None]]:
        """What a transfer language adds to a fixed task adapter: compositions of its language adapter or snapshots."""
        if STACK in self._job.compositions:
            yield STACK, self._learners.language(source, seed).key, None
        if "shift" in self._job.compositions:
            for snapshot in self._learners.shift(source, seed).snapshots:
                # Each budget of steps is a composition of its own.
                yield f"shift-{snapshot.steps}", None, snapshot.key
