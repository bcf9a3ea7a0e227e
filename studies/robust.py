"""Which weights to transfer: the tables of docs/robust.md, from what a job on selections has measured so far.

    python studies/robust.py jobs/robust_pos.yaml jobs/robust_ner.yaml

Everything is of seeds, recipes, sources and targets that every compared selection was measured on. Differences are
paired; intervals are 95%, by a bootstrap that draws targets and test items anew, and where selections of the same runs
are compared the runs (a seed under a recipe) too.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from adapters_zoo.adapter_store import read_manifest
from matrices.arrays import Floats
from matrices.selections import parse
from matrices.shots import shots_of
from matrices.store import Store
from workers.job import Job, load_job
from workers.plan import Plan, make_plan

RESAMPLES = 1000
Place = tuple[str, str]
"""A source and a target."""
Run = tuple[int, int]
"""A recipe, by its number in the job, and a seed."""
Pair = tuple[str, Run]
"""A selection of a run."""


@dataclass(frozen=True)
class Grid:
    """Outcomes by selection, run and place, each correct and total [N]; of a task."""

    task: str
    recipes: tuple[str, ...]
    cells: Mapping[str, Mapping[Run, Mapping[Place, tuple[Floats, Floats]]]]

    def runs(self, *selections: str) -> list[Run]:
        """The runs under which all of these selections were measured."""
        return sorted(set.intersection(*(set(self.cells.get(name, {})) for name in selections)))

    def scored(self, pairs: Sequence[Pair]) -> Floats:
        """Scores [pairs, places] on the places that all of them were measured on."""
        places = self.places(pairs)
        return np.array([self.scores(*pair, places) for pair in pairs])

    def places(self, of: Iterable[Pair]) -> list[Place]:
        """The transfer places (source and target differ) that were measured under all of these selections and runs."""
        measured = [set(self.cells[name][run]) for name, run in of]
        return sorted(place for place in set.intersection(*measured) if place[0] != place[1])

    def scores(self, name: str, run: Run, places: Sequence[Place]) -> Floats:
        """Scores [places]."""
        found = self.cells[name][run]
        return np.array([_ratio(*found[place]) for place in places])


def _ratio(correct: Floats, total: Floats) -> float:
    return float(correct.sum() / total.sum()) if total.sum() else 0.0


def read(job: Job, plan: Plan, task: str) -> Grid:
    """What the store has of a job's task."""
    store = Store(job.store)
    cells: defaultdict[str, defaultdict[Run, dict[Place, Any]]] = defaultdict(lambda: defaultdict(dict))
    matrices = list(dict.fromkeys(column.matrix for column in plan.columns if column.task == task))
    there = {info.matrix for info in store.matrices()}
    for number, matrix in enumerate(matrices):
        if matrix not in there:
            continue
        columns = ["source", "target", "selection", "seed", "shots", "correct", "total", "status"]
        for row in store.cells(matrix, columns=columns).to_pylist():
            if row["source"] is not None and not row["shots"] and row["correct"] is not None:
                outcome = np.asarray(row["correct"], float), np.asarray(row["total"], float)
                cells[row["selection"]][number, row["seed"]][row["source"], row["target"]] = outcome
    # What is still being measured would leave little that all runs have in common.
    whole = {name: max(map(len, runs.values())) for name, runs in cells.items()}
    done = {
        name: {run: found for run, found in runs.items() if len(found) == whole[name]} for name, runs in cells.items()
    }
    recipes = tuple(f"{recipe.learning_rate:g} x {recipe.batch}" for recipe in job.task_recipes)
    return Grid(task, recipes, done)


Draw = Callable[[np.random.Generator], Sequence[int]]
"""Which of the pairs a resample has, in order."""


def interval(
    grid: Grid, pairs: Sequence[Pair], value: Callable[[Floats], float], draw: Draw | None = None
) -> tuple[float, float]:
    """The 2.5% and 97.5% points of ``value`` of scores [pairs, places]; targets, items and pairs are drawn anew."""
    places = grid.places(pairs)
    targets = sorted({target for _, target in places})
    by_target = [_stacked(grid, pairs, [place for place in places if place[1] == target]) for target in targets]
    rng, found = np.random.default_rng(0), []
    for _ in range(RESAMPLES):
        scores = []
        for at in rng.integers(len(targets), size=len(targets)):
            correct, total = by_target[at]
            items = correct.shape[2]
            drawn = np.bincount(rng.integers(items, size=items), minlength=items)
            scores.append((correct @ drawn) / np.maximum(total @ drawn, 1e-12))
        rows = np.concatenate(scores, axis=1)
        found.append(value(rows if draw is None else rows[list(draw(rng))]))
    low, high = np.quantile(found, (0.025, 0.975))
    return float(low), float(high)


def _stacked(grid: Grid, pairs: Sequence[Pair], places: Sequence[Place]) -> tuple[Floats, Floats]:
    """Correct and total [pairs, places, items] on one target."""
    outcomes = [[grid.cells[name][run][place] for place in places] for name, run in pairs]
    correct, total = (np.array([[one[part] for one in row] for row in outcomes]) for part in (0, 1))
    return correct, total


