"""Where units of work run: Ray actors that live as long as the job, or this process itself."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import ray
import structlog
from ray.exceptions import RayError

from matrices.logs import configure_logs
from workers.cluster import Crew, must_belong, nodes, worker_environment
from workers.failures import Backoff, Failure, JobInterruptedError
from workers.protocol import Done, RunContext
from workers.schedule import describe
from workers.telemetry import observed
from workers.work_units import WorkUnit

if TYPE_CHECKING:
    from workers.worker import Worker

_log = structlog.get_logger(__name__)
_LOOK = 10.0
"""Seconds after which a wait is broken off to see whether the cluster is there, or workers are missing."""

_START = 300.0
"""Seconds that the start of a worker may take, however short an outage may be: libraries are read from a disk."""


class Pool(Protocol):
    """Runs units, each on a free worker; hands them back in the order they finish."""

    def free(self) -> int:
        """How many units can be submitted now without waiting."""
        ...

    def submit(self, unit: WorkUnit) -> None:
        """Start a unit on a free worker."""
        ...

    def next(self, timeout: float | None = None) -> Done | None:
        """Wait for a submitted unit to end. None where a worker became free, or ``timeout`` seconds passed, first."""
        ...


class InlinePool:
    """One worker in this process: what the driver's contract means, without Ray. It cannot stop a unit that hangs."""

    def __init__(self, context: RunContext) -> None:
        self._worker = _worker(context)
        self._waiting: list[WorkUnit] = []

    def free(self) -> int:
        """One, unless a unit waits to be run."""
        return 1 - len(self._waiting)

    def submit(self, unit: WorkUnit) -> None:
        """Remember the unit; ``next`` runs it."""
        self._waiting.append(unit)

    def next(self, timeout: float | None = None) -> Done | None:
        """Run the unit."""
        if self._waiting:
            return self._worker.attempt(self._waiting.pop())
        time.sleep(timeout or 0.0)
        return None


class WorkerActor:
    """A worker in a process of its own: it logs and measures what it does, and can say where it is."""

    def __init__(self, context: RunContext) -> None:
        configure_logs()
        self._context, self._worker = context, _worker(context)

    def attempt(self, unit: WorkUnit) -> Done:
        """See ``Worker``."""
        with observed(self._context.job, self._context.run, describe(unit), type(unit).__name__):
            return self._worker.attempt(unit)

    def node(self) -> str:
        """The id of the node it runs on."""
        return str(ray.get_runtime_context().get_node_id())


