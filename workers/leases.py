"""Leases: which of several jobs does what, so that shared work is done once.

A lease is a small file beside what it stands for, made only if it is absent, which a folder and an object store both
grant to exactly one of many. Its holder changes one more file, its heartbeat, for as long as it lives. A lease expires
when its holder is surely gone: its process has ended (seen from the same machine), its heartbeat file is gone, or its
heartbeat has stood still for a grace period measured here: the clocks of two machines are never compared.

A lease is never overwritten. It is taken over by making its next generation, ``<name>.<n + 1>``, which again only one
can do; the highest generation holds. A holder that only seemed gone finds itself overtaken by asking ``holds``.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import structlog

from adapters_zoo.blobs import BlobStore

HEARTBEAT = 5.0
"""Seconds between two heartbeats of a run."""
GRACE_PERIOD = 60.0
"""Seconds a heartbeat may stand still, as seen from another job, before what its run holds expires."""

_HEARTBEATS = "pulses/"
"""Where heartbeats lie; called as in earlier releases, whose jobs may share the place."""
_RUNS: set[str] = set()
"""The runs of this process that have not ended. What its other runs held has expired."""
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Process:
    """A process, so that others on its machine can tell whether it has ended. ``started`` guards against reused ids."""

    machine: str
    id: int
    started: str

    @classmethod
    def this(cls) -> Process:
        """The calling process."""
        return cls(_machine(), os.getpid(), _state_and_start(os.getpid())[1])

    def ended(self) -> bool:
        """Whether the process is surely over; False also where that cannot be seen from here."""
        if not self.started or self.machine != _machine():
            return False
        state, started = _state_and_start(self.id)
        return state in ("", "Z", "X") or started != self.started


@dataclass(slots=True)
class _Seen:
    """What was last read of another job's heartbeat, and when (on the local clock) that was first read."""

    content: bytes | None
    since: float


