"""What starts next, between what other jobs are at, what they did meanwhile, and what is to be done again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import structlog

from adapters_zoo.blobs import FolderBlobs
from adapters_zoo.recipes import LanguageAdapterRecipe, ShiftRecipe
from matrices.cells import Cell
from matrices.store import Store
from tests.clock import Clock
from workers.cell_writer import CellWriter
from workers.dispatcher import Dispatcher, lease_name
from workers.failures import Backoff, Retries
from workers.leases import HEARTBEAT, Leases, Process
from workers.schedule import Schedule
from workers.work_units import Column, DataReference, LanguageAdapter, PlannedCell, Shift, TrainingSnapshot, WorkUnit

ELSEWHERE = replace(Process.this(), machine="another machine")


def language(code: str) -> LanguageAdapter:
    return LanguageAdapter(f"language-{code}", code, LanguageAdapterRecipe(steps=10, tokens=64), {})


def column(target: str, *names: str) -> Column:
    cells = tuple(PlannedCell(name, "baseline", None, 0, None, None) for name in names)
    return Column("matrix", "topic", target, "accuracy", DataReference("topic", target, "test", None, "d", 1, 1), cells)


ENG, DEU = language("eng"), language("deu")
YOR, HAU = column("yor", "a", "b"), column("hau", "c")


class Shared:
    """A store and a zoo that several runs share, each with a dispatcher of its own."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.store, self.clock = Store.open(folder / "store", create=True), Clock()
        self._folder, self._stack = folder, stack

    def run(self, name: str, *units: WorkUnit) -> Dispatcher:
        places = (FolderBlobs(self._folder / "claims"), FolderBlobs(self._folder / "store" / "_claims"))
        adapters, columns = (
            self._stack.enter_context(Leases(place, name, process=ELSEWHERE, clock=self.clock)) for place in places
        )
        backoff = Backoff(60)
        writer = CellWriter(self.store, self.store.version, backoff)
        retries = Retries(backoff, self.clock)
        return Dispatcher(Schedule(units), adapters, columns, writer, retries, backoff, self.clock)


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[Shared]:
    with ExitStack() as stack:
        yield Shared(tmp_path, stack)


@pytest.fixture(autouse=True)
def logs() -> Iterator[list[Any]]:
    with structlog.testing.capture_logs() as captured:
        yield captured


def drained(dispatcher: Dispatcher) -> list[WorkUnit]:
    units = []
    while (unit := dispatcher.take()) is not None:
        units.append(unit)
    return units


def test_a_run_alone_takes_everything_in_order(shared: Shared) -> None:
    dispatcher = shared.run("one", ENG, DEU, YOR)
    assert drained(dispatcher) == [ENG, DEU, YOR]
    assert dispatcher.pause() is None


@pytest.mark.parametrize("unit", [ENG, YOR], ids=["adapter", "column"])
def test_what_another_run_is_at_is_left_to_it_and_other_work_done(
    shared: Shared, unit: WorkUnit, logs: list[Any]
) -> None:
    one, other = shared.run("one", unit), shared.run("other", unit, DEU)
    assert drained(one) == [unit]
    assert drained(other) == [DEU]
    assert other.active
    assert other.pause() == HEARTBEAT
    assert [entry["event"] for entry in logs] == ["another job is at it; its result is awaited"]


def test_a_shift_that_another_run_is_at_is_left_to_it_whatever_its_budgets(shared: Shared) -> None:
    snapshots = tuple(TrainingSnapshot(f"after-{steps}", steps, {}) for steps in (1, 10))
    long = Shift("run", "yor", ShiftRecipe(), snapshots, {})
    short = replace(long, snapshots=snapshots[:1])
    one, other = shared.run("one", long), shared.run("other", short, DEU)
    assert drained(one) == [long]
    assert drained(other) == [DEU]
    one.ended(long, None)
    shared.clock.now += HEARTBEAT
    assert drained(other) == [short]  # Which its worker finds in the zoo.


def test_an_adapter_that_another_run_gives_up_is_taken(shared: Shared) -> None:
    one, other = shared.run("one", ENG), shared.run("other", ENG)
    drained(one)
    assert drained(other) == []
    one.ended(ENG, "too short")
    assert drained(other) == []  # It is looked at again only after a while.
    shared.clock.now += HEARTBEAT
    assert drained(other) == [ENG]


def test_cells_that_another_run_measured_are_found_and_the_rest_is_taken(
    shared: Shared, make_cell: Callable[..., Cell]
) -> None:
    other = shared.run("other", YOR, HAU)
    shared.store.append(
        [make_cell(matrix=unit.matrix, target=unit.target, cell_id=name) for unit, name in ((YOR, "a"), (HAU, "c"))]
    )
    assert drained(other) == [replace(YOR, cells=YOR.cells[1:])]
    assert other.found == 2
    other.ended(replace(YOR, cells=YOR.cells[1:]), None)
    assert not other.active


def test_what_is_to_be_done_again_comes_when_its_time_has(shared: Shared) -> None:
    dispatcher = shared.run("one", ENG, DEU)
    assert dispatcher.take() == ENG
    dispatcher.again(ENG, 10)
    assert drained(dispatcher) == [DEU]
    assert dispatcher.pause() == 10
    shared.clock.now += 10
    assert drained(dispatcher) == [ENG]


def test_a_column_that_was_taken_over_is_not_kept(shared: Shared, logs: list[Any]) -> None:
    one, other = shared.run("one", YOR), shared.run("other", YOR)
    drained(one)
    drained(other)
    keep: Callable[[], bool] = lambda: one.still_ours(YOR)  # noqa: E731
    assert keep()
    shared.clock.now += 1000  # The first run seems gone; its pulse is slower than this clock.
    assert drained(other) == [YOR]
    assert not keep()
    assert logs[-1]["event"] == "seemed gone to another job, which took this over; what was measured is dropped"
    assert one.active


def test_a_claim_is_an_adapters_key_or_a_name_of_its_own_for_a_column() -> None:
    names = [lease_name(unit) for unit in (ENG, DEU, YOR, HAU)]
    assert names[:2] == ["language-eng", "language-deu"]
    assert len(set(names)) == 4
