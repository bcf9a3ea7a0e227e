"""The units of work a plan consists of: what is trained, and columns of cells to measure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from adapters_zoo.recipes import FewShotRecipe, LanguageAdapterRecipe, ShiftRecipe, TaskRecipe
from matrices.selections import LAST
from workers.corpora.types import Split


@dataclass(frozen=True, slots=True)
class DataReference:
    """Where a worker finds a job's items: the first ``limit`` of one split, and the digest they must have.

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
class RunState:
    """An adapter after ``part`` of ``parts`` equal parts of its training run, kept in the zoo under ``key``.

    The end of a run is no state but the run itself: it is kept under the run's key.
    """

    key: str
    part: int
    parts: int
    made_from: dict[str, Any]


@dataclass(frozen=True, slots=True)
class LanguageAdapter:
    """A language adapter to train or reuse, and the states of its run that are kept."""

    key: str
    language: str
    recipe: LanguageAdapterRecipe
    made_from: dict[str, Any]
    states: tuple[RunState, ...] = ()


@dataclass(frozen=True, slots=True)
class MergedAdapter:
    """A language adapter for ``language`` that is a weighted mean of others', by their keys; weights add up to 1.

    It is kept in the zoo as a language adapter like any other. Nothing is trained, and no text of it is read.
    """

    key: str
    language: str
    parts: tuple[tuple[str, float], ...]
    recipe: LanguageAdapterRecipe
    made_from: dict[str, Any]


@dataclass(frozen=True, slots=True)
class TrainingSnapshot:
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
    snapshots: tuple[TrainingSnapshot, ...]
    made_from: dict[str, Any]


@dataclass(frozen=True, slots=True)
class TaskAdapter:
    """A task adapter to train or reuse, and the states of its run that are kept.

    ``under`` is the key of the frozen language adapter beneath it, if any. ``head`` is the key of the task adapter
    whose frozen head it learns under, where it has no head of its own. ``seed`` decides the order of items,
    ``drawn_by`` the initialisation, which runs under one head share. With keys of ``fused`` adapters it is a fusion of
    those, which stay as they are.
    """

    key: str
    task: str
    data: tuple[DataReference, ...]
    recipe: TaskRecipe
    under: str | None
    seed: int
    made_from: dict[str, Any]
    states: tuple[RunState, ...] = ()
    head: str | None = None
    drawn_by: int | None = None
    fused: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Lesson:
    """What a few-shot run reads of a language: all items of ``data``, or so many ``shots``, drawn by the run's seed.

    ``under`` is the language adapter beneath the task adapter when it reads them, if any.
    """

    data: DataReference
    shots: int | None
    under: str | None


@dataclass(frozen=True, slots=True)
class FewShot:
    """A task adapter that goes on from the weights of ``start`` (from none, where that is None) on its ``lessons``.

    ``recipe`` is that of the weights; ``how`` that of learning on.
    """

    key: str
    task: str
    lessons: tuple[Lesson, ...]
    start: str | None
    recipe: TaskRecipe
    how: FewShotRecipe
    seed: int
    made_from: dict[str, Any]


@dataclass(frozen=True, slots=True)
class DevScores:
    """The scores of task adapters (by key) on dev splits, to select by: numbers kept in the zoo, no weights.

    ``under`` is the language adapter beneath them, if any.
    """

    key: str
    adapters: tuple[str, ...]
    data: tuple[DataReference, ...]
    under: str | None
    made_from: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Selected:
    """What a selection takes of ``runs``, kept in the zoo as a task adapter like any other. Nothing is trained.

    Each run is the keys of its states, the end last; ``scores`` are keys of the ``DevScores`` of each run. Means are
    scored on the same ``data``, over the language adapter ``under``, if any; ``guard`` and ``mean_guard`` say which are
    taken (``workers.selecting``).
    """

    key: str
    task: str
    selection: str
    runs: tuple[tuple[str, ...], ...]
    scores: tuple[str, ...]
    data: tuple[DataReference, ...]
    under: str | None
    guard: float
    mean_guard: float
    recipe: TaskRecipe
    made_from: dict[str, Any]


@dataclass(frozen=True, slots=True)
class PlannedCell:
    """A cell to measure: ``task_adapter`` over ``language_adapter``; a constant answer where both are None.

    ``shift`` is the key of the snapshot that takes the frozen encoder's place, if any. ``language_seed`` is that of
    the language adapter's or the shift's training. ``selection`` names the weights; ``shots`` are labelled items of
    the target that they learned from too.
    """

    cell_id: str
    composition: str
    source: str | None
    seed: int
    task_adapter: str | None
    language_adapter: str | None
    shift: str | None = None
    language_seed: int | None = None
    selection: str = LAST
    shots: int = 0


@dataclass(frozen=True, slots=True)
class Column:
    """All cells of one matrix and target."""

    matrix: str
    task: str
    target: str
    metric: str
    data: DataReference
    cells: tuple[PlannedCell, ...]


Learner = LanguageAdapter | MergedAdapter | Shift | TaskAdapter | FewShot | DevScores | Selected
"""What is trained or derived from what was trained, and is in the zoo afterwards."""
WorkUnit = Learner | Column
"""One piece of work: something to train or derive, or the cells of a column to measure."""


def kept_as(learner: Learner) -> tuple[str, ...]:
    """The keys under which the zoo holds what a learner leaves: its own, one a state, or one a snapshot of a shift."""
    match learner:
        case Shift():
            return tuple(snapshot.key for snapshot in learner.snapshots)
        case LanguageAdapter() | TaskAdapter():
            return (*(state.key for state in learner.states), learner.key)
        case _:
            return (learner.key,)


def keeping(learner: Learner, wanted: Callable[[str], bool]) -> Learner | None:
    """The learner, with those of its states or snapshots alone that are wanted; None where nothing of it is."""
    match learner:
        case Shift():
            snapshots = tuple(snapshot for snapshot in learner.snapshots if wanted(snapshot.key))
            return replace(learner, snapshots=snapshots) if snapshots else None
        case LanguageAdapter() | TaskAdapter():
            states = tuple(state for state in learner.states if wanted(state.key))
            return replace(learner, states=states) if states or wanted(learner.key) else None
        case _:
            return learner if wanted(learner.key) else None


def needs(unit: WorkUnit) -> list[str]:
    """The keys of all that must be in the zoo before a unit can be done."""
    match unit:
        case Column():
            return [key for cell in unit.cells for key in stands_on(cell)]
        case TaskAdapter():
            return [*(key for key in (unit.under, unit.head) if key is not None), *unit.fused]
        case FewShot():
            return [key for key in (unit.start, *(lesson.under for lesson in unit.lessons)) if key is not None]
        case DevScores():
            return [*unit.adapters, *([unit.under] if unit.under else [])]
        case MergedAdapter():
            return [key for key, _ in unit.parts]
        case Selected():
            return [*unit.scores, *(key for run in unit.runs for key in run), *([unit.under] if unit.under else [])]
        case _:
            return []


def stands_on(cell: PlannedCell) -> list[str]:
    """The keys of all that must be in the zoo before a cell can be measured."""
    return [key for key in (cell.task_adapter, cell.language_adapter, cell.shift) if key is not None]