class Leases:
    """The leases of one run in one place. A context: leaving it gives every lease back."""

    def __init__(
        self,
        place: BlobStore,
        run: str,
        *,
        process: Process | None = None,
        heartbeat: float = HEARTBEAT,
        grace_period: float = GRACE_PERIOD,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._place, self._run, self._process = place, run, process or Process.this()
        self._heartbeat, self._grace_period, self._clock = heartbeat, grace_period, clock
        self._held: dict[str, tuple[int, bytes]] = {}
        self._given_back: list[tuple[str, int]] = []
        self._seen: dict[str, _Seen] = {}
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        _RUNS.add(run)

    def __enter__(self) -> Leases:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def take(self, name: str, what: str) -> bool:
        """Lease a piece of work, ``what`` in words; False while another run is at it. Never waits. Raises ``OSError``.

        Whoever obtains a lease must look whether the work is done by now before doing it.
        """
        if name in self._held:
            return True
        self._start_heartbeat()
        held = self._holder(name)
        if held is None:
            return self._make(name, 0, what)
        generation, content = held
        if _field(content, "run") == self._run:  # Given back while the place was out of reach, so it is there still.
            self._held[name] = held
            return True
        if not self._has_expired(content):
            return False
        if not self._make(name, generation + 1, what):
            return False
        if self._place.read(_file(name, generation)) != content:
            # It was not gone, or was replaced, between the look and the grasp: what was judged is no longer there.
            self.release(name)
            return False
        _log.warning("took over from a job that is gone", what=what, job=_field(content, "run"))
        return True

    def holds(self, name: str) -> bool:
        """Whether this run still holds a lease, or stood still so long that another took it. Raises ``OSError``."""
        if name not in self._held:
            return False
        if self._place.read(_HEARTBEATS + self._run) is None:
            raise FileNotFoundError("the folder of leases is out of reach: this run's own heartbeat is not there")
        return self._holder(name) == self._held[name]

    def release(self, name: str) -> None:
        """Give a lease back. Where the place is out of reach that is done later."""
        held = self._held.pop(name, None)
        if held is not None:
            with self._lock:
                self._given_back.append((name, held[0]))
            self._clear()

    def close(self) -> None:
        """Give every lease back and end the heartbeat; a lease that could not be given back is free without it."""
        for name in list(self._held):
            self.release(name)
        with contextlib.suppress(OSError):
            self._sweep()
        _RUNS.discard(self._run)
        self._over.set()
        if self._thread is not None:
            self._thread.join()
            with contextlib.suppress(OSError):
                self._place.delete(_HEARTBEATS + self._run)

    def _sweep(self) -> None:
        """Remove the leases of runs that are gone: those on finished work nobody would ask for again."""
        for file in self._place.names():
            name, _, generation = file.rpartition(".")
            if generation.isdigit() and (content := self._place.read(file)) is not None and self._has_expired(content):
                self._place.delete(_file(name, int(generation)))
                self._place.delete(_HEARTBEATS + (_field(content, "run") or name))

    def _make(self, name: str, generation: int, what: str) -> bool:
        entry = {"run": self._run, "what": what, "host": socket.gethostname(), "process": asdict(self._process)}
        content = json.dumps({**entry, "nonce": uuid.uuid4().hex}).encode()
        file = _file(name, generation)
        # A bucket may have made it and the answer been lost; then what is there is one's own.
        if not self._place.create(file, content) and self._place.read(file) != content:
            return False
        self._held[name] = (generation, content)
        return True

    def _holder(self, name: str) -> tuple[int, bytes] | None:
        """The highest generation of a lease and what it says; None where nobody holds it."""
        generations = sorted(int(file.rpartition(".")[2]) for file in self._place.names(f"{name}."))
        for generation in reversed(generations):
            content = self._place.read(_file(name, generation))
            if content is not None:
                return generation, content
        return None

    def _has_expired(self, content: bytes) -> bool:
        process, run = _process_in(content), _field(content, "run")
        if process is not None and (process.ended() or (process == self._process and run not in _RUNS)):
            return True
        # A lease that is only just being written names no run yet: it is its own heartbeat.
        now, heartbeat = self._clock(), content if run is None else self._place.read(_HEARTBEATS + run)
        key = content.hex() if run is None else run
        seen = self._seen.get(key)
        if seen is None or seen.content != heartbeat:
            self._seen[key] = seen = _Seen(heartbeat, now)
        return heartbeat is None or now - seen.since > self._grace_period

    def _start_heartbeat(self) -> None:
        if self._thread is None:
            self._place.write(_HEARTBEATS + self._run, b"0")  # Before the first lease, which would else seem expired.
            self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)
            self._thread.start()

    def _beat(self) -> None:
        beats = 0
        while not self._over.wait(self._heartbeat):
            beats += 1
            try:
                self._place.write(_HEARTBEATS + self._run, str(beats).encode())
            except OSError as error:
                _log.warning("leases are out of reach; other jobs may take the work over", error=str(error))
            else:
                self._clear()

    def _clear(self) -> None:
        """Remove the files of leases given back, own generation last: until then nobody else can begin."""
        with self._lock:
            waiting, self._given_back = self._given_back, []
            for name, generation in waiting:
                try:
                    for number in range(generation + 1):
                        self._place.delete(_file(name, number))
                except OSError:
                    self._given_back.append((name, generation))


def _file(name: str, generation: int) -> str:
    return f"{name}.{generation}"


def _field(content: bytes, name: str) -> str | None:
    try:
        value = json.loads(content)[name]
    except (ValueError, KeyError, TypeError):
        return None
    return value if isinstance(value, str) else None


def _process_in(content: bytes) -> Process | None:
    try:
        return Process(**json.loads(content)["process"])
    except (ValueError, KeyError, TypeError):
        return None


def _machine() -> str:
    """This boot of this machine, as this container sees its processes; empty where the system does not tell."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return ""


def _state_and_start(process: int) -> tuple[str, str]:
    """State letter and start time of a process, empty where there is none (or no ``/proc``)."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return "", ""
    return fields[0], fields[19]
