"""Answers that take long, computed once however many ask for them at the same time, and kept."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Once(Generic[Value]):
    """Values by key; safe from many threads. At most ``most`` are kept, the last asked for.

    Of a failure of one of the types ``final`` it is known that it would come again: it is kept as a value is.
    """

    def __init__(self, most: int, final: tuple[type[Exception], ...] = ()) -> None:
        self._most, self._final, self._lock = most, final, threading.Lock()
        self._kept: OrderedDict[Hashable, Future[Value | Exception]] = OrderedDict()

    def get(self, key: Hashable, compute: Callable[[], Value]) -> Value:
        """The value of a key, from whoever asked first. Raises what ``compute`` raises, to all who wait for it."""
        with self._lock:
            found = self._kept.get(key)
            value: Future[Value | Exception] = found or Future()
            self._kept[key] = value
            self._kept.move_to_end(key)
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)
        if found is None:
            self._run(key, value, compute)
        return _value(value.result())

    def has(self, key: Hashable) -> bool:
        """Whether ``get`` would answer at once."""
        with self._lock:
            found = self._kept.get(key)
        return found is not None and found.done()

    def forget(self, key: Hashable) -> None:
        """Keep the value of a key no longer; who waits for it gets it."""
        with self._lock:
            self._kept.pop(key, None)

    def _run(self, key: Hashable, value: Future[Value | Exception], compute: Callable[[], Value]) -> None:
        try:
            value.set_result(compute())
        except self._final as error:
            # Without its traceback, which would keep alive all that was at hand.
            value.set_result(error.with_traceback(None))
        except BaseException as error:
            # Whoever waits is told; whoever asks again has it tried again.
            with self._lock:
                self._kept.pop(key, None)
            value.set_exception(error)


class Newest(Generic[Value]):
    """As ``Once``, of things that change: values by name and content, of which each name's newest alone is kept."""

    def __init__(self, most: int) -> None:
        self._once, self._most, self._lock = Once[Value](most), most, threading.Lock()
        self._contents: OrderedDict[Hashable, Hashable] = OrderedDict()

    def get(self, name: Hashable, content: Hashable, compute: Callable[[], Value]) -> Value:
        """The value of a name with this content, from whoever asked first. Raises what ``compute`` raises."""
        with self._lock:
            before = self._contents.pop(name, content)
            self._contents[name] = content
            if len(self._contents) > self._most:
                self._contents.popitem(last=False)
        if before != content:
            self._once.forget((name, before))
        return self._once.get((name, content), compute)

    def has(self, name: Hashable, content: Hashable) -> bool:
        """Whether ``get`` would answer at once."""
        return self._once.has((name, content))


def _value(found: Value | Exception) -> Value:
    if isinstance(found, Exception):
        raise _another(found)
    return found


def _another(error: Exception) -> Exception:
    """The same error, to be raised by another thread: one object would gather the tracebacks of all."""
    made = type(error).__new__(type(error), *error.args)
    made.__dict__.update(error.__dict__)
    return made
