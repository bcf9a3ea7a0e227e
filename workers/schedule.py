"""The order of units of work: kinds in turn, the longest first, each as soon as what it stands on is there."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, replace

from adapters_zoo.recipes import TunedRecipe
from matrices.selections import parse
from workers.work_units import (
    Column,
    DataReference,
    DevScores,
    FewShot,
    LanguageAdapter,
    MergedAdapter,
    PlannedCell,
    Selected,
    Shift,
    TaskAdapter,
    WorkUnit,
    kept_as,
    needs,
    stands_on,
)

_CHARACTERS_A_TOKEN = 3
_TRAINING = 2
"""A training token against one that is only read: no gradient of a frozen weight is formed."""
_MEAN = 10
"""Reading the weights of one adapter, against a token that is read."""
_SHIFTING = 3
"""The same where every weight learns."""


@dataclass(frozen=True, slots=True)
class Blocked:
    """Cells of a column that can no longer be measured, and why."""

    column: Column
    cells: tuple[PlannedCell, ...]
    why: str


class Schedule:
    """Adapters before columns, the longest of a kind first, each held back until what it stands on is there.

    Were a long column the last to start, all workers but one would wait for it.

    Every unit knows which inputs it still lacks, and every adapter which units need it. So the end of a unit takes time
    in proportion to the units it frees: a job has thousands of units, and hundreds of thousands of cells.
    """

    def __init__(self, units: Sequence[WorkUnit]) -> None:
        self._waiting = {_name(unit): unit for unit in units}
        self._place = {name: (*_order(unit), at) for at, (name, unit) in enumerate(self._waiting.items())}
        self._running: dict[str, int] = {}
        self._standing: dict[str, list[str]] = {
            key: [] for unit in units if not isinstance(unit, Column) for key in kept_as(unit)
        }
        """By key that is not in the zoo yet, the names of the units that stand on it."""
        self._lacks = {name: self._pending(unit) for name, unit in self._waiting.items()}
        for name, lacks in self._lacks.items():
            for key in lacks:
                self._standing[key].append(name)
        self._ready = [(place, name) for name, place in self._place.items() if not self._lacks[name]]
        self._broken: dict[str, str] = {}
        self._total = self._left = sum(map(cost, units))

    @property
    def active(self) -> bool:
        """Whether anything waits or runs."""
        return bool(self._waiting or self._running)

    @property
    def left(self) -> float:
        """Share of the work, by cost, that has not ended."""
        return self._left / self._total if self._total else 0.0

    def take(self) -> WorkUnit | None:
        """The first unit that waits for nothing; it counts as running until ``ended``."""
        if not self._ready:
            return None
        _, name = heapq.heappop(self._ready)
        unit = self._waiting.pop(name)
        self._running[name] = cost(unit)
        return unit

    def ended(self, unit: WorkUnit, error: str | None) -> list[Blocked]:
        """Take note that a unit ended, with an error or without. Returns what can no longer be done because of it."""
        self._left -= self._running.pop(_name(unit))
        if isinstance(unit, Column):
            return []
        if error is not None:
            self._broken.update(dict.fromkeys(kept_as(unit), f"{describe(unit)}: {error}"))
            return self._drop(kept_as(unit))
        for key in kept_as(unit):
            for name in self._standing.pop(key):
                lacks = self._lacks[name]
                if key in lacks:
                    lacks.remove(key)
                    self._start_if_free(name)
        return []

    def _drop(self, broken: tuple[str, ...]) -> list[Blocked]:
        """Take out of the waiting units all that stands on what a broken learner would have left."""
        columns: set[str] = set()
        keys = [*broken]
        for key in keys:
            for name in self._standing.pop(key):
                unit = self._waiting.get(name)
                if unit is None or key not in self._lacks[name]:
                    continue  # It fell already, or what needed this adapter fell.
                if isinstance(unit, Column):
                    columns.add(name)
                else:
                    self._left -= cost(self._waiting.pop(name))
                    self._broken.update(dict.fromkeys(kept_as(unit), self._broken[key]))
                    keys += kept_as(unit)
        return [blocked for name in sorted(columns, key=self._place.__getitem__) for blocked in self._prune(name)]

    def _prune(self, name: str) -> list[Blocked]:
        """Take out of a waiting column the cells that stand on broken adapters."""
        column = self._waiting[name]
        assert isinstance(column, Column)
        reasons = [self._why(cell) for cell in column.cells]
        sound = replace(column, cells=tuple(cell for cell, why in zip(column.cells, reasons, strict=True) if not why))
        self._left -= cost(column) - cost(sound)
        if sound.cells:
            self._waiting[name] = sound
            self._lacks[name] = self._pending(sound)
            self._start_if_free(name)
        else:
            del self._waiting[name]
        by_reason: dict[str, list[PlannedCell]] = {}
        for cell, why in zip(column.cells, reasons, strict=True):
            if why:
                by_reason.setdefault(why, []).append(cell)
        return [Blocked(column, tuple(cells), why) for why, cells in by_reason.items()]

    def _start_if_free(self, name: str) -> None:
        if not self._lacks[name]:
            heapq.heappush(self._ready, (self._place[name], name))

    def _pending(self, unit: WorkUnit) -> set[str]:
        return {key for key in needs(unit) if key in self._standing}

    def _why(self, cell: PlannedCell) -> str | None:
        return next((self._broken[key] for key in stands_on(cell) if key in self._broken), None)


def _name(unit: WorkUnit) -> str:
    return f"{unit.matrix}/{unit.target}" if isinstance(unit, Column) else unit.key


def cost(unit: WorkUnit) -> int:
    """What a unit costs, in tokens that pass the encoder once forward."""
    if isinstance(unit, LanguageAdapter):
        return _TRAINING * unit.recipe.steps * unit.recipe.tokens
    if isinstance(unit, Shift):
        return _SHIFTING * unit.snapshots[-1].steps * unit.recipe.tokens
    if isinstance(unit, TaskAdapter):
        rate = _SHIFTING if isinstance(unit.recipe, TunedRecipe) else _TRAINING
        return rate * unit.recipe.epochs * sum(map(_tokens, unit.data))
    if isinstance(unit, FewShot):
        of_an_item = sum(_tokens(lesson.data) // lesson.data.items for lesson in unit.lessons)
        return _TRAINING * unit.how.steps * unit.how.batch * of_an_item
    if isinstance(unit, DevScores):
        return len(unit.adapters) * sum(map(_tokens, unit.data))
    if isinstance(unit, MergedAdapter):
        return _MEAN * len(unit.parts)
    if isinstance(unit, Selected):
        judging = sum(map(_tokens, unit.data)) if parse(unit.selection).averages else 0
        return _MEAN * sum(map(len, unit.runs)) + judging
    return sum(bool(stands_on(cell)) for cell in unit.cells) * _tokens(unit.data)


def _tokens(data: DataReference) -> int:
    return data.characters // _CHARACTERS_A_TOKEN


def _order(unit: WorkUnit) -> tuple[int, int]:
    kinds = (LanguageAdapter | Shift, TaskAdapter, FewShot | DevScores, Selected | MergedAdapter, Column)
    return next(at for at, kind in enumerate(kinds) if isinstance(unit, kind)), -cost(unit)


def describe(unit: WorkUnit) -> str:
    """A unit in words."""
    if isinstance(unit, LanguageAdapter):
        return f"language adapter {unit.language}"
    if isinstance(unit, MergedAdapter):
        return f"merged language adapter for {unit.language}"
    if isinstance(unit, Shift):
        return f"shift to {unit.language}"
    if isinstance(unit, TaskAdapter):
        what = "fusion on" if unit.fused else "adapter from"
        return f"{unit.task} {what} {'+'.join(one.language for one in unit.data)}, seed {unit.seed}"
    if isinstance(unit, FewShot):
        read = "+".join(f"{one.data.language}{f' ({one.shots} shots)' if one.shots else ''}" for one in unit.lessons)
        return f"{unit.task} adapter from {read}, seed {unit.seed}"
    if isinstance(unit, DevScores):
        return f"{unit.data[0].task} dev scores on {'+'.join(one.language for one in unit.data)}"
    if isinstance(unit, Selected):
        return f"{unit.task} weights {unit.selection}"
    return f"{unit.task} column {unit.target}"
