"""Where units of work run: Ray actors that live as long as the job, or this process itself."""

from __future__ import annotations

import contextlib
import logging
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import ray
import structlog
from ray.exceptions import RayError, RayTaskError

from matrices.cells import Cell
from workers.schedule import describe
from workers.worker import Bench, Unit, Worker

_log = structlog.get_logger(__name__)
_DEATHS = 3
"""How often a unit may take its worker down before it counts as the cause."""


@dataclass(frozen=True, slots=True)
class Done:
    """A finished unit: its cells, or the error it failed with."""

    unit: Unit
    cells: tuple[Cell, ...]
    error: str | None


class Pool(Protocol):
    """Runs units, each on a free worker; hands them back in the order they finish."""

    def free(self) -> int:
        """How many units can be submitted now without waiting."""
        ...

    def submit(self, unit: Unit) -> None:
        """Start a unit on a free worker."""
        ...

    def next(self) -> Done:
        """Wait for one submitted unit to end."""
        ...


class InlinePool:
    """One worker in this process: what the driver's contract means, without Ray."""

    def __init__(self, bench: Bench) -> None:
        self._worker = Worker(bench)
        self._waiting: list[Unit] = []

    def free(self) -> int:
        """One, unless a unit waits to be run."""
        return 1 - len(self._waiting)

    def submit(self, unit: Unit) -> None:
        """Remember the unit; ``next`` runs it."""
        self._waiting.append(unit)

    def next(self) -> Done:
        """Run the unit."""
        unit = self._waiting.pop()
        try:
            return Done(unit, tuple(self._worker.work(unit)), None)
        except Exception as error:
            return Done(unit, (), f"{type(error).__name__}: {error}")


class RayPool:
    """Long-lived actors, one encoder each. A worker that dies is replaced and its unit run again elsewhere."""

    def __init__(self, bench: Bench, workers: int, *, cpus: float, gpus: float) -> None:
        environment = {"OMP_NUM_THREADS": str(bench.threads), "TOKENIZERS_PARALLELISM": "false"}
        self._actor: Any = ray.remote(Worker).options(
            num_cpus=cpus, num_gpus=gpus, runtime_env={"env_vars": environment}
        )
        self._bench = ray.put(bench)
        self._idle: list[Any] = [self._actor.remote(self._bench) for _ in range(workers)]
        self._running: dict[Any, _Running] = {}

    def free(self) -> int:
        """Idle workers."""
        return len(self._idle)

    def submit(self, unit: Unit) -> None:
        """Send a unit to an idle worker."""
        self._start(unit, deaths=0)

    def next(self) -> Done:
        """Wait for the first unit to end. What dies with its worker is run again, three times in all."""
        while True:
            (ready,), _ = ray.wait(list(self._running), num_returns=1)
            running = self._running.pop(ready)
            try:
                cells = ray.get(ready)
            except RayTaskError as error:
                self._idle.append(running.worker)
                return Done(running.unit, (), f"{type(error.cause).__name__}: {error.cause}")
            except RayError as error:
                deaths, name = running.deaths + 1, type(error).__name__
                _log.warning(
                    "a worker died; a new one takes its place", error=name, while_at=describe(running.unit), time=deaths
                )
                self._idle.append(self._actor.remote(self._bench))
                if deaths == _DEATHS:
                    return Done(running.unit, (), f"its worker died {deaths} times ({name}); memory may be short")
                self._start(running.unit, deaths)
            else:
                self._idle.append(running.worker)
                return Done(running.unit, tuple(cells), None)

    def close(self) -> None:
        """End the workers, so that a shared cluster has their place at once."""
        for worker in [*self._idle, *(running.worker for running in self._running.values())]:
            ray.kill(worker)

    def _start(self, unit: Unit, deaths: int) -> None:
        worker = self._idle.pop()
        self._running[worker.work.remote(unit)] = _Running(worker, unit, deaths)


@dataclass(frozen=True, slots=True)
class _Running:
    """A unit at work, and how often it lost its worker before."""

    worker: Any
    unit: Unit
    deaths: int


@contextlib.contextmanager
def ray_pool(
    bench: Bench, workers: int, *, address: str | None = None, cpus: float = 1, gpus: float = 0
) -> Iterator[RayPool]:
    """A pool on the Ray cluster at ``address``, or on a local one started for the block (and stopped after it)."""
    # Ray would otherwise resolve the environment anew in every worker when the driver was started by `uv run`.
    os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
    own = not ray.is_initialized()
    if own:
        # Without an address Ray would join whatever cluster it finds on this machine.
        local: dict[str, Any] = (
            {"num_cpus": math.ceil(workers * cpus), "include_dashboard": False} if address is None else {}
        )
        ray.init(address=address or "local", log_to_driver=False, logging_level=logging.ERROR, **local)
    try:
        pool = RayPool(bench, workers, cpus=cpus, gpus=gpus)
        try:
            yield pool
        finally:
            pool.close()
    finally:
        if own:
            ray.shutdown()