def shown(value: float, ends: tuple[float, float]) -> str:
    """A difference in points with its interval."""
    return f"{100 * value:+.1f} ({100 * ends[0]:+.1f} to {100 * ends[1]:+.1f})"


def difference(grid: Grid, name: str, other: str) -> str:
    """The mean difference of two selections of the same runs, in points."""
    runs = grid.runs(name, other)
    pairs, half = [(which, run) for which in (name, other) for run in runs], len(runs)

    def value(scores: Floats) -> float:
        return float((scores[:half] - scores[half:]).mean())

    def draw(rng: np.random.Generator) -> list[int]:
        drawn = rng.integers(half, size=half)
        return [*drawn, *(drawn + half)]

    return shown(value(grid.scored(pairs)), interval(grid, pairs, value, draw))


def of_single_runs(grid: Grid) -> None:
    """Table: each selection of single runs, its mean, and its difference from the last weights."""
    names = [name for name in ("last", "source_dev", "averaged", "soup(5)", "target_dev") if name in grid.cells]
    print(f"\n{grid.task}: selections of a single run (points)\n")
    print("| selection | runs | mean over targets | less last | SD over recipes | SD over seeds |")
    print("|---|---|---|---|---|---|")
    for name in names:
        runs = grid.runs(name, "last")
        places = grid.places([(name, run) for run in runs])
        scores = np.array([grid.scores(name, run, places) for run in runs])
        less = difference(grid, name, "last") if name != "last" else ""
        print(
            f"| {name} | {len(runs)} | {100 * scores.mean():.1f} | {less} | {_spread(scores, runs, 0)} "
            f"| {_spread(scores, runs, 1)} |"
        )


def _spread(scores: Floats, runs: Sequence[Run], axis: int) -> str:
    """The pooled SD over recipes (axis 0) of one seed, or over seeds (axis 1) of one recipe, in points."""
    groups = defaultdict(list)
    for row, run in zip(scores, runs, strict=True):
        groups[run[1 - axis]].append(row)
    variances = [np.var(rows, axis=0, ddof=1) for rows in groups.values() if len(rows) > 1]
    return f"{100 * float(np.sqrt(np.mean(variances))):.1f}" if variances else "not measured"


def of_several_runs(grid: Grid) -> None:
    """Table: averages over runs against the run that source dev would choose, by the number of runs.

    The spread over seeds is of the tuned run, then of the mean of ends.
    """
    print(f"\n{grid.task}: several runs, of one seed and unlike recipes (points; mean over groups and targets)\n")
    print("| runs | tuned on source dev | mean of ends | less tuned | mean of averages | soup of 5 | SD over seeds |")
    print("|---|---|---|---|---|---|---|")
    for count in (1, 2, 3, 6, 10):
        tuned = "source_dev" if count == 1 else f"source_dev({count})"
        mean = "last" if count == 1 else f"run_averaged({count})"
        others = (f"run_averaged({count}, averaged)", f"soup(5, {count})")
        if tuned not in grid.cells or mean not in grid.cells:
            continue
        seeds = [run for run in grid.runs(tuned, mean) if run[0] == 0]
        values = [_mean(grid, name, seeds) for name in (tuned, mean, *others)]
        less = "" if count == 1 else difference(grid, mean, tuned)
        over_seeds = ", ".join(_of_seeds(grid, name, seeds) for name in (tuned, mean))
        print(f"| {count} | {values[0]} | {values[1]} | {less} | {values[2]} | {values[3]} | {over_seeds} |")


def _of_seeds(grid: Grid, name: str, runs: Sequence[Run]) -> str:
    places = grid.places([(name, run) for run in runs])
    return _spread(np.array([grid.scores(name, run, places) for run in runs]), runs, 1)


def _mean(grid: Grid, name: str, runs: Sequence[Run]) -> str:
    if name not in grid.cells or any(run not in grid.cells[name] for run in runs):
        return ""
    places = grid.places([(name, run) for run in runs])
    return f"{100 * np.mean([grid.scores(name, run, places) for run in runs]):.1f}"


def against_a_recipe_drawn(grid: Grid) -> None:
    """How much the mean of all recipes' runs gains on a run whose recipe nobody tuned."""
    mean = max((name for name in grid.cells if parse(name).rule == "run_averaged"), key=lambda name: parse(name).runs)
    seeds = sorted({seed for _, seed in grid.runs(mean)})
    last, count = set(grid.runs("last")), len(grid.recipes)
    recipes = [number for number in range(count) if all((number, seed) in last for seed in seeds)]
    singles = [("last", (number, seed)) for number in recipes for seed in seeds]
    pairs, own = [*((mean, (0, seed)) for seed in seeds), *singles], len(seeds)
    scores = grid.scored(pairs)

    def gain(found: Floats) -> float:
        return float(found[:own].mean() - found[own:].mean())

    said = shown(gain(scores), interval(grid, pairs, gain))
    print(f"\n{grid.task}: {mean} less the last weights of a recipe that nobody tuned: {said}")
    each = scores[own:].reshape(len(recipes), own, -1).mean((1, 2))
    listed = [f"{grid.recipes[number]}: {100 * value:.1f}" for number, value in zip(recipes, each, strict=True)]
    print(f"mean over targets by recipe (rate x batch): {', '.join(listed)}; {mean}: {100 * scores[:own].mean():.1f}")


