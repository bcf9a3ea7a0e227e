"""A job's driver in a process of its own, which is started again when a cluster takes it down.

Ray ends the process of a driver whose head node is lost; nothing can be caught there. What was done is in zoo and
store, so the next driver goes on from it.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Generic, TypeVar

import structlog

from matrices.logs import configure_logs
from workers.cluster import ClusterError
from workers.failures import Backoff, JobInterruptedError

Result = TypeVar("Result")
News = TypeVar("News")
Tell = Callable[[News], None]

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Ended(Generic[Result]):
    """What the process came to."""

    result: Result


class DriverError(RuntimeError):
    """An error of the driver's process that could not be handed on as it was."""


def supervised(act: Callable[[Tell[News]], Result], address: str, outage: float, tell: Tell[News]) -> Result:
    """The result of ``act``, run in another process, and again whenever that process is lost while the job ran.

    ``act`` is given a function for its news, which are passed on to ``tell``. What it raises is raised here, but for a
    cluster that answered before: that one is waited for, up to ``outage`` seconds without anything new. Raises
    ``JobInterruptedError`` after that.
    """
    backoff, attempt, running = Backoff(outage), 0, False
    news: News | None = None
    since = time.monotonic()

    def heard(one: News) -> None:
        nonlocal news, since, attempt, running
        running = True
        if one != news:
            news, since, attempt = one, time.monotonic(), 0
        tell(one)

    while True:
        status, answer = _run(act, heard)
        if isinstance(answer, _Ended):
            return answer.result
        if answer is not None and not (running and isinstance(answer, ClusterError)):
            raise answer
        attempt += 1
        delay, elapsed = backoff.delay(attempt, address), time.monotonic() - since
        said = str(answer) if answer is not None else f"the driver's process ended with status {status}"
        if not running or elapsed + delay > outage:
            raise JobInterruptedError(
                f"{said}; the cluster at {address} has not been of use for {elapsed:.0f} s. See its logs and that its "
                "head has memory to spare, then run the same command again; what is done is kept"
            )
        _log.warning(
            "the cluster was lost; the job goes on when it is back", address=address, error=said, seconds=delay
        )
        time.sleep(delay)


def _run(
    act: Callable[[Tell[News]], Result], heard: Tell[News]
) -> tuple[int | None, _Ended[Result] | Exception | None]:
    """Exit status of a process that ran ``act``, and what came of it: a result, an error, or nothing."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    lifeline, held = context.Pipe(duplex=False)
    process = context.Process(target=_drive, args=(act, sender, lifeline), daemon=True)
    process.start()
    sender.close()
    lifeline.close()
    answer: _Ended[Result] | Exception | None = None
    try:
        while True:
            try:
                kind, content = receiver.recv()
            except (EOFError, OSError):  # It ended, or was cut off.
                break
            except Exception:
                continue  # An error that cannot be made again here; its words came before it.
            if kind == "news":
                heard(content)
            else:
                answer = DriverError(content) if kind == "words" else content
    finally:
        held.close()  # From here on the process ends by itself, if it has not.
        receiver.close()
        process.join()
    return process.exitcode, answer


def _drive(act: Callable[[Tell[News]], Result], sender: Connection, lifeline: Connection) -> None:
    configure_logs()
    threading.Thread(target=_die_with_parent, args=(lifeline,), daemon=True).start()
    try:
        result = act(lambda one: sender.send(("news", one)))
    except Exception as error:
        sender.send(("words", f"{type(error).__name__}: {error}"))
        with contextlib.suppress(Exception):  # Not every error survives the way to another process.
            sender.send(("end", error))
    else:
        sender.send(("end", _Ended(result)))
    sender.close()


def _die_with_parent(lifeline: Connection) -> None:
    try:
        lifeline.recv_bytes()
    except EOFError:
        os._exit(1)
