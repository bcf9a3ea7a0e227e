"""What was read lately, up to a bound: a job of hundreds of languages does not fit in memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Recent(Generic[Key, Value]):
    """Values by key, those asked for longest ago forgotten first. ``most`` bounds the sum of their sizes.

    The value asked for last is always kept, however large.
    """

    def __init__(self, most: int, size: Callable[[Value], int]) -> None:
        self._most, self._size = most, size
        self._kept: OrderedDict[Key, Value] = OrderedDict()
        self._total = 0

    def get(self, key: Key, make: Callable[[], Value]) -> Value:
        """The value of a key, made where it is not there (any more)."""
        if key not in self._kept:
            value = self._kept[key] = make()
            self._total += self._size(value)
            while self._total > self._most and len(self._kept) > 1:
                self._total -= self._size(self._kept.popitem(last=False)[1])
        self._kept.move_to_end(key)
        return self._kept[key]
