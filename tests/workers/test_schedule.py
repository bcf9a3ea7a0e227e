"""What may start when, what falls with a failed adapter, and how much is left."""

from __future__ import annotations

import random

import pytest

from adapters_zoo.recipes import LanguageAdapterRecipe, ShiftRecipe, TaskAdapterRecipe
from workers.schedule import Schedule, cost, describe
from workers.work_units import (
    Column,
    DataReference,
    LanguageAdapter,
    PlannedCell,
    Shift,
    TaskAdapter,
    TrainingSnapshot,
    WorkUnit,
    needs,
)


def language(code: str) -> LanguageAdapter:
    return LanguageAdapter(f"language-{code}", code, LanguageAdapterRecipe(steps=10, tokens=64), {})


def task(code: str, under: LanguageAdapter | None = None) -> TaskAdapter:
    below = under.key if under else None
    return TaskAdapter(f"task-{code}", "topic", (data(code),), TaskAdapterRecipe(epochs=1), below, 0, {})


def data(code: str, characters: int = 3000) -> DataReference:
    return DataReference("topic", code, "train", None, "digest", 30, characters)


def cell(name: str, *adapters: LanguageAdapter | TaskAdapter) -> PlannedCell:
    keys = {type(adapter): adapter.key for adapter in adapters}
    return PlannedCell(name, "stack", name, 0, keys.get(TaskAdapter), keys.get(LanguageAdapter))


def column(target: str, *cells: PlannedCell) -> Column:
    return Column("matrix", "topic", target, "accuracy", data(target), cells)


def over(snapshot: str) -> PlannedCell:
    return PlannedCell(snapshot, snapshot, "yor", 0, None, None, snapshot)


SHIFT = Shift(
    "run",
    "yor",
    ShiftRecipe(tokens=64),
    tuple(TrainingSnapshot(f"shift-{n}", n, {}) for n in (1, 10)),
    {"what": "shift"},
)
ENG, DEU = language("eng"), language("deu")
OVER_ENG, OVER_DEU = task("eng", ENG), task("deu", DEU)
BASELINE = cell("baseline")


class TestOrder:
    def test_units_start_in_the_order_given(self) -> None:
        schedule = Schedule([ENG, DEU])
        assert [schedule.take(), schedule.take(), schedule.take()] == [ENG, DEU, None]

    def test_adapters_start_before_columns_and_the_longest_of_a_kind_first(self) -> None:
        short, long, longest = (
            Column("matrix", "topic", code, "accuracy", data(code, characters), (cell("eng", OVER_ENG),))
            for code, characters in (("yor", 300), ("deu", 600), ("fin", 900))
        )
        schedule = Schedule([short, longest, OVER_ENG, ENG, long])
        order = []
        while (unit := schedule.take()) is not None:
            order.append(unit)
            schedule.ended(unit, None)
        assert order == [ENG, OVER_ENG, longest, long, short]

    def test_a_task_adapter_waits_for_the_language_beneath_it(self) -> None:
        schedule = Schedule([ENG, OVER_ENG])
        assert schedule.take() == ENG
        assert schedule.take() is None
        schedule.ended(ENG, None)
        assert schedule.take() == OVER_ENG

    def test_a_column_waits_for_all_its_adapters(self) -> None:
        measured = column("yor", cell("eng", OVER_ENG, DEU))
        schedule = Schedule([ENG, DEU, OVER_ENG, measured])
        for unit in (schedule.take(), schedule.take()):
            assert unit is not None
            schedule.ended(unit, None)
        assert schedule.take() == OVER_ENG
        assert schedule.take() is None
        schedule.ended(OVER_ENG, None)
        assert schedule.take() == measured

    def test_what_waits_lets_others_pass(self) -> None:
        schedule = Schedule([ENG, OVER_ENG, DEU])
        assert [schedule.take(), schedule.take()] == [ENG, DEU]

    def test_an_adapter_that_is_in_the_zoo_already_holds_nothing_back(self) -> None:
        schedule = Schedule([OVER_ENG])
        assert schedule.take() == OVER_ENG

    def test_it_is_active_until_the_last_unit_ended(self) -> None:
        schedule = Schedule([ENG])
        assert schedule.active
        schedule.take()
        assert schedule.active
        schedule.ended(ENG, None)
        assert not schedule.active


