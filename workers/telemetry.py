"""What a run tells while it runs: logs with the ids of job, run and unit, and metrics where Ray gathers them.

Ray exports what is measured here with its own metrics, at every node's metrics port and in its dashboard, under
``ray_sprachbund_...``; what a process outside Ray measures is lost.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import resource
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import structlog
import torch
from ray.util import metrics

from matrices.cells import STATUSES

if TYPE_CHECKING:
    from workers.job import Job

_log = structlog.get_logger(__name__)
_SECONDS = [1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0]


def job_id(job: Job) -> str:
    """Eight hexadecimal digits that a job keeps from run to run, as long as its file neither changes nor moves."""
    return hashlib.sha256(job.model_dump_json().encode()).hexdigest()[:8]


class RunMetrics:
    """What a run has done so far, as metrics. ``tell`` takes totals since the run began, at any time."""

    def __init__(self, job: str) -> None:
        self._job, self._start = job, time.monotonic()
        self._told: Counter[str] = Counter()

    def tell(self, done: Mapping[str, int], cells_left: int) -> None:
        """``done``: cells by status, adapters ``trained``, and units ``retried``."""
        meters, job = _meters(), {"job_id": self._job}
        more = Counter(done) - self._told
        self._told += more
        for status in STATUSES:
            if more[status]:
                meters.cells.inc(more[status], {**job, "status": status})
        if more["trained"]:
            meters.adapters.inc(more["trained"], job)
        if more["retried"]:
            meters.retries.inc(more["retried"], job)
        ended, elapsed = sum(done.get(status, 0) for status in STATUSES), time.monotonic() - self._start
        meters.cells_left.set(cells_left, job)
        meters.cells_per_second.set(ended / elapsed if elapsed else 0.0, job)


@contextlib.contextmanager
def observed(job: str, run: str, unit: str, kind: str) -> Iterator[None]:
    """A unit at work: its log lines carry the ids, its seconds and its process's peak memory are measured."""
    start = time.monotonic()
    with structlog.contextvars.bound_contextvars(job=job, run=run, unit=unit):
        try:
            yield
        finally:
            meters, seconds = _meters(), time.monotonic() - start
            _log.info("ended", seconds=round(seconds, 3))
            meters.unit_seconds.observe(seconds, {"job_id": job, "kind": kind})
            for where, peak in _peaks().items():
                meters.peak_memory.set(peak, {"job_id": job, "where": where})


class _Meters:
    """Ray's metrics of this program. Ray keeps them by name, so a process makes them once."""

    def __init__(self) -> None:
        self.cells = metrics.Counter("sprachbund_cells", "Cells that ended, by status.", ("job_id", "status"))
        self.adapters = metrics.Counter("sprachbund_adapters_trained", "Adapters trained.", ("job_id",))
        self.retries = metrics.Counter("sprachbund_retries", "Units that are done again.", ("job_id",))
        self.cells_left = metrics.Gauge("sprachbund_cells_left", "Cells that have not ended.", ("job_id",))
        self.cells_per_second = metrics.Gauge("sprachbund_cells_per_second", "Since the run began.", ("job_id",))
        self.unit_seconds = metrics.Histogram("sprachbund_unit_seconds", "A unit took.", _SECONDS, ("job_id", "kind"))
        self.peak_memory = metrics.Gauge(
            "sprachbund_worker_peak_memory_bytes", "What a worker took at most, of host or GPU.", ("job_id", "where")
        )


_meters = functools.cache(_Meters)


def _peaks() -> dict[str, float]:
    peaks = {"host": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024.0}
    if torch.cuda.is_initialized():
        peaks["gpu"] = float(torch.cuda.max_memory_allocated())
    return peaks
