"""Where units of work run: Ray actors that live as long as the job, or this process itself."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import ray
import structlog
from ray.exceptions import RayActorError, RayError, RayTaskError

from matrices.cells import Cell
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
        self._running: dict[Any, tuple[Any, Unit]] = {}
        self._deaths: dict[int, int] = {}

    def free(self) -> int:
        """Idle workers."""
        return len(self._idle)

    def submit(self, unit: Unit) -> None:
        """Send a unit to an idle worker."""
        worker = self._idle.pop()
        self._running[worker.work.remote(unit)] = (worker, unit)

    def next(self) -> Done:
        """Wait for the first unit to end. What dies with its worker is run again, at most three times."""
        while True:
            (ready,), _ = ray.wait(list(self._running), num_returns=1)
            worker, unit = self._running.pop(ready)
            try:
                cells = ray.get(ready)
            except RayTaskError as error:
                self._idle.append(worker)
                return Done(unit, (), f"{type(error.cause).__name__}: {error.cause}")
            except (RayActorError, RayError) as error:
                self._idle.append(self._actor.remote(self._bench))
                deaths = self._deaths[id(unit)] = self._deaths.get(id(unit), 0) + 1
                _log.warning(
                    "a worker died; its work starts again on a new one", error=type(error).__name__, time=deaths
                )
                if deaths == _DEATHS:
                    return Done(
                        unit, (), f"its worker died {deaths} times ({type(error).__name__}); memory may be short"
                    )
                self.submit(unit)
            else:
                self._idle.append(worker)
                return Done(unit, tuple(cells), None)


@contextlib.contextmanager
def ray_pool(
    bench: Bench, workers: int, *, address: str | None = None, cpus: float = 1, gpus: float = 0
) -> Iterator[RayPool]:
    """A pool on the Ray cluster at ``address``, or on a local one started for the block (and stopped after it)."""
    # Ray would otherwise resolve the environment anew in every worker when the driver was started by `uv run`.
    os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
    own = not ray.is_initialized()
    if own:
        local: dict[str, Any] = (
            {} if address else {"num_cpus": max(1, round(workers * cpus)), "include_dashboard": False}
        )
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR, **local)
    try:
        yield RayPool(bench, workers, cpus=cpus, gpus=gpus)
    finally:
        if own:
            ray.shutdown()