class TestFailure:
    def test_a_failed_language_takes_what_stands_on_it_and_nothing_else(self) -> None:
        mixed = column("yor", BASELINE, cell("eng", OVER_ENG), cell("deu", OVER_DEU))
        schedule = Schedule([ENG, DEU, OVER_ENG, OVER_DEU, mixed])
        schedule.take()
        (blocked,) = schedule.ended(ENG, "too short")

        assert blocked.cells == (cell("eng", OVER_ENG),)
        assert blocked.column == mixed
        assert schedule.take() == DEU
        schedule.ended(DEU, None)
        assert schedule.take() == OVER_DEU
        schedule.ended(OVER_DEU, None)
        assert schedule.take() == column("yor", BASELINE, cell("deu", OVER_DEU))
        assert schedule.take() is None

    def test_the_reason_names_the_adapter_that_failed_first(self) -> None:
        schedule = Schedule([ENG, OVER_ENG, column("yor", cell("eng", OVER_ENG))])
        schedule.take()
        (blocked,) = schedule.ended(ENG, "too short")
        assert blocked.why == "language adapter eng: too short"

    def test_cells_that_fall_for_different_reasons_are_told_apart(self) -> None:
        both = column("yor", cell("eng", OVER_ENG), cell("deu", OVER_DEU))
        schedule = Schedule([ENG, DEU, OVER_ENG, OVER_DEU, both])
        schedule.take()
        schedule.take()
        assert [(one.cells, one.why) for one in schedule.ended(ENG, "one")] == [
            ((cell("eng", OVER_ENG),), "language adapter eng: one")
        ]
        assert [(one.cells, one.why) for one in schedule.ended(DEU, "two")] == [
            ((cell("deu", OVER_DEU),), "language adapter deu: two")
        ]
        assert not schedule.active

    def test_a_column_starts_once_what_it_waited_for_fell_away(self) -> None:
        """Its target's language fails, so the task adapters it waited for too are not needed any more."""
        waiting = column("deu", BASELINE, cell("eng", OVER_ENG, DEU))
        schedule = Schedule([ENG, DEU, OVER_ENG, waiting])
        schedule.take()
        schedule.take()
        schedule.ended(DEU, "too short")
        assert schedule.take() == column("deu", BASELINE)
        schedule.ended(ENG, "too short")  # Which the column, running by now, does not stand on.
        assert schedule.take() is None
        schedule.ended(waiting, None)
        assert not schedule.active

    def test_a_failed_column_blocks_nothing(self) -> None:
        failed, other = column("yor", BASELINE), column("hau", BASELINE)
        schedule = Schedule([failed, other])
        schedule.take()
        assert schedule.ended(failed, "unreadable") == []
        assert schedule.take() == other


class TestShift:
    def test_a_column_waits_for_the_run_that_leaves_its_snapshot(self) -> None:
        measured = column("yor", over("shift-1"))
        schedule = Schedule([SHIFT, measured])
        assert schedule.take() == SHIFT
        assert schedule.take() is None
        schedule.ended(SHIFT, None)
        assert schedule.take() == measured

    def test_what_stands_on_any_snapshot_falls_with_the_run(self) -> None:
        mixed = column("yor", BASELINE, over("shift-1"), over("shift-10"))
        schedule = Schedule([SHIFT, mixed])
        schedule.take()
        (blocked,) = schedule.ended(SHIFT, "too short")
        assert (blocked.cells, blocked.why) == (mixed.cells[1:], "shift to yor: too short")
        assert schedule.take() == column("yor", BASELINE)

    def test_it_costs_the_steps_of_its_last_snapshot_with_gradients_of_every_weight(self) -> None:
        assert cost(SHIFT) == 3 * 10 * 64


class TestCost:
    def test_the_share_left_falls_from_one_to_nought(self) -> None:
        schedule = Schedule([ENG, OVER_ENG, column("yor", BASELINE, cell("eng", OVER_ENG))])
        shares = [schedule.left]
        while (unit := schedule.take()) is not None:
            schedule.ended(unit, None)
            shares.append(schedule.left)
        assert shares[0] == 1
        assert shares[-1] == 0
        assert shares == sorted(set(shares), reverse=True)

    def test_what_falls_with_a_failure_is_no_longer_left(self) -> None:
        schedule = Schedule([ENG, OVER_ENG, column("yor", cell("eng", OVER_ENG))])
        schedule.take()
        schedule.ended(ENG, "too short")
        assert schedule.left == 0

    def test_nothing_to_do_leaves_nothing(self) -> None:
        assert Schedule([]).left == 0

    def test_a_constant_answer_costs_nothing_beside_a_measured_cell(self) -> None:
        assert cost(column("yor", BASELINE)) == 0 < cost(column("yor", cell("eng", OVER_ENG)))


@pytest.mark.parametrize("seed", range(20))
def test_every_cell_is_started_or_blocked_once_whatever_fails(seed: int) -> None:
    """Any order of ends and failures: a unit starts when what it stands on ended well, and nothing is left over."""
    rng = random.Random(seed)
    languages = [language(f"l{n}") for n in range(5)]
    tasks = [task(f"t{n}", rng.choice([*languages, None])) for n in range(8)]
    columns = [
        column(f"c{n}", BASELINE, *(cell(f"{n}-{one.key}", one, rng.choice(languages)) for one in rng.sample(tasks, 5)))
        for n in range(6)
    ]
    schedule = Schedule([*languages, *tasks, *columns])
    running: list[WorkUnit] = []
    good: set[str] = set()
    seen: list[tuple[str, PlannedCell]] = []
    while schedule.active:
        while (unit := schedule.take()) is not None:
            assert set(needs(unit)) <= good
            running.append(unit)
        ended = running.pop(rng.randrange(len(running)))
        failed = rng.random() < 0.3
        if isinstance(ended, Column):
            seen += [(ended.target, one) for one in ended.cells]
        elif not failed:
            good.add(ended.key)
        for blocked in schedule.ended(ended, "trouble" if failed else None):
            seen += [(blocked.column.target, one) for one in blocked.cells]
    assert sorted(seen, key=str) == sorted(((one.target, cell) for one in columns for cell in one.cells), key=str)
    assert schedule.left == 0


def test_units_are_described_in_words() -> None:
    assert [describe(unit) for unit in (ENG, SHIFT, OVER_ENG, column("yor", BASELINE))] == [
        "language adapter eng",
        "shift to yor",
        "topic adapter from eng, seed 0",
        "topic column yor",
    ]
