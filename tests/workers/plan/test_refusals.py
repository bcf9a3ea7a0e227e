"""What a plan notes, and what it refuses before anything is trained."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from workers.corpora.types import CorpusError
from workers.job import Job
from workers.learners import PlanError
from workers.plan import Plan, make_plan

Plans = Callable[..., Plan]


class TestNotes:
    def test_a_language_without_text_learns_from_labelled_train_sentences_and_it_is_said(self, plans: Plans) -> None:
        plan = plans(targets=["hau"])
        assert plan.notes == ("hau: no raw text; its language adapter learns from labelled train sentences",)

    def test_a_source_without_train_data_is_left_out_and_it_is_said(self, plans: Plans) -> None:
        plan = plans(tasks=["mood"], targets=["eng"])
        assert {cell.source for cell in plan.cells()} == {None, "eng"}
        assert plan.notes == ("mood: no train data for deu; left out",)

    def test_a_target_without_test_data_is_left_out_and_it_is_said(self, plans: Plans) -> None:
        plan = plans(tasks=["mood"], sources=["eng"])
        assert [column.target for column in plan.columns] == ["eng"]
        assert plan.notes == ("mood: no test data for yor; left out",)

    def test_copies_of_test_items_are_left_out_of_training_and_counted(self, plans: Plans, corpora: Any) -> None:
        corpora.label("deu.train.tsv", ["sports", "travel"] * 15, "deu train")
        corpora.label("deu.test.tsv", ["sports"] * 24, "DEU -  Train")  # Other case, punctuation and labels.
        told = "topic: train items whose text is in the dev or test split too, left out of training: deu 24"
        with pytest.raises(CorpusError, match="6 items in the train split of topic in deu; the minimum is 20"):
            plans()
        plan, kept = plans(min_items=5), plans(leave_out_copies=False)
        assert (plan.notes, kept.notes) == ((told,), ())
        assert {data.items for task in plan.tasks.values() for data in task.data if data.language == "deu"} == {6}
        assert {column.matrix for column in kept.columns} != {column.matrix for column in plan.columns}

    def test_labels_that_a_sorted_file_hides_from_a_job_are_named(self, plans: Plans, corpora: Any) -> None:
        corpora.label("yor.test.tsv", ["sports"] * 20 + ["travel"] * 20, "yor test")
        plan = plans(targets=["yor"], evaluation={"max_items": 20})
        told = "none of the first 20 test items is labelled travel, as where a file is sorted by label (yor)"
        assert plan.notes == (f"topic: {told}; `max_items` reads more",)
        assert plans(targets=["yor"], evaluation={"max_items": 21}).notes == ()


class TestRefusals:
    def test_an_encoder_without_a_language_head_is_refused_language_adapters(self, plans: Plans, encoder: Path) -> None:
        save_file({"pooler.dense.weight": np.zeros(1, np.float32)}, encoder / "model.safetensors")
        with pytest.raises(PlanError, match=r"no masked-language-modelling head.*set `language_adapter: none`"):
            plans()
        assert plans(language_adapter="none").columns

    @pytest.mark.parametrize("folder", ["org/Some Encoder", "a\u00e9b", "x", "..."])
    def test_the_name_of_a_matrix_stands_in_an_address(
        self, job_of: Callable[..., Job], corpora: Any, encoder: Path, folder: str
    ) -> None:
        place = encoder.parent / "encoders" / folder
        shutil.copytree(encoder, place)
        knobs = {"tasks": ["topic"], "sources": ["eng"], "targets": ["yor"], "seeds": [0]}
        (column,) = make_plan(job_of(corpora.root, place, **knobs)).columns
        assert re.fullmatch(r"topic-zero_shot-[A-Za-z0-9][\w.-]*-[0-9a-f]{8}", column.matrix, re.ASCII)

    def test_an_unknown_task_names_those_there_are(self, plans: Plans) -> None:
        with pytest.raises(PlanError, match=r"'topics' is not in .*corpora; there are: mood, topic"):
            plans(tasks=["topics"])

    def test_no_train_data_anywhere_names_the_languages_that_have_some(self, plans: Plans) -> None:
        with pytest.raises(PlanError, match="`sources`: none has train data for mood; languages that do: eng"):
            plans(tasks=["mood"], sources=["deu", "yor"])

    def test_no_test_data_anywhere_names_the_languages_that_have_some(self, plans: Plans) -> None:
        with pytest.raises(PlanError, match="`targets`: none has test data for mood; languages that do: eng"):
            plans(tasks=["mood"], sources=["eng"], targets=["yor"])

    def test_a_split_nobody_has_names_the_split_and_not_another_task(self, plans: Plans) -> None:
        with pytest.raises(PlanError, match="no language has dev data for topic; splits there are: test, train"):
            plans(evaluation={"split": "dev"})

    def test_task_adapters_that_would_stand_in_no_layer_are_refused(self, plans: Plans) -> None:
        with pytest.raises(PlanError, match=r"`task_adapter\.leave_out`: 2 of 2 layers leaves none; at most 1"):
            plans(task_adapter={"leave_out": 2})

    def test_a_language_with_nothing_to_learn_from_is_refused(self, plans: Plans, corpora: Any) -> None:
        corpora.drop_train_data("hau")
        with pytest.raises(PlanError, match="hau: neither raw text nor labelled train sentences"):
            plans(targets=["hau"])

    def test_labels_that_differ_between_languages_are_refused_before_training(self, plans: Plans, corpora: Any) -> None:
        corpora.label("deu.train.tsv", ["sport", "travel"] * 12, "deu train")
        with pytest.raises(CorpusError, match=r"(?s)label 'sports?'.*rename it"):
            plans()

    def test_too_few_items_are_refused_before_training(self, plans: Plans, corpora: Any) -> None:
        corpora.label("yor.test.tsv", ["sports", "travel"] * 5, "yor test")
        with pytest.raises(CorpusError, match="10 items in the test split of topic in yor; the minimum is 20"):
            plans()

    def test_a_job_may_lower_the_minimum(self, plans: Plans, corpora: Any) -> None:
        corpora.label("yor.test.tsv", ["sports", "travel"] * 5, "yor test")
        assert [column.target for column in plans(min_items=10).columns] == ["eng", "yor"]
