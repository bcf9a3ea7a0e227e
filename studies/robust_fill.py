"""Fills the jobs on selections in stages, so that what is done first is a usable grid: seed by seed, the oracle last.

    python studies/robust_fill.py jobs/robust_pos.yaml jobs/robust_ner.yaml --seeds 2

Each stage is a part of the whole job, with the same identities: `sprachbund fill` of the whole job goes on from there.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from matrices.logs import configure_logs
from matrices.selections import is_oracle
from matrices.store import Store
from workers.driver import Summary, fill, make_bench, run
from workers.job import Job, load_job
from workers.outstanding import outstanding
from workers.plan import make_plan
from workers.pool import InlinePool


def stages(job: Job, seeds: int) -> list[Job]:
    """The job of the first seed, of the first two, and so on, without the oracle; then the oracle's, of all of them."""
    deployable = tuple(name for name in job.selections if not is_oracle(name))
    parts = [
        job.model_copy(update={"seeds": job.seeds[:count], "selections": deployable}) for count in range(1, seeds + 1)
    ]
    return [*parts, job.model_copy(update={"seeds": job.seeds[:seeds]})]


def fill_here(job: Job, folder: Path) -> Summary:
    """Fill a job in this process."""
    plan, store = make_plan(job, folder=folder), Store.open(job.store, create=True)
    store.keep_items(plan.items)
    bench = make_bench(plan, threads=1)
    return run(plan, outstanding(plan, store), store, InlinePool(bench), bench)


def main() -> None:
    """Fill the stages of all jobs in turn."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("jobs", nargs="+", type=Path)
    parser.add_argument("--seeds", type=int, default=5, help="how many seeds of each job")
    parser.add_argument("--here", action="store_true", help="in this process, without Ray")
    arguments = parser.parse_args()
    configure_logs()
    for of_all in zip(*(stages(load_job(path), arguments.seeds) for path in arguments.jobs), strict=True):
        for path, stage in zip(arguments.jobs, of_all, strict=True):
            start = time.monotonic()
            done = fill_here(stage, path.parent) if arguments.here else fill(stage, folder=path.parent)
            what = f"{path.name}, seeds {', '.join(map(str, stage.seeds))}, {len(stage.selections)} selections"
            counts = f"{done.trained} made, {done.measured} cells measured, {done.failed} failed"
            print(f"{what}: {counts}, {time.monotonic() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main()
