"""What of a plan is still to do, seen from the store and the zoo: nothing that is there is done again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from adapters_zoo.zoo import Zoo
from matrices.store import Store
from workers.job import Job
from workers.plan import Plan
from workers.work_units import (
    Column,
    LanguageAdapter,
    Learner,
    PlannedCell,
    TaskAdapter,
    keeping,
    kept_as,
    needs,
    stands_on,
)


@dataclass(frozen=True, slots=True)
class Work:
    """What of a plan is still to do: adapters that are not in the zoo and columns with the cells that are missing.

    Shifts count among the ``adapters``, without the snapshots that are in the zoo; so does what is derived from
    adapters. ``reused`` counts the adapters that are in the zoo whole, ``measured`` the cells that are in the store.
    ``version`` is the store's when that was read, -1 where there is no store.
    """

    adapters: tuple[Learner, ...]
    columns: tuple[Column, ...]
    reused: int
    measured: int
    version: int

    @property
    def cells(self) -> int:
        """Cells to measure."""
        return sum(len(column.cells) for column in self.columns)


def pending(plan: Plan, store: Store | None) -> Work:
    """Compare a plan with store and zoo. An adapter is wanted only if a missing cell needs it."""
    version = store.version if store is not None else -1  # Before the cells: what comes between is looked at again.
    columns = tuple(plan.columns if store is None else _missing(plan.columns, store))
    cells = [cell for column in columns for cell in column.cells]
    trained = Zoo(zoo_of(plan.job)).keys()
    adapters = _wanted(plan, cells, trained.__contains__)
    wanted = _wanted(plan, cells, lambda key: False)
    reused = sum(all(key in trained for key in kept_as(learner)) for learner in wanted)
    measured = sum(len(column.cells) for column in plan.columns) - len(cells)
    return Work(tuple(adapters), columns, reused, measured, version)


def zoo_of(job: Job) -> str:
    """Where a job keeps its adapters."""
    if job.zoo is None:
        raise ValueError("the job's paths are not resolved; load it with `load_job` or call `relative_to`")
    return job.zoo


def _missing(columns: Iterable[Column], store: Store) -> Iterator[Column]:
    """Columns with the cells that are not in the store, where there are any; the store is read a matrix at a time."""
    matrix, done = None, set[str]()
    for column in columns:
        if column.matrix != matrix:
            matrix, done = column.matrix, store.measured_ids(matrix=column.matrix)
        cells = tuple(cell for cell in column.cells if cell.cell_id not in done)
        if cells:
            yield replace(column, cells=cells)


def _wanted(plan: Plan, cells: Iterable[PlannedCell], is_trained: Callable[[str], bool]) -> list[Learner]:
    """The learners that these cells stand on, and what those stand on, with the states that are not trained yet."""
    keys = {key for cell in cells for key in stands_on(cell)}
    wanted: list[Learner] = []
    for learner in reversed([*plan.learners()]):  # What stands on others comes behind them.
        if isinstance(learner, LanguageAdapter | TaskAdapter) and learner.key in keys:
            keys.update(kept_as(learner))  # What a job asks to keep of a run, whether or not a selection reads it.
        missing = keeping(learner, lambda key: key in keys and not is_trained(key))
        if missing is not None:
            keys.update(needs(missing))
            wanted.append(missing)
    return wanted[::-1]
