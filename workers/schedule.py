"""Which unit of work may start when: an adapter after the one beneath it, a column after its adapters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from workers.plan import Column, LanguageAdapter, PlannedCell, TaskAdapter
from workers.worker import Unit

_TOKENS_AN_ITEM = 40
_TRAINING = 2.0
"""A training token against one that is only read: no gradient of a frozen weight is ever formed."""


@dataclass(frozen=True, slots=True)
class Blocked:
    """Cells of a column that can no longer be measured, and why."""

    column: Column
    cells: tuple[PlannedCell, ...]
    why: str


class Schedule:
    """Units in the order they were planned, each held back until what it stands on is there."""

    def __init__(self, units: Sequence[Unit]) -> None:
        self._waiting = list(units)
        self._running: list[Unit] = []
        self._pending = {unit.key for unit in units if not isinstance(unit, Column)}
        self._broken: dict[str, str] = {}
        self._total = sum(map(cost, units))

    @property
    def active(self) -> bool:
        """Whether anything waits or runs."""
        return bool(self._waiting or self._running)

    @property
    def left(self) -> float:
        """Share of the work, by cost, that has not ended."""
        return sum(map(cost, [*self._waiting, *self._running])) / self._total if self._total else 0.0

    def take(self) -> Unit | None:
        """The first unit that waits for nothing; it counts as running until ``ended``."""
        for index, unit in enumerate(self._waiting):
            if not self._pending & set(needs(unit)):
                self._running.append(self._waiting.pop(index))
                return unit
        return None

    def ended(self, unit: Unit, error: str | None) -> list[Blocked]:
        """Take note that a unit ended, with an error or without. Returns what can no longer be done because of it."""
        self._running.remove(unit)
        if isinstance(unit, Column):
            return []
        self._pending.discard(unit.key)
        if error is None:
            return []
        self._broken[unit.key] = f"{describe(unit)}: {error}"
        return self._drop()

    def _drop(self) -> list[Blocked]:
        """Take out of the waiting units all that stands on a broken adapter."""
        kept: list[Unit] = []
        blocked: list[Blocked] = []
        for unit in self._waiting:
            if not isinstance(unit, Column):
                why = self._why(needs(unit))
                if why is None:
                    kept.append(unit)
                else:
                    self._broken[unit.key] = why
                    self._pending.discard(unit.key)
                continue
            reasons = {cell: self._why(_adapters(cell)) for cell in unit.cells}
            for why in dict.fromkeys(filter(None, reasons.values())):
                blocked.append(Blocked(unit, tuple(cell for cell in unit.cells if reasons[cell] == why), why))
            sound = tuple(cell for cell in unit.cells if reasons[cell] is None)
            if sound:
                kept.append(replace(unit, cells=sound))
        self._waiting = kept
        return blocked

    def _why(self, keys: Sequence[str]) -> str | None:
        return next((self._broken[key] for key in keys if key in self._broken), None)


def needs(unit: Unit) -> list[str]:
    """Keys of the adapters a unit stands on."""
    if isinstance(unit, Column):
        return [key for cell in unit.cells for key in _adapters(cell)]
    return [unit.under] if isinstance(unit, TaskAdapter) and unit.under else []


def cost(unit: Unit) -> float:
    """What a unit costs, in tokens that pass the encoder once forward."""
    if isinstance(unit, LanguageAdapter):
        return _TRAINING * unit.recipe.steps * unit.recipe.tokens
    if isinstance(unit, TaskAdapter):
        return _TRAINING * unit.recipe.epochs * sum(one.items for one in unit.data) * _TOKENS_AN_ITEM
    return float(sum(bool(_adapters(cell)) for cell in unit.cells) * unit.data.items * _TOKENS_AN_ITEM)


def describe(unit: Unit) -> str:
    """A unit in words."""
    if isinstance(unit, LanguageAdapter):
        return f"language adapter {unit.language}"
    if isinstance(unit, TaskAdapter):
        return f"{unit.task} adapter from {'+'.join(one.language for one in unit.data)}, seed {unit.seed}"
    return f"{unit.task} column {unit.target}"


def _adapters(cell: PlannedCell) -> list[str]:
    return [key for key in (cell.task_adapter, cell.language_adapter) if key is not None]
