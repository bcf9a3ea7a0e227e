"""A laboratory job: its runs, one after another in this process or several at a time on Ray, and their numbers as one.

Finished runs are files, so a job that is started again does what is missing. Ray starts where runs are to share a
machine or a cluster; a run holds a core, or its share of a GPU.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import ray
import torch

from matrices.export import write_table
from workers.cluster import crew_for, joined, must_have_gpus, nodes, worker_environment
from workers.othello.job import LaboratoryJob, Run
from workers.othello.numbers import SCHEMA
from workers.othello.run import numbers_of, perform

NUMBERS = "numbers.parquet"
"""The numbers of all runs of a job, in its folder."""
_LOOK_EVERY = 1.0
"""Seconds between looks at how far runs are."""


@dataclass(frozen=True, slots=True)
class State:
    """How far a job is: runs finished, runs in all, and (steps done, steps in all) of each that is under way."""

    done: int
    runs: int
    steps: Mapping[str, tuple[int, int]]


Watch = Callable[[State], None]


class RunFailedError(RuntimeError):
    """A run of a job that ended in an error; the others went on."""


def conduct(job: LaboratoryJob, *, address: str | None = None, watch: Watch | None = None) -> pa.Table:
    """Do the runs of a job that are missing; the numbers of all, as a table and as ``NUMBERS`` in the job's folder.

    Raises ``RunFailedError`` once the others are done, ``ClusterError`` and ``NoGpuError``.
    """
    runs = job.runs()
    missing = [run for run in runs if not numbers_of(run, job.out).is_file()]
    told = _Told(len(runs), len(runs) - len(missing), watch)
    if len(missing) > 1 and (job.workers != 1 or address is not None):
        _on_ray(job, missing, address, told)
    else:
        for run in missing:
            perform(run, job.out, device=_device(job.gpus_per_worker), tick=told.tick(run))
            told.finished(run)
    return collect(job)


def collect(job: LaboratoryJob) -> pa.Table:
    """The numbers of the runs of a job that are finished, each under the names that the job gives its conditions."""
    tables = [_named(run, numbers_of(run, job.out)) for run in job.runs() if numbers_of(run, job.out).is_file()]
    table = pa.concat_tables(tables)
    write_table(table, job.out / NUMBERS)
    return table


class _Told:
    """What the watcher is told of, kept together."""

    def __init__(self, runs: int, done: int, watch: Watch | None) -> None:
        self._runs, self._done, self._watch = runs, done, watch
        self._steps: dict[str, tuple[int, int]] = {}
        self._tell()

    def tick(self, run: Run) -> Callable[[int, int], None]:
        def ticked(done: int, total: int) -> None:
            self._steps[_label(run)] = done, total
            if done % 10 == 0:
                self._tell()

        return ticked

    def finished(self, run: Run) -> None:
        self._steps.pop(_label(run), None)
        self._done += 1
        self._tell()

    def steps(self, steps: Mapping[str, tuple[int, int]]) -> None:
        self._steps = dict(steps)
        self._tell()

    def _tell(self) -> None:
        if self._watch is not None:
            self._watch(State(self._done, self._runs, dict(self._steps)))


class _Board:
    """Where runs on a cluster write how far they are."""

    def __init__(self) -> None:
        self._steps: dict[str, tuple[int, int]] = {}

    def write(self, label: str, done: int, total: int) -> None:
        self._steps[label] = done, total

    def finished(self, label: str) -> None:
        self._steps.pop(label, None)

    def read(self) -> dict[str, tuple[int, int]]:
        return self._steps


def _on_ray(job: LaboratoryJob, runs: Sequence[Run], address: str | None, told: _Told) -> None:
    failed: list[tuple[Run, str]] = []
    with joined(address, job.workers):
        resources = list(nodes().values())
        if job.gpus_per_worker:
            must_have_gpus(resources, job.gpus_per_worker)
        crew = crew_for(resources, job.workers, job.gpus_per_worker)
        board: Any = ray.remote(num_cpus=0)(_Board).remote()
        task: Any = ray.remote(
            num_cpus=crew.threads,
            num_gpus=crew.gpus,
            max_retries=3,
            runtime_env=worker_environment(crew.threads),
        )(_perform)
        # Paths of a job are the driver's; a worker's own folder is another one.
        folder = job.out.resolve()
        pending: dict[Any, Run] = {task.remote(run, folder, crew.threads, crew.gpus, board): run for run in runs}
        while pending:
            ready, _ = ray.wait(list(pending), timeout=_LOOK_EVERY)
            told.steps(ray.get(board.read.remote()))
            for reference in ready:
                run = pending.pop(reference)
                try:
                    ray.get(reference)
                    told.finished(run)
                except ray.exceptions.RayTaskError as error:
                    failed.append((run, str(error.cause)))
    if failed:
        run, cause = failed[0]
        raise RunFailedError(
            f"{len(failed)} of {len(runs)} runs failed, first {_label(run)}: {cause}; the others are kept, "
            "and the same command does the failed ones alone"
        )


def _perform(run: Run, folder: Path, threads: int, gpus: float, board: Any) -> None:
    torch.set_num_threads(threads)

    def tick(done: int, total: int) -> None:
        if done % 10 == 0:
            board.write.remote(_label(run), done, total)

    perform(run, folder, device=_device(gpus), tick=tick)
    ray.get(board.finished.remote(_label(run)))


def _device(gpus: float) -> str:
    return "cuda" if gpus else "cpu"


def _label(run: Run) -> str:
    return f"{run.name}, seed {run.seed}"


def _named(run: Run, path: Path) -> pa.Table:
    table = pq.read_table(path, schema=SCHEMA)
    at = table.schema.get_field_index("condition")
    return table.set_column(at, table.schema.field(at), pa.array([run.name] * len(table), pa.string()))
