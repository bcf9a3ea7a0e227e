"""What a cell and an adapter are told by, so that work that is done is found, and nothing else is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from matrices.cells import cell_id
from workers.plan import Plan

Plans = Callable[..., Plan]
Knobs = dict[str, Any]


def ids(plan: Plan) -> set[str]:
    return {cell.cell_id for cell in plan.cells()}


def named(plan: Plan) -> dict[tuple[str, str | None, int], str]:
    """Cell ids by target, source and seed."""
    return {(column.target, cell.source, cell.seed): cell.cell_id for column in plan.columns for cell in column.cells}


def changed(before: Plan, after: Plan) -> set[tuple[str, str | None]]:
    """(target, source) of cells whose identity differs between two plans of the same shape."""
    old, new = named(before), named(after)
    assert old.keys() == new.keys()
    return {
        (target, source) for (target, source, seed) in old if old[target, source, seed] != new[target, source, seed]
    }


def retrained(before: Plan, after: Plan) -> set[str]:
    """Adapters of the second plan that the first does not make, in words."""
    languages = {adapter.language for key, adapter in after.languages.items() if key not in before.languages}
    tasks = {
        f"{adapter.task} from {'+'.join(one.language for one in adapter.data)}"
        for key, adapter in after.tasks.items()
        if key not in before.tasks
    }
    return languages | tasks


class TestIdentity:
    @pytest.mark.parametrize("kind", ["zero_shot", "interference"])
    def test_the_same_job_plans_the_same(self, plans: Plans, kind: str) -> None:
        first, second = plans(kind=kind), plans(kind=kind)
        assert ids(first) == ids(second)
        assert (first.languages.keys(), first.tasks.keys()) == (second.languages.keys(), second.tasks.keys())

    @pytest.mark.parametrize("kind", [{"kind": "zero_shot"}, {"kind": "interference", "pivots": ["eng"]}])
    @pytest.mark.parametrize(
        "more",
        [
            {"sources": ["eng", "deu", "yor"]},
            {"targets": ["eng", "yor", "deu"]},
            {"seeds": [0, 1, 2]},
            {"tasks": ["topic", "mood"]},
        ],
        ids=lambda more: next(iter(more)),
    )
    def test_extending_a_job_changes_nothing_that_was_planned(
        self, plans: Plans, kind: dict[str, Any], more: dict[str, Any]
    ) -> None:
        before, after = plans(**kind), plans(**kind, **more)
        assert ids(before) < ids(after)
        assert before.languages.keys() <= after.languages.keys()
        assert before.tasks.keys() <= after.tasks.keys()

    def test_a_source_that_is_no_pivot_does_not_change_an_interference_matrix(self, plans: Plans, corpora: Any) -> None:
        corpora.drop_train_data("yor")
        before = plans(kind="interference", targets=["eng"])
        after = plans(kind="interference", targets=["eng"], sources=["eng", "deu", "yor"])
        assert ids(before) < ids(after)

    @pytest.mark.parametrize("kind", ["zero_shot", "interference"])
    def test_a_cell_is_told_by_everything_that_determines_its_score(self, plans: Plans, kind: str) -> None:
        plan = plans(kind=kind)
        for column in plan.columns:
            for cell in column.cells:
                assert cell.cell_id == cell_id(
                    {
                        "matrix": column.matrix,
                        "encoder": plan.encoder.digest,
                        "precision": plan.precision,
                        "kind": kind,
                        "composition": cell.composition,
                        "task": column.task,
                        "source": cell.source,
                        "target": column.target,
                        "data": column.data.digest,
                        "items": column.data.items,
                        "split": "test",
                        "selection": "last",
                        "seed": cell.seed,
                        "task_adapter": cell.task_adapter,
                        "language_adapter": cell.language_adapter,
                    }
                )

    def test_a_shifted_cell_is_told_by_its_snapshot_instead_of_a_language_adapter(self, plans: Plans) -> None:
        plan = plans(kind="interference", compositions=["shift"], targets=["yor"], seeds=[3])
        (column,) = plan.columns
        for cell in column.cells[1:]:
            assert cell.cell_id == cell_id(
                {
                    "matrix": column.matrix,
                    "encoder": plan.encoder.digest,
                    "precision": plan.precision,
                    "kind": "interference",
                    "composition": cell.composition,
                    "task": "topic",
                    "source": cell.source,
                    "target": "yor",
                    "data": column.data.digest,
                    "items": column.data.items,
                    "split": "test",
                    "selection": "last",
                    "seed": 3,
                    "task_adapter": cell.task_adapter,
                    "shift": cell.shift,
                }
            )

    def test_no_two_cells_share_an_identity(self, plans: Plans, both: Knobs) -> None:
        jobs = ({"kind": "zero_shot"}, {"kind": "interference"}, both)
        cells = [cell for job in jobs for cell in plans(**job).cells()]
        assert len({cell.cell_id for cell in cells}) == len(cells)

    def test_a_task_knob_retrains_task_adapters_alone(self, plans: Plans) -> None:
        before, after = plans(), plans(task_adapter={"epochs": 2, "batch": 16, "reduction": 4})
        assert retrained(before, after) == {"topic from eng", "topic from deu"}

    def test_a_language_knob_retrains_languages_and_what_stands_on_them(self, plans: Plans) -> None:
        before, after = plans(), plans(language_adapter={"steps": 5, "tokens": 256, "length": 32})
        assert retrained(before, after) == {"eng", "deu", "yor", "topic from eng", "topic from deu"}

    def test_a_language_knob_leaves_the_task_adapter_of_interference(self, plans: Plans) -> None:
        before = plans(kind="interference")
        after = plans(kind="interference", language_adapter={"steps": 5, "tokens": 256, "length": 32})
        assert retrained(before, after) == {"eng", "deu"}

    @pytest.mark.parametrize("kind", ["zero_shot", "interference"])
    @pytest.mark.parametrize(
        "knob",
        [
            {"task_adapter": {"epochs": 2}},
            {"language_adapter": {"steps": 5}},
            {"evaluation": {"max_items": 21}},
            {"precision": "bf16"},
        ],
        ids=lambda knob: next(iter(knob)),
    )
    def test_other_settings_make_another_matrix_and_none_of_its_cells_counts_as_done(
        self, plans: Plans, kind: str, knob: dict[str, Any]
    ) -> None:
        before, after = plans(kind=kind), plans(kind=kind, **knob)
        assert {column.matrix for column in before.columns}.isdisjoint(column.matrix for column in after.columns)
        assert ids(before).isdisjoint(ids(after))

    def test_evaluation_settings_train_nothing_anew(self, plans: Plans) -> None:
        assert not retrained(plans(), plans(evaluation={"max_items": 21}))

    def test_how_a_job_runs_does_not_matter(self, plans: Plans) -> None:
        assert ids(plans(workers=1)) == ids(plans(workers=3))

    def test_a_train_label_changes_the_rows_of_its_source_alone(self, plans: Plans, corpora: Any) -> None:
        before = plans()
        corpora.label("deu.train.tsv", ["travel", "sports"] * 12, "deu train")
        after = plans()
        assert changed(before, after) == {("eng", "deu"), ("yor", "deu")}
        assert retrained(before, after) == {"topic from deu"}

    def test_a_test_label_changes_the_column_of_its_target_alone(self, plans: Plans, corpora: Any) -> None:
        before = plans()
        corpora.label("yor.test.tsv", ["travel", "sports"] * 12, "yor test")
        after = plans()
        assert changed(before, after) == {("yor", None), ("yor", "eng"), ("yor", "deu")}
        assert not retrained(before, after)

    def test_raw_text_changes_what_stands_on_its_language(self, plans: Plans, corpora: Any) -> None:
        before = plans()
        corpora.write_text("deu", "other words\n")
        after = plans()
        assert changed(before, after) == {("eng", "deu"), ("yor", "deu")}
        assert retrained(before, after) == {"deu", "topic from deu"}

    def test_another_encoder_changes_everything(self, plans: Plans, encoder: Path) -> None:
        before = plans()
        save_file({"lm_head.dense.weight": np.ones(1, np.float32)}, encoder / "model.safetensors")
        after = plans()
        assert ids(before).isdisjoint(ids(after))
        assert before.languages.keys().isdisjoint(after.languages)
        assert before.tasks.keys().isdisjoint(after.tasks)

    def test_where_files_lie_does_not_matter(self, plans: Plans, corpora: Any, tmp_path: Path) -> None:
        before = plans()
        moved = corpora.root.rename(tmp_path / "elsewhere")
        assert ids(plans(corpora=moved)) == ids(before)


class TestShift:
    def test_more_budgets_change_nothing_that_was_planned(self, plans: Plans, both: Knobs) -> None:
        more = {**both, "shift": {**both["shift"], "budgets": [1, 10, 100]}}
        before, after = plans(**both), plans(**more)
        assert ids(before) < ids(after)
        assert before.shifts.keys() == after.shifts.keys()

    def test_another_recipe_of_the_shift_makes_another_matrix_and_leaves_all_adapters(
        self, plans: Plans, both: Knobs
    ) -> None:
        before, after = plans(**both), plans(**{**both, "shift": {**both["shift"], "warm_up": 3}})
        assert ids(before).isdisjoint(ids(after))
        assert {column.matrix for column in before.columns}.isdisjoint(column.matrix for column in after.columns)
        assert before.shifts.keys().isdisjoint(after.shifts)
        assert not retrained(before, after)

    def test_raw_text_changes_the_shift_to_its_language_alone(self, plans: Plans, both: Knobs, corpora: Any) -> None:
        before = plans(**both)
        corpora.write_text("deu", "other words\n")
        after = plans(**both)
        assert [after.shifts[key].language for key in after.shifts.keys() - before.shifts.keys()] == ["deu"]

    def test_without_a_shift_a_matrix_is_named_as_it_always_was(self, plans: Plans) -> None:
        names = [plans(kind=kind).columns[0].matrix for kind in ("zero_shot", "interference")]
        assert names == ["topic-zero_shot-encoder-a1e1334e", "topic-interference-encoder-db2acd1f"]

    def test_shift_alone_measures_a_part_of_what_both_do(self, plans: Plans, both: Knobs) -> None:
        assert ids(plans(**{**both, "compositions": ["shift"]})) < ids(plans(**both))
