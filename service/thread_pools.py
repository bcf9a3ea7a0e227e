"""Two pools of threads, so that work of seconds never stands in the way of an answer of milliseconds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable
from typing import TypeVar

import anyio
import anyio.to_thread

Answer = TypeVar("Answer")

QUICK, SLOW = 16, 2
"""Threads of each pool: what is slow takes a processor each, what is quick mostly waits for a lock."""


class NotYetError(Exception):
    """An answer needs something that takes long and is not there: ``work`` makes it, once a ``key``."""

    def __init__(self, key: Hashable, work: Callable[[], object]) -> None:
        super().__init__("not computed yet")
        self.key, self.work = key, work


class ThreadPools:
    """The pools of one application; used from its event loop alone."""

    def __init__(self) -> None:
        self._quick, self._slow = anyio.CapacityLimiter(QUICK), anyio.CapacityLimiter(SLOW)
        self._running: dict[Hashable, asyncio.Task[object]] = {}

    async def run(self, answer: Callable[[], Answer]) -> Answer:
        """What ``answer`` gives, in a quick thread; what it has ``NotYetError`` of is made in a slow one first."""
        while True:
            try:
                return await anyio.to_thread.run_sync(answer, limiter=self._quick)
            except NotYetError as needed:
                # Whoever asks for the same waits for the same, and nobody who leaves takes it along.
                await asyncio.shield(self._made(needed.key, needed.work))

    def _made(self, key: Hashable, work: Callable[[], object]) -> asyncio.Task[object]:
        task = self._running.get(key)
        if task is None:
            task = asyncio.create_task(self._in_slow_pool(work))
            self._running[key] = task
            task.add_done_callback(lambda _: self._running.pop(key, None))
        return task

    async def _in_slow_pool(self, work: Callable[[], object]) -> object:
        return await anyio.to_thread.run_sync(work, limiter=self._slow)
