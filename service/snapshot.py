"""The version the service answers from: held in memory, and swapped whole when the store has a newer one."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from functools import lru_cache

import structlog

from matrices.boxed import store_or_box
from matrices.held import Held, hold
from matrices.reading import Reader, UnknownVersionError
from matrices.recommend import Predictor, Question, ask, to_json

log = structlog.get_logger()


@dataclass(frozen=True)
class _Loaded:
    held: Held
    checked: float


class Snapshots:
    """Immutable views of a store. Safe from many threads: at most one looks for a newer version, the others answer."""

    def __init__(self, store: str | None, refresh_seconds: float, answers: int, predictor: Predictor) -> None:
        self._store, self._refresh_seconds = store, refresh_seconds
        self._predictor = predictor
        self._lock = threading.Lock()
        self._reader: Reader | None = None
        self._loaded: _Loaded | None = None
        self._recommendation = lru_cache(answers)(self._recommend)
        self._earlier = lru_cache(2)(self._read_at)

    def current(self) -> Held:
        """The newest version known, at most ``refresh_seconds`` old while the store can be read.

        Raises ``StoreMissingError``, ``StoreTooNewError``, ``StoreUnreadableError`` or ``NoBoxError`` while nothing was
        ever loaded.
        """
        loaded = self._loaded
        if loaded is None:
            with self._lock:
                loaded = self._loaded or self._swap(None)
        elif time.monotonic() - loaded.checked >= self._refresh_seconds and self._lock.acquire(blocking=False):
            try:
                loaded = self._refresh(loaded)
            finally:
                self._lock.release()
        return loaded.held

    def at(self, version: int | None) -> Held:
        """An earlier version, None for the newest. Raises ``UnknownVersionError``."""
        held = self.current()
        if version is None or version == held.version:
            return held
        if version > held.version:
            raise UnknownVersionError(version, held.version)
        return self._earlier(version)

    def recommendation(self, question: Question) -> bytes:
        """The answer as JSON, computed once a version and question. Raises as ``matrices.recommend.ask`` does."""
        return self._recommendation(self.current(), question)

    def _refresh(self, loaded: _Loaded) -> _Loaded:
        try:
            return self._swap(loaded.held)
        except Exception as error:
            # An answer of the version before is better than none while the store cannot be reached.
            log.warning("the store cannot be read; answering from the version before", error=str(error))
            self._loaded = _Loaded(loaded.held, time.monotonic())
            return self._loaded

    def _swap(self, held: Held | None) -> _Loaded:
        self._reader = self._reader or store_or_box(self._store)
        version = self._reader.version
        if held is None or held.version != version:
            held = hold(self._reader, version)
            log.info("snapshot loaded", version=version, matrices=len(held.matrices()))
        self._loaded = _Loaded(held, time.monotonic())
        return self._loaded

    def _read_at(self, version: int) -> Held:
        return hold(store_or_box(self._store), version)

    def _recommend(self, held: Held, question: Question) -> bytes:
        return to_json(ask(held, question, self._predictor))
