"""Jobs on selections over the tiny corpora, and their filling in this process."""

from __future__ import annotations

from typing import Any

from matrices.cells import Cell, from_table
from matrices.store import Store
from workers.driver import Summary, run, run_context
from workers.job import Job
from workers.pending import pending
from workers.plan import make_plan
from workers.pool import InlinePool

SINGLE = ["last", "source_dev", "averaged", "soup(2)", "target_dev"]
SEVERAL = ["run_averaged(1)", "run_averaged(2)", "run_averaged(4, averaged)", "soup(2, 2)", "source_dev(4)"]
KNOBS: dict[str, Any] = {
    "language_adapter": "none",
    "task_adapter": {"epochs": 2, "batch": 16, "reduction": 4, "snapshots": 3},
    "selections": [*SINGLE, *SEVERAL],
    "head": "shared",
    "recipes": [{"learning_rate": 3e-3}],
}
PLAIN = {"store": "store", "tasks": ["corner"], "targets": ["qaa", "qac"], "seeds": [0, 1], "precision": "fp32"}


def filled(job: Job) -> tuple[Summary, dict[str, list[Cell]]]:
    """Fill a job in this process; what the run did, and the cells of each matrix."""
    plan, store = make_plan(job), Store.open(job.store, create=True)
    context = run_context(plan, threads=1)
    done = run(plan, pending(plan, store), store, InlinePool(context), context)
    return done, {info.matrix: from_table(store.cells(info.matrix)) for info in store.matrices()}
