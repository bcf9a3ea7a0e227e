"""The version the service answers from: held in memory, and swapped whole when the store has a newer one."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import Any

import structlog

from matrices.bundled import store_or_box
from matrices.reading import Reader, UnknownVersionError
from matrices.snapshot import Snapshot
from matrices.snapshot_of_store import read_snapshot
from matrices.store import Store

log = structlog.get_logger()

_EARLIER = 1
"""Earlier versions kept, the last asked for: with the newest, and one that is being read, three whatever is asked."""
_REST = 3
"""So many times as long as a version took to read, at least, until the next is looked for."""

Prepare = Callable[[Snapshot, Callable[[float], bool]], None]
"""Makes a version ready to be asked; it is given what waits so many seconds, and says whether to go on."""


@dataclass(frozen=True)
class Views:
    """One version: all of it, and what anyone may see of it."""

    everything: Snapshot
    public: Snapshot

    def seen(self, everything: bool) -> Snapshot:
        """What may be seen by whom may see ``everything``, or not."""
        return self.everything if everything else self.public


@dataclass(frozen=True, slots=True)
class Commit:
    """One version of a store: when it was made (ISO 8601), by what, and how many rows it added."""

    version: int
    created: str | None
    what: str
    rows: int | None


class Snapshots:
    """Immutable views of a store; safe from many threads.

    A thread of its own (``watch``) looks for newer versions, so that no request waits for one to be read. Where
    ``refresh_seconds`` is 0 there is none: every request looks, and waits.
    """

    def __init__(
        self,
        store: str | None,
        refresh_seconds: float,
        private: Sequence[str] = (),
        folder: Path | None = None,
        prepare: Prepare | None = None,
    ) -> None:
        """``private`` are patterns of names of matrices; ``prepare`` is run after each swap, in a thread of its own."""
        self._store, self._refresh_seconds, self._private, self._folder = store, refresh_seconds, private, folder
        self._prepare = prepare
        self._lock = threading.Lock()
        self._reader: Reader | None = None
        self._loaded: Views | None = None
        self._earlier: OrderedDict[int, Views] = OrderedDict()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._preparing: threading.Thread | None = None
        self._prepared = ""

    @property
    def settled(self) -> Views | None:
        """The newest version known, where it is to be answered from without a look at the store."""
        return self._loaded if self._refresh_seconds > 0 else None

    def current(self, everything: bool = True) -> Snapshot:
        """The newest version known.

        Raises ``StoreMissingError``, ``StoreTooNewError``, ``StoreUnreadableError`` or ``NoBoxError`` while nothing was
        ever loaded.
        """
        loaded = self._loaded
        if loaded is None:
            with self._lock:
                loaded = self._loaded or self._swap()
        elif self._refresh_seconds == 0:
            with self._lock:
                loaded = self._refreshed(loaded)
        return loaded.seen(everything)

    def at(self, version: int | None, everything: bool = True) -> Snapshot:
        """An earlier version, None for the newest. Raises ``UnknownVersionError``."""
        held = self.current(everything)
        if version is None or version == held.version:
            return held
        if version > held.version:
            raise UnknownVersionError(version, held.version)
        with self._lock:
            found = self._earlier.pop(version, None)
            if found is None:
                # Room is made first: while it is read there are no more than there may be.
                while len(self._earlier) >= _EARLIER:
                    self._earlier.popitem(last=False)
                assert self._loaded is not None
                found = self._views(read_snapshot(store_or_box(self._store), version, before=self._loaded.everything))
            self._earlier[version] = found
        return found.seen(everything)

    def commits(self, most: int) -> list[Commit]:
        """The newest versions there are, the newest first; of the box its own. Raises ``StoreUnreadableError``."""
        reader = self._reader or store_or_box(self._store)
        if not isinstance(reader, Store):
            return [Commit(reader.version, None, "box", None)]
        return [_commit(one) for one in reader.commits()[:most]]

    def watch(self) -> None:
        """Begin to look for newer versions."""
        if self._refresh_seconds > 0:
            self._thread = threading.Thread(target=self._watch, name="snapshots", daemon=True)
            self._thread.start()

    def rest(self) -> None:
        """Look no more; what is being read is read to its end, and what is being prepared is left."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _watch(self) -> None:
        pause = 0.0
        while not self._stop.wait(pause):
            begun = time.monotonic()
            before = self._loaded
            try:
                with self._lock:
                    self._loaded = self._swap() if before is None else self._refreshed(before)
            except Exception as error:
                log.warning("no matrices to answer from yet", cause=str(error))
            self._have_prepared()
            # A job that commits all the time must not keep this process reading all the time.
            pause = max(self._refresh_seconds, _REST * (time.monotonic() - begun))

    def _have_prepared(self) -> None:
        """Begin to prepare the newest version, unless it was, or one is being prepared: its turn comes then."""
        busy = self._preparing is not None and self._preparing.is_alive()
        if self._prepare is None or self._loaded is None or busy or self._loaded.everything.identity == self._prepared:
            return
        self._prepared = self._loaded.everything.identity
        args = (self._prepare, self._loaded.everything, partial(self._pause, self._loaded.everything))
        self._preparing = threading.Thread(target=_prepare, args=args, name="preparing", daemon=True)
        self._preparing.start()

    def _pause(self, held: Snapshot, seconds: float) -> bool:
        """Wait; whether what is held is still the newest, and the service goes on."""
        loaded = None if self._stop.wait(seconds) else self._loaded
        return loaded is not None and loaded.everything.identity == held.identity

    def _refreshed(self, loaded: Views) -> Views:
        try:
            return self._swap()
        except Exception as error:
            # An answer of the version before is better than none while the store cannot be reached.
            log.warning("the store cannot be read; answering from the version before", error=str(error))
            return loaded

    def _swap(self) -> Views:
        self._reader = self._reader or store_or_box(self._store)
        version, before = self._reader.version, self._loaded
        if before is None or before.everything.version != version:
            # One of the earlier versions goes, so that with the one before this there are no more than there may be.
            while before is not None and len(self._earlier) >= _EARLIER:
                self._earlier.popitem(last=False)
            old = None if before is None else before.everything
            held = read_snapshot(self._reader, version, before=old, folder=self._folder)
            self._loaded = before = self._views(held)
            log.info("snapshot loaded", version=version, matrices=len(held.matrices()))
            for note in held.notes:
                log.warning("left out", what=note)
        return before

    def _views(self, held: Snapshot) -> Views:
        names = [info.matrix for info in held.matrices()]
        public = [name for name in names if not any(fnmatchcase(name, pattern) for pattern in self._private)]
        return Views(held, held if len(public) == len(names) else held.only(public))


def _prepare(prepare: Prepare, held: Snapshot, pause: Callable[[float], bool]) -> None:
    try:
        prepare(held, pause)
    except Exception as error:
        log.warning("not everything could be prepared; it is made when it is asked for", error=str(error))


def _commit(told: Mapping[str, Any]) -> Commit:
    moment = told.get("timestamp")
    created = None if moment is None else datetime.fromtimestamp(moment / 1000, UTC).isoformat(timespec="seconds")
    rows = (told.get("operationMetrics") or {}).get("num_added_rows")
    what = str(told.get("operation", "unknown")).split()[0].lower()
    return Commit(told["version"], created, what, None if rows is None else int(rows))
