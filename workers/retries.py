"""When failed work is tried again: never where the work itself is at fault, else after a while that grows."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import structlog

from workers.failures import Failure, JobInterruptedError

Result = TypeVar("Result")
_log = structlog.get_logger(__name__)
_DEATHS = 3
"""How often a unit may take its worker down, or starve it of memory, before it counts as the cause."""


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
