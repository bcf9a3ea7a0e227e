"""The job's driver: hands out what is missing, in order of need, and appends cells as they come."""

from __future__ import annotations

import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import structlog

from adapters_zoo.blobs import in_bucket, open_blobs
from adapters_zoo.zoo import Zoo
from matrices.cells import STATUSES, Cell
from matrices.store import Store
from workers.cell_writer import CellWriter
from workers.cluster import crew_for, joined, must_have_gpus, named_address, nodes
from workers.dispatcher import Dispatcher
from workers.failures import Backoff, Retries
from workers.job import Job
from workers.leases import Leases
from workers.pending import Work, pending, zoo_of
from workers.plan import Plan, make_plan
from workers.pool import Pool, ray_pool
from workers.preflight import check_surroundings
from workers.protocol import Done, RunContext, failed_cells
from workers.schedule import Schedule, describe
from workers.supervisor import supervised
from workers.telemetry import RunMetrics, job_id
from workers.work_units import Column

_log = structlog.get_logger(__name__)
_APPENDS = 16
"""After so many appends a run looks whether the store's small files are worth joining."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run did. ``found`` cells had been measured before; ``failed`` ones are rows with an error.

    Of the ``measured``, ``undefined`` have outcomes but no score, as the metric is not defined on them. ``notes`` are
    the plan's: what is left out or stands in, and why.
    """

    trained: int
    reused: int
    measured: int
    undefined: int
    found: int
    failed: int
    seconds: float
    matrices: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class JobState:
    """Progress of a run: adapters and cells, done and in all, and the seconds it is likely to take still."""

    adapters: tuple[int, int]
    cells: tuple[int, int]
    seconds_left: float | None = field(compare=False)


Watch = Callable[[JobState], None]
Doing = Callable[[Plan, Work, Store, Pool, RunContext, Watch | None], Summary]


def fill(
    job: Job,
    *,
    folder: Path = Path(),
    address: str | None = None,
    watch: Watch | None = None,
    doing: Doing | None = None,
) -> Summary:
    """Run or resume a job on Ray: on the cluster at ``address`` or of ``RAY_ADDRESS``, or else on this machine.

    ``doing`` does what is outstanding, all of it (``run``) unless told otherwise. A cluster whose head is lost is
    waited for. ``folder`` is where a relative encoder path starts. Raises ``PlanError``, ``CorpusError``,
    ``EncoderError`` or ``PreflightError`` before anything is trained, and ``JobInterruptedError`` where its
    surroundings stay broken; any other failure is a row.
    """
    address = named_address(address)
    if address is None:
        return _fill(job, folder, None, watch, doing=doing or run)
    return supervised(
        partial(_fill, job, folder, address, doing=doing or run), address, job.outage, watch or (lambda state: None)
    )


def _fill(job: Job, folder: Path, address: str | None, watch: Watch | None, *, doing: Doing) -> Summary:
    plan = make_plan(job, folder=folder)
    store = Store.open(job.store, create=True)
    store.keep_items(plan.items)
    if plan.pretrained is not None:
        store.keep_pretrained(plan.encoder.label, plan.pretrained)
    work = pending(plan, store)
    if not work.columns:
        return _summary(plan, work, Counter(), 0.0)
    with joined(address, job.workers, job.object_store):
        resources = list(nodes().values())
        if address is None:
            # A cluster may be given the machine yet; this one will not grow.
            must_have_gpus(resources, job.gpus_per_worker)
        crew = crew_for(resources, job.workers, job.gpus_per_worker)
        context = run_context(plan, threads=crew.threads)
        check_surroundings(context, many=address is not None)
        with ray_pool(context, crew, time_limit=job.time_limit, outage=job.outage) as pool:
            return doing(plan, work, store, pool, context, watch)


