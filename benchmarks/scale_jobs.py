"""The steps of `scale.py` that a job takes: planning, handing out, driving, and finding what is missing."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import Any

from scale_inputs import LATER_SEEDS, SEEDS, WORDS, Stopwatch, job_in, timed

from matrices.cells import Cell
from matrices.store import Store
from workers.driver import run, run_context
from workers.pending import pending
from workers.plan import Plan, make_plan
from workers.protocol import Done, failed_cells
from workers.schedule import Schedule
from workers.work_units import Column, WorkUnit


def plan_step(folder: Path, others: int) -> dict[str, Any]:
    """Reading the corpora and planning."""
    cpu = time.process_time()
    seconds, plan = timed(lambda: make_plan(job_in(folder, SEEDS)))
    return {
        "cells": sum(1 for _ in plan.cells()),
        "adapters": len(plan.languages) + len(plan.tasks),
        "seconds": round(seconds, 2),
        "cpu_seconds": round(time.process_time() - cpu, 2),
    }


def schedule_step(folder: Path, others: int) -> dict[str, Any]:
    """Every unit of a job taken and ended, by the schedule alone."""
    plan = make_plan(job_in(folder, SEEDS))
    work = pending(plan, None)
    units = [*work.adapters, *work.columns]
    cpu = time.process_time()
    schedule, ended = Schedule(units), 0
    while (unit := schedule.take()) is not None:
        schedule.ended(unit, None)
        ended += 1
    cpu = time.process_time() - cpu
    assert (ended, schedule.active) == (len(units), False)
    return {"units": ended, "cells": work.cells, "cpu_us_a_cell": round(1e6 * cpu / work.cells, 2)}


@dataclass
class IdlePool:
    """Four workers that answer at once. ``seconds`` and ``cpu_seconds`` are what making up their answers took."""

    plan: Plan
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    running: list[WorkUnit] = field(default_factory=list)

    def free(self) -> int:
        """Places left."""
        return 4 - len(self.running)

    def submit(self, unit: WorkUnit) -> None:
        """Take a unit."""
        self.running.append(unit)

    def next(self, timeout: float | None = None) -> Done:
        """The unit taken first, done."""
        start, cpu = time.monotonic(), time.process_time()
        unit = self.running.pop(0)
        cells = tuple(answers(self.plan, unit)) if isinstance(unit, Column) else ()
        self.seconds += time.monotonic() - start
        self.cpu_seconds += time.process_time() - cpu
        return Done(unit, cells, None)


def answers(plan: Plan, column: Column) -> Iterator[Cell]:
    """Measured cells of a column, with made-up outcomes of every item."""
    rng = random.Random(column.target)
    context = run_context(plan, threads=1)
    total = (WORDS,) * column.data.items
    for cell in failed_cells(column, column.cells, "", context):
        correct = tuple(rng.choices(range(WORDS + 1), k=len(total)))
        score = sum(correct) / sum(total)
        yield replace(cell, score=score, correct=correct, total=total, status="ok", error=None, seconds=0.1)


def fill_step(folder: Path, others: int) -> dict[str, Any]:
    """The driver over a whole job, less what making up the answers takes."""
    plan = make_plan(job_in(folder, SEEDS))
    store = Store.open(plan.job.store, create=True)
    work = pending(plan, store)
    pool = IdlePool(plan)
    context = run_context(plan, threads=1)
    in_store = Stopwatch(store.append)
    store.append = in_store  # type: ignore[method-assign, assignment]
    cpu = time.process_time()
    seconds, summary = timed(lambda: run(plan, work, store, pool, context, lambda state: None))
    assert summary.measured == work.cells
    own, own_cpu = seconds - pool.seconds, time.process_time() - cpu - pool.cpu_seconds
    return {
        "cells": work.cells,
        "units": len(work.adapters) + len(work.columns),
        "seconds": round(own, 2),
        "cpu_seconds": round(own_cpu, 2),
        "ms_a_cell": round(1e3 * own / work.cells, 4),
        "of_it_in_store": round(sum(in_store.laps), 2),
        "append_ms_first_10": round(1e3 * median(in_store.laps[:10])),
        "append_ms_last_10": round(1e3 * median(in_store.laps[-10:])),
        "append_ms_most": round(1e3 * max(in_store.laps)),
    }


def missing_step(folder: Path, others: int) -> dict[str, Any]:
    """What of a second job is not in the store yet."""
    plan = make_plan(job_in(folder, LATER_SEEDS))
    store = Store(plan.job.store)
    pattern = next(answers(plan, plan.columns[0]))
    for start in range(0, others, 10_000):
        count = min(10_000, others - start)
        store.append([replace(pattern, seed=start + n, cell_id=f"{start + n:032x}") for n in range(count)])
    cpu = time.process_time()
    seconds, work = timed(lambda: pending(plan, store))
    return {
        "planned": work.cells + work.measured,
        "missing": work.cells,
        "seconds": round(seconds, 2),
        "cpu_seconds": round(time.process_time() - cpu, 2),
    }


STEPS: dict[str, Callable[[Path, int], dict[str, Any]]] = {
    "plan": plan_step,
    "schedule": schedule_step,
    "fill": fill_step,
    "missing": missing_step,
}
