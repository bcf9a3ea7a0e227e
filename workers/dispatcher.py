"""What a free worker is given: a unit to retry whose wait is over, else the first of the schedule that it can lease.

Candidates are the units whose inputs are there, and units to retry after a transient error. A unit that another job has
leased is put off. A lease is taken only for work that can start at once, so two jobs never wait for each other.
"""

from __future__ import annotations

import hashlib
import heapq
import time
from collections.abc import Callable
from itertools import count

import structlog

from workers.cell_writer import CellWriter
from workers.failures import Backoff, Retries, failure_of, is_passing, persist
from workers.leases import HEARTBEAT, Leases
from workers.schedule import Blocked, Schedule, describe
from workers.work_units import Column, WorkUnit

_log = structlog.get_logger(__name__)


class Dispatcher:
    """Units that may start now, leased for this run. ``found`` counts cells that other jobs measured meanwhile."""

    def __init__(
        self,
        schedule: Schedule,
        adapters: Leases,
        columns: Leases,
        writer: CellWriter,
        retries: Retries,
        backoff: Backoff,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._schedule, self._adapters, self._columns = schedule, adapters, columns
        self._writer, self._retries, self._backoff, self._clock = writer, retries, backoff, clock
        self._later: list[tuple[float, int, WorkUnit]] = []
        self._numbers = count()
        self._told: set[str] = set()
        self.found = 0

    @property
    def active(self) -> bool:
        """Whether anything waits or runs."""
        return self._schedule.active

    @property
    def left(self) -> float:
        """Share of the work, by cost, that has not ended."""
        return self._schedule.left

    def take(self) -> WorkUnit | None:
        """The next unit, leased; of a column the cells that nobody has measured. None while every unit waits."""
        while (unit := self._next()) is not None:
            try:
                leased = self._leases(unit).take(lease_name(unit), describe(unit))
                left = self._writer.missing(unit) if leased and isinstance(unit, Column) else unit
            except Exception as error:
                if not is_passing(error):
                    raise
                self.again(unit, self._retries.after(describe(unit), failure_of(error)) or 0.0)
                continue
            if not leased:
                self._wait_for_others(unit)
            elif isinstance(left, Column) and isinstance(unit, Column):
                self.found += len(unit.cells) - len(left.cells)
                if left.cells:
                    return left
                self.ended(left, None)
            else:
                return unit
        return None

    def pause(self) -> float | None:
        """Seconds until something that waits is due; None where nothing does."""
        return max(0.0, self._later[0][0] - self._clock()) if self._later else None

    def again(self, unit: WorkUnit, seconds: float) -> None:
        """Do a unit again after a while; it stays leased."""
        heapq.heappush(self._later, (self._clock() + seconds, next(self._numbers), unit))

    def still_ours(self, column: Column) -> bool:
        """Whether a measured column may be kept. If another job took it over, its cells are awaited instead."""
        name = lease_name(column)
        if persist(self._backoff, f"keeping {describe(column)}", lambda: self._columns.holds(name), is_passing):
            return True
        _log.warning(
            "seemed gone to another job, which took this over; what was measured is dropped", what=describe(column)
        )
        self._columns.release(name)
        self.again(column, HEARTBEAT)
        return False

    def ended(self, unit: WorkUnit, error: str | None) -> list[Blocked]:
        """Take note that a unit ended, with an error or without. Returns what can no longer be done because of it."""
        self._leases(unit).release(lease_name(unit))
        if error is None:
            self._retries.succeeded(describe(unit))
        return self._schedule.ended(unit, error)

    def _next(self) -> WorkUnit | None:
        if self._later and self._later[0][0] <= self._clock():
            return heapq.heappop(self._later)[2]
        return self._schedule.take()

    def _wait_for_others(self, unit: WorkUnit) -> None:
        if lease_name(unit) not in self._told:
            self._told.add(lease_name(unit))
            _log.info("another job is at it; its result is awaited", what=describe(unit))
        self.again(unit, HEARTBEAT)

    def _leases(self, unit: WorkUnit) -> Leases:
        return self._columns if isinstance(unit, Column) else self._adapters


def lease_name(unit: WorkUnit) -> str:
    """What a unit is leased under: a learner's key, or a digest of a column's matrix and target."""
    if isinstance(unit, Column):
        return hashlib.sha256(f"{unit.matrix}/{unit.target}".encode()).hexdigest()[:32]
    return unit.key