def of_rankings(grid: Grid) -> None:
    """Whether another selection ranks the sources of a target otherwise: Kendall's tau, and whether the best stays."""
    print(f"\n{grid.task}: do selections agree on the sources of a target?\n")
    print("| selection | against | targets | same best source | Kendall tau (mean) |")
    print("|---|---|---|---|---|")
    for name in (name for name in grid.cells if name not in ("last", "target_dev")):
        runs = [run for run in grid.runs(name, "last") if run[0] == 0]
        if not runs:
            continue
        places = grid.places([(name, run) for run in runs] + [("last", run) for run in runs])
        one, other = (np.mean([grid.scores(which, run, places) for run in runs], axis=0) for which in (name, "last"))
        same, taus = [], []
        for target in sorted({target for _, target in places}):
            at = [place for place, (_, of) in enumerate(places) if of == target]
            if len(at) > 1:
                same.append(int(np.argmax(one[at]) == np.argmax(other[at])))
                taus.append(stats.kendalltau(one[at], other[at]).statistic)
        if not same:
            continue  # Of one source there is no ranking.
        low, high = _proportion(sum(same), len(same))
        share = f"{sum(same)} of {len(same)} ({100 * low:.0f}% to {100 * high:.0f}%)"
        print(f"| {name} | last | {len(same)} | {share} | {np.nanmean(taus):.2f} |")
    runs = grid.runs("last")
    if len(runs) > 1:
        print(f"\nof two runs' last weights the best source is the same in {_of_two_runs(grid, runs)}")


def _of_two_runs(grid: Grid, runs: Sequence[Run]) -> str:
    places = grid.places([("last", run) for run in runs])
    targets = sorted({target for _, target in places})
    best = np.array(
        [
            [np.argmax(scores[[at for at, (_, of) in enumerate(places) if of == target]]) for target in targets]
            for scores in (grid.scores("last", run, places) for run in runs)
        ]
    )
    same = [np.mean(best[one] == best[other]) for one in range(len(runs)) for other in range(one)]
    return f"{100 * np.mean(same):.0f}% of targets and pairs of runs ({len(runs)} runs)"


def _proportion(hits: int, size: int) -> tuple[float, float]:
    """Wilson's 95% interval of a share."""
    found = stats.binomtest(hits, size).proportion_ci(method="wilson")
    return float(found.low), float(found.high)


def of_shots(job: Job, plan: Plan, task: str) -> None:
    """Table: scores by labelled items of the target, on top of the best source's weights and without any."""
    store, (matrix, *_) = Store(job.store), [column.matrix for column in plan.columns if column.task == task]
    print(f"\n{task}: labelled items of the target (points; less the best source without any)\n")
    print("| target | best source | learned from | draws | less it, by number of items | enough (95%) |")
    print("|---|---|---|---|---|---|")
    for target in job.targets:
        found = shots_of(store.cells(matrix, target=target), target, composition=job.compositions[0])
        if found is None:
            continue
        for what, curve in (("its items too", found.with_source), ("them alone", found.alone)):
            if curve is None:
                continue
            points = "; ".join(f"{one.shots}: {shown(one.difference, one.interval)}" for one in curve.points)
            ends = " to ".join("more" if end is None else str(end) for end in curve.between)
            best = f"{found.source} {100 * found.score:.1f}"
            enough = "more" if curve.enough is None else curve.enough
            print(f"| {target} | {best} | {what} | {curve.points[0].draws} | {points} | {enough} ({ends}) |")


def of_cost(job: Job, plan: Plan) -> None:
    """Seconds that what is in the zoo took, by kind."""
    zoo, spent = Path(job.zoo or ""), defaultdict(list)
    for learner in plan.learners():
        path = zoo / learner.key
        if (path / "manifest.json").is_file():
            spent[type(learner).__name__].append(read_manifest(path)["seconds"])
    told = ", ".join(f"{len(times)} {name} {sum(times):.0f} s" for name, times in spent.items())
    print(f"\nwall seconds by kind, beside whatever else the machine did: {told}")


def main() -> None:
    """Print the tables of each job's tasks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("jobs", nargs="+", type=Path)
    for path in parser.parse_args().jobs:
        job = load_job(path)
        plan = make_plan(job, folder=path.parent)
        for task in job.tasks:
            if len(job.shots) > 1:
                of_shots(job, plan, task)
                continue
            grid = read(job, plan, task)
            of_single_runs(grid)
            of_several_runs(grid)
            against_a_recipe_drawn(grid)
            of_rankings(grid)
        of_cost(job, plan)


if __name__ == "__main__":
    main()