class RayPool:
    """Long-lived actors, one encoder each. One that dies, hangs or starves is replaced, and its unit reported failed.

    Units go only to workers that have started, so that none waits for a place on a machine that was lost.
    """

    def __init__(self, context: RunContext, crew: Crew, *, time_limit: float, outage: float) -> None:
        self._actor: Any = ray.remote(WorkerActor).options(
            num_cpus=crew.threads, num_gpus=crew.gpus, runtime_env=worker_environment(crew.threads)
        )
        self._crew, self._time_limit, self._backoff = crew, time_limit, Backoff(outage)
        self._context = ray.put(context)
        self._starting: dict[Any, Any] = {}
        self._idle: list[_WorkerPlace] = []
        self._running: dict[Any, _Running] = {}
        self._lost: Counter[str] = Counter()
        self._stillborn = 0
        self._hire_at: list[float] = []
        self._alive = self._looked = time.monotonic()
        for _ in range(crew.workers):
            self._hire()

    def free(self) -> int:
        """Idle workers."""
        return len(self._idle)

    def submit(self, unit: WorkUnit) -> None:
        """Send a unit to an idle worker."""
        place = self._idle.pop()
        self._running[place.worker.attempt.remote(unit)] = _Running(place, unit, time.monotonic() + self._time_limit)

    def next(self, timeout: float | None = None) -> Done | None:
        """Wait for a unit to end or a worker to start. Raises ``JobInterruptedError`` where no worker can be had."""
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            now = time.monotonic()
            if (overdue := self._overdue(now)) is not None:
                return overdue
            self._see_to_workers(now)
            waits = [
                _LOOK,
                *(running.deadline - now for running in self._running.values()),
                *(at - now for at in self._hire_at),
            ]
            waits += [] if end is None else [end - now]
            ready = _first([*self._running, *self._starting], max(0.0, min(waits)))
            if ready in self._starting:
                self._started(ready)
                return None
            if ready is not None:
                return self._finished(ready)
            if end is not None and time.monotonic() >= end:
                return None

    def close(self) -> None:
        """End the workers, so that a shared cluster has their place at once."""
        places = [*self._idle, *(running.place for running in self._running.values())]
        for worker in [*self._starting.values(), *(place.worker for place in places)]:
            ray.kill(worker)

    def _hire(self) -> None:
        worker = self._actor.remote(self._context)
        self._starting[worker.node.remote()] = worker

    def _started(self, ready: Any) -> None:
        worker = self._starting.pop(ready)
        try:
            place = _WorkerPlace(worker, ray.get(ready))
        except RayError as error:
            self._stillborn += 1
            delay = self._backoff.delay(self._stillborn, "starting a worker")
            _log.warning("a worker could not start; another will be", error=_short(error), seconds=round(delay, 1))
            self._hire_at.append(time.monotonic() + delay)
        else:
            self._stillborn = 0
            self._idle.append(place)

    def _finished(self, ready: Any) -> Done:
        running = self._running.pop(ready)
        try:
            done: Done = ray.get(ready)
        except RayError as error:
            return self._died(running, error)
        if done.failure is not None and done.failure.cause == "memory":
            # What it holds now is what left too little, and it may be torn in the middle of anything.
            ray.kill(running.place.worker)
            self._hire()
        else:
            self._idle.append(running.place)
        return done

    def _died(self, running: _Running, error: RayError) -> Done:
        what = describe(running.unit)
        self._hire()
        if running.place.node not in nodes():
            _log.warning("a machine left the cluster while it worked", what=what, error=_short(error))
            return Done(running.unit, (), Failure("surroundings", f"its machine left the cluster: {_short(error)}"))
        self._lost[what] += 1
        _log.warning("a worker died; a new one takes its place", what=what, error=_short(error), time=self._lost[what])
        said = f"its worker died {_times(self._lost[what])} ({_short(error)}); memory may be short"
        return Done(running.unit, (), Failure("death", said))

    def _overdue(self, now: float) -> Done | None:
        for ref, running in self._running.items():
            if running.deadline <= now:
                del self._running[ref]
                ray.kill(running.place.worker)
                self._hire()
                limit = f"{self._time_limit:g} s"
                _log.error("took too long; its worker was stopped", what=describe(running.unit), limit=limit)
                said = f"stopped after {limit}, the `time_limit` of one unit of work; raise it if that was too short"
                return Done(running.unit, (), Failure("time", said))
        return None

    def _see_to_workers(self, now: float) -> None:
        """Start workers whose time has come; give up where nobody has worked for too long, or the cluster is gone."""
        if now - self._looked > _LOOK:
            self._looked = now
            must_belong()
        due = [at for at in self._hire_at if at <= now]
        self._hire_at = [at for at in self._hire_at if at > now]
        for _ in due:
            self._hire()
        if self._idle or self._running:
            self._alive = now
        elif now - self._alive > max(self._backoff.outage, _START):
            raise JobInterruptedError(
                f"no worker could start for {now - self._alive:.0f} s. Each needs {self._crew.threads} CPU cores and "
                f"{self._crew.gpus:g} GPUs on one machine; the cluster has: {_sizes()}. Add machines or lower "
                "`workers`, then run the same command again; what is done is kept"
            )


@dataclass(frozen=True, slots=True)
class _WorkerPlace:
    """A worker that has started, and the node it is on."""

    worker: Any
    node: str


@dataclass(frozen=True, slots=True)
class _Running:
    """A unit at work, and when (on the monotonic clock) it has taken too long."""

    place: _WorkerPlace
    unit: WorkUnit
    deadline: float


@contextmanager
def ray_pool(context: RunContext, crew: Crew, *, time_limit: float, outage: float) -> Iterator[RayPool]:
    """A pool on the cluster this process has joined, whose workers end with the block."""
    pool = RayPool(context, crew, time_limit=time_limit, outage=outage)
    try:
        yield pool
    finally:
        pool.close()


def _worker(context: RunContext) -> Worker:
    # Where workers run and there alone: the libraries they compute with take seconds to import.
    from workers.worker import Worker

    return Worker(context)


def _first(references: list[Any], timeout: float) -> Any | None:
    if not references:
        time.sleep(timeout)
        return None
    ready, _ = ray.wait(references, num_returns=1, timeout=timeout)
    return ready[0] if ready else None


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


def _short(error: RayError) -> str:
    """Name and first line: Ray's own account goes on with ids and advice on its settings."""
    return f"{type(error).__name__}: {str(error).strip().splitlines()[0]}"


def _sizes() -> str:
    return ", ".join(f"{node.get('CPU', 0):g} cores and {node.get('GPU', 0):g} GPUs" for node in nodes().values())
