"""Permanent and transient errors: work that would fail again, and surroundings that may recover."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from deltalake.exceptions import DeltaError, SchemaMismatchError

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
    for one in _chain(error):
        if isinstance(one, MemoryError):
            return "memory"
        if isinstance(one, OSError):
            return "memory" if one.errno == errno.ENOMEM else "surroundings"
        if isinstance(one, DeltaError) and not isinstance(one, SchemaMismatchError):
            return "surroundings"
        if type(one).__module__.partition(".")[0] not in _ROOMS:
            if _ALLOCATION.search(str(one)):
                return "memory"
            if _SYSTEM_ERROR.search(str(one)):
                return "surroundings"
    return "work"


_ROOMS = ("workers", "adapters_zoo", "matrices")


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An exception and those it was raised from, outermost first."""
    one: BaseException | None = error
    while one is not None:
        yield one
        one = one.__cause__
