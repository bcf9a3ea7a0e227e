"""Fills jobs on selections in stages, so that what is done first is a usable grid: seed by seed, the oracle last.

    python studies/robust_fill.py jobs/robust_pos.yaml jobs/robust_ner.yaml --seeds 2

Each stage is a part of the whole job, with the same identities: `sprachbund fill` of the whole job goes on from there.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path

from matrices.logs import configure_logs
from matrices.selections import is_oracle, parse
from matrices.store import Store
from workers.driver import Summary, fill, run, run_context
from workers.job import Job, load_job
from workers.pending import pending
from workers.plan import Plan, make_plan
from workers.pool import InlinePool
from workers.work_units import PlannedCell


def stages(job: Job, seeds: int, *, oracle: bool) -> list[Job]:
    """The job of the first seed, of the first two, and so on, without the oracle; then the oracle's, of all of them."""
    deployable = tuple(name for name in job.selections if not is_oracle(name))
    parts = [
        job.model_copy(update={"seeds": job.seeds[:count], "selections": deployable}) for count in range(1, seeds + 1)
    ]
    return [*parts, job.model_copy(update={"seeds": job.seeds[:seeds]})] if oracle else parts


def of_the_first_recipe(plan: Plan) -> Plan:
    """What a plan measures of single runs by its first recipe."""

    def is_single(cell: PlannedCell) -> bool:
        return parse(cell.selection).runs == 1

    first = {column.task: column.matrix for column in reversed(plan.columns)}
    columns = [column for column in plan.columns if column.matrix == first[column.task]]
    return replace(
        plan, columns=tuple(replace(column, cells=tuple(filter(is_single, column.cells))) for column in columns)
    )


def fill_here(job: Job, folder: Path, *, first: bool) -> Summary:
    """Fill a job, or its single runs by the first recipe, in this process."""
    plan, store = make_plan(job, folder=folder), Store.open(job.store, create=True)
    plan = of_the_first_recipe(plan) if first else plan
    store.keep_items(plan.items)
    context = run_context(plan, threads=1)
    return run(plan, pending(plan, store), store, InlinePool(context), context)


def main() -> None:
    """Fill the stages of all jobs in turn."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("jobs", nargs="+", type=Path)
    parser.add_argument("--seeds", type=int, default=5, help="how many seeds of each job")
    parser.add_argument("--without-oracle", action="store_true")
    parser.add_argument("--here", action="store_true", help="in this process, without Ray")
    parser.add_argument("--first-recipe", action="store_true", help="only single runs by the first recipe, with --here")
    given = parser.parse_args()
    configure_logs()
    parts = [stages(load_job(path), given.seeds, oracle=not given.without_oracle) for path in given.jobs]
    for of_all in zip(*parts, strict=True):
        for path, stage in zip(given.jobs, of_all, strict=True):
            start = time.monotonic()
            done = (
                fill_here(stage, path.parent, first=given.first_recipe)
                if given.here
                else fill(stage, folder=path.parent)
            )
            what = f"{path.name}, seeds {', '.join(map(str, stage.seeds))}, {len(stage.selections)} selections"
            counts = f"{done.trained} made, {done.measured} cells measured, {done.failed} failed"
            print(f"{what}: {counts}, {time.monotonic() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main()
