"""Permanent and transient errors: which is which, and when work that failed by the latter is tried again."""

from __future__ import annotations

import errno
import hashlib
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeVar

import structlog
from deltalake.exceptions import DeltaError, SchemaMismatchError

Result = TypeVar("Result")
_log = structlog.get_logger(__name__)
_DEATHS = 3
"""How often a unit may take its worker down, or starve it of memory, before it counts as the cause."""

Cause = Literal["work", "time", "memory", "death", "surroundings"]
"""work: data, settings or code; time: it took too long; memory: an allocation was refused; death: its worker process
died; surroundings: disk, network, store, zoo, or a machine that left."""

_ALLOCATION = re.compile(
    r"can.?t allocate memory|cannot allocate memory|out of memory|bad_alloc|could not create a (primitive|memory)",
    re.IGNORECASE,
)
"""Torch's, the system's, CUDA's, C++'s and oneDNN's words for a refused allocation."""
_SYSTEM_ERROR = re.compile(r"\bos error \d+|\bIoError\b|\bIO ?Error\b", re.IGNORECASE)
"""How libraries written in Rust (safetensors, object stores) name an error of the operating system."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a unit of work did not end well: its cause, and a sentence for people."""

    cause: Cause
    error: str


class JobInterruptedError(RuntimeError):
    """The surroundings stay broken: the job ends, keeping what is done. Says what to mend; run it again to go on."""

    exit_status = 75
    """EX_TEMPFAIL of sysexits.h: the same command may succeed later."""


def failure_of(error: BaseException) -> Failure:
    """The failure an exception stands for, judged by itself and by what it was raised from."""
    cause, said = _cause(error), f"{type(error).__name__}: {error}"
    return Failure(cause, f"out of memory ({said})" if cause == "memory" else said)


def is_passing(error: BaseException) -> bool:
    """Whether an error is of the surroundings, so that the same work may succeed later or elsewhere."""
    return _cause(error) != "work"


def _cause(error: BaseException) -> Cause:
    for link in _chain(error):
        if isinstance(link, MemoryError):
            return "memory"
        if isinstance(link, OSError):
            return "memory" if link.errno == errno.ENOMEM else "surroundings"
        if isinstance(link, DeltaError) and not isinstance(link, SchemaMismatchError):
            return "surroundings"
        if type(link).__module__.partition(".")[0] not in _ROOMS:
            if _ALLOCATION.search(str(link)):
                return "memory"
            if _SYSTEM_ERROR.search(str(link)):
                return "surroundings"
    return "work"


_ROOMS = ("workers", "adapters_zoo", "matrices")


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An exception and those it was raised from, outermost first."""
    link: BaseException | None = error
    while link is not None:
        yield link
        link = link.__cause__


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits that double from ``first`` to ``longest`` seconds, until something has failed for ``outage`` seconds."""

    outage: float
    first: float = 1.0
    longest: float = 60.0

    def delay(self, attempt: int, what: str) -> float:
        """Seconds to wait after failure number ``attempt`` (from 1): half the doubled wait, and a share of the rest.

        The share follows from ``what``, so that many that failed at once do not come back at once, and a run repeats.
        """
        digest = hashlib.sha256(f"{what} {attempt}".encode()).digest()
        share = int.from_bytes(digest[:4], "big") / 2**32
        return min(self.longest, self.first * 2.0 ** (attempt - 1)) * (0.5 + share / 2)


class Retries:
    """The failures of a run so far, and what they mean for the next."""

    def __init__(self, backoff: Backoff, clock: Callable[[], float] = time.monotonic) -> None:
        self._backoff, self._clock = backoff, clock
        self._since: dict[str, float] = {}
        self._attempts: Counter[str] = Counter()
        self._deaths: Counter[str] = Counter()
        self._given_up = 0

    def after(self, what: str, failure: Failure) -> float | None:
        """Seconds until a unit (``what``, in words) is tried again; None where its failure is final.

        Raises ``JobInterruptedError`` once the surroundings have failed it for longer than an outage may last, or
        units one after another take their workers down.
        """
        if failure.cause in ("work", "time"):
            return None
        self._attempts[what] += 1
        delay = self._backoff.delay(self._attempts[what], what)
        if failure.cause in ("memory", "death"):
            self._deaths[what] += 1
            if self._deaths[what] == _DEATHS:
                self._give_up(failure)
                return None
        else:
            since = self._since.setdefault(what, self._clock())
            if self._clock() - since + delay > self._backoff.outage:
                raise JobInterruptedError(_interrupted(what, failure.error, self._clock() - since))
        _log.warning(
            "not the work's own fault: it is done again",
            what=what,
            error=failure.error,
            attempt=self._attempts[what],
            seconds=round(delay, 1),
        )
        return delay

    def succeeded(self, what: str) -> None:
        """A unit succeeded: its failures are past, and workers live."""
        self._since.pop(what, None)
        self._attempts.pop(what, None)
        self._deaths.pop(what, None)
        self._given_up = 0

    def _give_up(self, failure: Failure) -> None:
        self._given_up += 1
        if self._given_up == _DEATHS:
            raise JobInterruptedError(
                f"{_DEATHS} units of work one after another took {_DEATHS} workers each down, with no success between "
                f"them (last: {failure.error}). Memory may be short: lower `workers`, or give them machines with more, "
                "then run the same command again; what is done is kept"
            )


def persist(backoff: Backoff, what: str, act: Callable[[], Result], passing: Callable[[Exception], bool]) -> Result:
    """What ``act`` returns, as soon as it succeeds: errors that are ``passing`` are waited out, others raised at once.

    Raises ``JobInterruptedError`` after an outage.
    """
    start, attempt = time.monotonic(), 0
    while True:
        try:
            return act()
        except Exception as error:
            if not passing(error):
                raise
            attempt += 1
            delay, elapsed = backoff.delay(attempt, what), time.monotonic() - start
            said = f"{type(error).__name__}: {error}"
            if elapsed + delay > backoff.outage:
                raise JobInterruptedError(_interrupted(what, said, elapsed)) from error
            _log.warning(
                "out of reach: it is tried again", what=what, error=said, attempt=attempt, seconds=round(delay, 1)
            )
            time.sleep(delay)


def _interrupted(what: str, error: str, seconds: float) -> str:
    return (
        f"{what}: still failing after {seconds:.0f} s ({error}). This is not the work's own fault, so it is not "
        "recorded as failed: mend it and run the same command again; what is done is kept"
    )
