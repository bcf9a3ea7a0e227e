"""What a job comes to before anything runs: its adapters and its cells."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from matrices.cells import BASELINE
from workers.cell_specs import ALONE, STACK
from workers.learners import PlanError
from workers.plan import Plan
from workers.work_units import PlannedCell, kept_as

Plans = Callable[..., Plan]
Knobs = dict[str, Any]


PIVOTS = (["eng", "deu"], ["deu", "eng"])


def cells_of(plan: Plan, target: str) -> list[PlannedCell]:
    return [cell for column in plan.columns if column.target == target for cell in column.cells]


class TestZeroShot:
    def test_task_adapters_are_trained_over_their_source_and_measured_over_the_target(self, plans: Plans) -> None:
        plan = plans()

        for cell in cells_of(plan, "yor"):
            if cell.composition == STACK:
                adapter = plan.tasks[str(cell.task_adapter)]
                assert [data.language for data in adapter.data] == [cell.source]
                assert plan.languages[str(adapter.under)].language == cell.source
                assert plan.languages[str(cell.language_adapter)].language == "yor"

    def test_every_target_has_a_cell_a_source_and_seed_and_one_baseline(self, plans: Plans) -> None:
        expected = [(None, 0), ("eng", 0), ("eng", 1), ("deu", 0), ("deu", 1)]
        assert [(cell.source, cell.seed) for cell in cells_of(plans(), "yor")] == expected

    def test_baseline_stands_on_no_adapter(self, plans: Plans) -> None:
        baseline = cells_of(plans(), "yor")[0]
        assert (baseline.composition, baseline.task_adapter, baseline.language_adapter) == (BASELINE, None, None)

    def test_a_language_adapter_is_shared_by_all_that_needs_it(self, plans: Plans) -> None:
        plan = plans()
        assert sorted(adapter.language for adapter in plan.languages.values()) == ["deu", "eng", "yor"]
        assert len(plan.tasks) == 4  # Two sources, two seeds.


class TestWithoutLanguageAdapters:
    def test_a_task_adapter_is_measured_alone_on_any_target_text_or_not(self, plans: Plans) -> None:
        plan = plans(language_adapter="none", targets=["hau", "yor"])
        assert not plan.languages
        assert not plan.notes
        assert {adapter.under for adapter in plan.tasks.values()} == {None}
        assert {(cell.composition, cell.language_adapter) for cell in plan.cells()} == {
            (BASELINE, None),
            (ALONE, None),
        }

    def test_alone_and_stack_are_cells_of_one_matrix(self, plans: Plans) -> None:
        plan = plans(compositions=["alone", "stack"])
        under = {cell.composition: plan.tasks[str(cell.task_adapter)].under for cell in plan.cells() if cell.source}
        assert under[ALONE] is None
        assert under[STACK] in plan.languages
        assert len({column.matrix for column in plan.columns}) == 1
        assert len(plan.tasks) == 8  # Two sources, two seeds, over a language adapter and without.


class TestLanguageSeeds:
    def test_each_seed_stands_on_language_adapters_of_its_own_run(self, plans: Plans) -> None:
        one, each = plans(), plans(language_seeds="each", language_adapter={"seed": 7})
        assert {cell.language_seed for cell in one.cells() if cell.source} == {0}
        for cell in each.cells():
            if cell.source:
                below = each.languages[str(cell.language_adapter)]
                over = each.languages[str(each.tasks[str(cell.task_adapter)].under)]
                assert below.recipe.seed == over.recipe.seed == cell.language_seed == 7 + cell.seed
        assert len(each.languages) == 2 * len(one.languages)
        assert {column.matrix for column in one.columns} != {column.matrix for column in each.columns}

    def test_so_do_shifts(self, plans: Plans, both: Knobs) -> None:
        plan = plans(**both, language_seeds="each")
        for cell in plan.cells():
            if cell.shift:
                (run,) = [shift for shift in plan.shifts.values() if cell.shift in kept_as(shift)]
                assert (run.language, run.recipe.seed) == (cell.source, cell.language_seed) == (cell.source, cell.seed)
        assert {cell.language_seed for cell in plan.cells() if cell.source is None} == {None}


class TestInterference:
    def test_pivots_need_not_be_sources_and_their_order_does_not_matter(self, plans: Plans) -> None:
        one, other = (plans(kind="interference", pivots=pivots, sources=["yor"]) for pivots in PIVOTS)
        assert {data.language for adapter in one.tasks.values() for data in adapter.data} == {"deu", "eng"}
        assert one.tasks.keys() == other.tasks.keys()
        assert [cell.cell_id for cell in one.cells()] == [cell.cell_id for cell in other.cells()]

    def test_one_task_adapter_a_seed_learns_from_all_pivots_over_no_language(self, plans: Plans) -> None:
        plan = plans(kind="interference", pivots=["eng", "yor"], sources=["eng", "yor", "deu"])
        trained = [([data.language for data in one.data], one.under, one.seed) for one in plan.tasks.values()]
        assert trained == [(["eng", "yor"], None, 0), (["eng", "yor"], None, 1)]

    def test_rows_are_the_languages_put_under_it(self, plans: Plans) -> None:
        plan = plans(kind="interference")
        for cell in cells_of(plan, "yor"):
            below = plan.languages[cell.language_adapter].language if cell.language_adapter else None
            assert below == cell.source

    def test_each_seed_has_a_baseline_with_nothing_added(self, plans: Plans) -> None:
        plan = plans(kind="interference")
        baselines = [cell for cell in cells_of(plan, "yor") if cell.composition == BASELINE]
        assert [(cell.seed, cell.language_adapter) for cell in baselines] == [(0, None), (1, None)]
        assert all(cell.task_adapter in plan.tasks for cell in baselines)

    def test_a_source_without_train_data_is_a_row_all_the_same(self, plans: Plans, corpora: Any) -> None:
        corpora.drop_train_data("deu")
        plan = plans(kind="interference")
        assert {cell.source for cell in cells_of(plan, "yor")} == {None, "eng", "deu"}
        assert {data.language for adapter in plan.tasks.values() for data in adapter.data} == {"eng"}

    def test_pivots_without_train_data_are_refused_by_name(self, plans: Plans, corpora: Any) -> None:
        corpora.drop_train_data("deu")
        with pytest.raises(PlanError, match="`pivots`: deu have no train data for topic; leave them out"):
            plans(kind="interference", pivots=["deu"])


class TestShift:
    def test_every_budget_is_a_composition_beside_the_stack_and_the_baseline_is_measured_once(
        self, plans: Plans, both: Knobs
    ) -> None:
        cells = cells_of(plans(**both), "yor")
        rows = [(cell.composition, cell.source, cell.seed) for cell in cells]
        assert rows == [
            *((BASELINE, None, seed) for seed in (0, 1)),
            *(
                (composition, source, seed)
                for source in ("eng", "deu")
                for composition in (STACK, "shift-1", "shift-10")
                for seed in (0, 1)
            ),
        ]

    def test_all_stand_on_the_same_task_adapters(self, plans: Plans, both: Knobs) -> None:
        plan = plans(**both)
        for cell in plan.cells():
            assert plan.tasks[str(cell.task_adapter)].seed == cell.seed
        assert len(plan.tasks) == 2

    def test_a_language_is_shifted_to_once_for_all_budgets_tasks_and_pivots(self, plans: Plans, both: Knobs) -> None:
        one = plans(**both, tasks=["topic", "mood"])
        assert sorted(shift.language for shift in one.shifts.values()) == ["deu", "eng"]
        for shift in one.shifts.values():
            assert [snapshot.steps for snapshot in shift.snapshots] == [1, 10]
        assert plans(**both, pivots=["deu"]).shifts == one.shifts

    def test_a_shifted_cell_stands_on_the_snapshot_of_its_source_and_budget_and_on_no_language_adapter(
        self, plans: Plans, both: Knobs
    ) -> None:
        plan = plans(**both)
        places = {
            snapshot.key: (f"shift-{snapshot.steps}", shift.language)
            for shift in plan.shifts.values()
            for snapshot in shift.snapshots
        }
        shifted = [cell for cell in plan.cells() if cell.shift is not None]
        assert {(cell.composition, cell.source) for cell in shifted} == set(places.values())
        for cell in shifted:
            assert places[str(cell.shift)] == (cell.composition, cell.source)
            assert cell.language_adapter is None

    def test_shift_alone_needs_no_language_adapter(self, plans: Plans, both: Knobs) -> None:
        plan = plans(**{**both, "compositions": ["shift"]})
        assert not plan.languages
        assert {cell.composition for cell in plan.cells()} == {BASELINE, "shift-1", "shift-10"}

    def test_a_source_without_text_is_shifted_to_by_its_labelled_sentences_and_it_is_said(
        self, plans: Plans, both: Knobs
    ) -> None:
        plan = plans(**{**both, "compositions": ["shift"]}, sources=["hau"])
        assert plan.notes == ("hau: no raw text; its shift learns from labelled train sentences",)


def test_cells_named_in_the_job_are_planned_alone_with_their_baselines(plans: Plans) -> None:
    whole = {cell.cell_id: cell for cell in plans().cells()}
    some = plans(cells={"yor": ("deu",)})

    assert [column.target for column in some.columns] == ["yor"]
    assert {cell.source for cell in some.cells()} == {"deu", None}
    assert all(whole[cell.cell_id] == cell for cell in some.cells())


def test_a_unit_is_as_long_as_the_items_it_reads(plans: Plans, corpora: Any) -> None:
    text = (corpora.root / "yor.test.tsv").read_text(encoding="utf-8")
    (corpora.root / "yor.test.tsv").write_text(text.replace("yor test 23", "a far longer line 23"), encoding="utf-8")

    (_, some), (_, every) = plans(evaluation={"max_items": 21}).columns, plans().columns
    assert (some.data.items, every.data.items) == (21, 24)
    assert some.data.characters == sum(len(f"yor test {number}") for number in range(21))
    assert every.data.characters > some.data.characters + 3 * len("yor test 23")
