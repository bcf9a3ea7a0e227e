"""The units of work a plan consists of: what is trained, and columns of cells to measure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from adapters_zoo.recipes import LanguageAdapterRecipe, ShiftRecipe, TaskRecipe
from workers.corpora.types import Split

SELECTION = "last"
"""Which weights of a training run are evaluated."""


@dataclass(frozen=True, slots=True)
class DataReference:
    """Where a worker finds items again: the first ``limit`` of one split, and the digest they must have.

    ``characters`` is about how long they are in all; ``without_copies`` says whether items that are in the dev or test
    split too were left out.
    """

    task: str
    language: str
    split: Split
    limit: int | None
    digest: str
    items: int
    characters: int
    without_copies: bool = False


@dataclass(frozen=True, slots=True)
class LanguageAdapter:
    """A language adapter to train or reuse."""

    key: str
    language: str
    recipe: LanguageAdapterRecipe
    made_from: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The whole encoder after so many steps of a shift, kept in the zoo under ``key``."""

    key: str
    steps: int
    made_from: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Shift:
    """One run of masked-language modelling in a language, to the last of its ``snapshots``, fewest steps first.

    ``key`` names the run, whichever snapshots of it a job asks for: two jobs that share a zoo do not run it at a time.
    """

    key: str
    language: str
    recipe: ShiftRecipe
    snapshots: tuple[Snapshot, ...]
    made_from: dict[str, Any]


@dataclass(frozen=True, slots=True)
class TaskAdapter:
    """A task adapter to train or reuse; ``under`` is the key of the frozen language adapter beneath it, if any."""

    key: str
    task: str
    data: tuple[DataReference, ...]
    recipe: TaskRecipe
    under: str | None
    seed: int
    made_from: dict[str, Any]


@dataclass(frozen=True, slots=True)
class PlannedCell:
    """A cell to measure: ``task_adapter`` over ``language_adapter``; a constant answer where both are None.

    ``shift`` is the key of the snapshot that takes the frozen encoder's place, if any. ``language_seed`` is that of
    the language adapter's or the shift's training.
    """

    cell_id: str
    composition: str
    source: str | None
    seed: int
    task_adapter: str | None
    language_adapter: str | None
    shift: str | None = None
    language_seed: int | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """All cells of one matrix and target."""

    matrix: str
    task: str
    target: str
    metric: str
    data: DataReference
    cells: tuple[PlannedCell, ...]


Learner = LanguageAdapter | Shift | TaskAdapter
"""What is trained, and is in the zoo afterwards."""
Unit = Learner | Column
"""One piece of work: something to train, or the cells of a column to measure."""


def kept_as(learner: Learner) -> tuple[str, ...]:
    """The keys under which the zoo holds what a learner leaves: one, or one a snapshot."""
    if isinstance(learner, Shift):
        return tuple(snapshot.key for snapshot in learner.snapshots)
    return (learner.key,)


def stands_on(cell: PlannedCell) -> list[str]:
    """The keys of all that must be in the zoo before a cell can be measured."""
    return [key for key in (cell.task_adapter, cell.language_adapter, cell.shift) if key is not None]