def run(plan: Plan, work: Work, store: Store, pool: Pool, context: RunContext, watch: Watch | None = None) -> Summary:
    """Do outstanding work on a pool, appending each column's cells to the store in one commit as it ends.

    Work that another job is at is left to it, and its result used. Raises ``JobInterruptedError``.
    """
    start = time.monotonic()
    counts: Counter[str] = Counter()
    backoff = Backoff(plan.job.outage)
    writer, retries = CellWriter(store, work.version, backoff), Retries(backoff)
    progress = RunMetrics(context.job)
    ids = structlog.contextvars.bound_contextvars(job=context.job, run=context.run)
    with ids, leases_of(plan.job, context.run) as (adapters, columns):
        dispatcher = Dispatcher(Schedule([*work.adapters, *work.columns]), adapters, columns, writer, retries, backoff)
        while dispatcher.active:
            while pool.free() and (unit := dispatcher.take()) is not None:
                pool.submit(unit)
            _tell(watch, progress, work, dispatcher, counts, start)
            if dispatcher.active and (done := pool.next(dispatcher.pause())) is not None:
                _settle(done, dispatcher, writer, retries, context, counts)
                writer.tidy(columns, after=_APPENDS)
        writer.tidy(columns)
        counts["found"] = dispatcher.found
        _tell(watch, progress, work, dispatcher, counts, start)
    return _summary(plan, work, counts, time.monotonic() - start)


def _settle(
    done: Done, dispatcher: Dispatcher, writer: CellWriter, retries: Retries, context: RunContext, counts: Counter[str]
) -> None:
    """Keep what a unit brought, or have it done again, or record why it and what stands on it cannot be."""
    unit, failure = done.unit, done.failure
    if failure is not None and (delay := retries.after(describe(unit), failure)) is not None:
        counts["retried"] += 1
        dispatcher.again(unit, delay)
        return
    if isinstance(unit, Column):
        if not dispatcher.still_ours(unit):
            return
        _append(
            writer, done.cells if failure is None else failed_cells(unit, unit.cells, failure.error, context), counts
        )
    elif failure is None:
        counts["trained" if done.trained else "shared"] += 1
    if failure is not None:
        _log.error("failed", what=describe(unit), error=failure.error)
    for blocked in dispatcher.ended(unit, failure.error if failure else None):
        _append(writer, failed_cells(blocked.column, blocked.cells, blocked.why, context), counts)


def run_context(plan: Plan, *, threads: int) -> RunContext:
    """What the workers of one run are told. Paths are absolute: workers may start in another folder."""
    job = plan.job
    return RunContext(
        encoder=replace(plan.encoder, folder=plan.encoder.folder.resolve()),
        precision=plan.precision,
        device="cuda" if job.gpus_per_worker > 0 else "cpu",
        threads=threads,
        corpora=job.corpora.resolve(),
        zoo=_absolute(zoo_of(job)),
        tasks=job.tasks,
        kind=job.kind,
        gpu_share=job.gpus_per_worker,
        method=job.method,
        job=job_id(job),
        run=uuid.uuid4().hex[:12],
    )


@contextmanager
def leases_of(job: Job, run: str) -> Iterator[tuple[Leases, Leases]]:
    """A run's leases of adapters, kept in the zoo, and of columns, kept in the store."""
    zoo = zoo_of(job)
    if not in_bucket(zoo):
        Path(zoo).mkdir(parents=True, exist_ok=True)
    Zoo(zoo).tidy()
    on_adapters, on_columns = open_blobs(f"{zoo}/claims"), open_blobs(f"{job.store}/_claims")
    with Leases(on_adapters, run) as adapters, Leases(on_columns, run) as columns:
        yield adapters, columns


def _append(writer: CellWriter, cells: Sequence[Cell], counts: Counter[str]) -> None:
    writer.append(cells)
    counts.update(cell.status for cell in cells)


def _tell(
    watch: Watch | None, progress: RunMetrics, work: Work, dispatcher: Dispatcher, counts: Counter[str], start: float
) -> None:
    ended = sum(counts[status] for status in STATUSES) + dispatcher.found
    progress.tell(counts, work.cells - ended)
    if watch is not None:
        left, elapsed = dispatcher.left, time.monotonic() - start
        adapters = counts["trained"] + counts["shared"], len(work.adapters)
        watch(JobState(adapters, (ended, work.cells), elapsed * left / (1 - left) if left < 1 else None))


def _summary(plan: Plan, work: Work, counts: Counter[str], seconds: float) -> Summary:
    return Summary(
        trained=counts["trained"],
        reused=work.reused + counts["shared"],
        measured=counts["ok"] + counts["undefined"],
        undefined=counts["undefined"],
        found=work.measured + counts["found"],
        failed=counts["failed"],
        seconds=seconds,
        matrices=tuple(dict.fromkeys(column.matrix for column in plan.columns)),
        notes=plan.notes,
    )


def _absolute(place: str) -> str:
    return place if in_bucket(place) else str(Path(place).resolve())
