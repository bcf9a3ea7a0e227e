"""Kinds of tasks, by name. One more is a module beside these: an instance of a ``Task``, and ``register`` it."""

from __future__ import annotations

from typing import Any

from workers.rows import refusal
from workers.tasks import choice, classification, pairs, qa, spans, tagging
from workers.tasks.base import Task

__all__ = ["Task", "kinds", "register", "task_of"]

_REGISTERED: dict[str, Task[Any]] = {}


def register(task: Task[Any]) -> None:
    """Make a kind of task known by its name. Raises ``ValueError`` where another has that name."""
    if _REGISTERED.setdefault(task.name, task) is not task:
        raise ValueError(f"there is a kind of task named {task.name!r} already")


def task_of(kind: str) -> Task[Any]:
    """The kind of task of a name. Raises ``ValueError`` naming the nearest."""
    if kind not in _REGISTERED:
        raise ValueError(refusal("kind", kind, _REGISTERED))
    return _REGISTERED[kind]


def kinds() -> tuple[str, ...]:
    """The names of all kinds, sorted."""
    return tuple(sorted(_REGISTERED))


for _module in (tagging, spans, classification, pairs, qa, choice):
    register(_module.TASK)
