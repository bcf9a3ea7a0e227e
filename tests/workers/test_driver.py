"""A job from end to end in one process: what it measures, what it finds done, and what a failure costs."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import structlog
from deltalake import DeltaTable

from adapters_zoo.sources import locate_encoder
from adapters_zoo.zoo import Zoo
from matrices.cells import Cell, from_table
from matrices.items import Items
from matrices.measures.registry import measure
from matrices.store import Store
from workers.corpora import open_corpora
from workers.driver import JobState, Summary, fill, run, run_context
from workers.job import Job
from workers.job_settings import EncoderReference
from workers.pending import pending
from workers.plan import Plan, make_plan
from workers.pool import InlinePool

MakeJob = Callable[..., Job]
Results = dict[str, tuple[float | None, tuple[int, ...] | None, tuple[int, ...] | None]]
DAMAGE = b"\xff"
"""Not UTF-8: makes any corpus file unreadable."""


@pytest.fixture
def corpora(tiny_corpora: Path, tmp_path: Path) -> Path:
    """Corpora that a test may damage."""
    return shutil.copytree(tiny_corpora, tmp_path / "corpora")


@pytest.fixture
def job(corpora: Path, tiny_encoder_folder: Path, job_of: MakeJob) -> Callable[..., Job]:
    def make(**knobs: Any) -> Job:
        return job_of(corpora, tiny_encoder_folder, **knobs)

    return make


@pytest.fixture
def logs() -> Any:
    with structlog.testing.capture_logs() as captured:
        yield captured


def filled(job: Job | Plan, watch: Callable[[JobState], None] | None = None) -> Summary:
    """Fill a job, or a plan made earlier, in this process."""
    plan = make_plan(job) if isinstance(job, Job) else job
    store = Store.open(plan.job.store, create=True)
    context = run_context(plan, threads=1)
    return run(plan, pending(plan, store), store, InlinePool(context), context, watch)


def cells_in(job: Job) -> list[Cell]:
    store = Store(job.store)
    return [cell for info in store.matrices() for cell in from_table(store.cells(info.matrix))]


def rows_in(job: Job) -> int:
    """Rows as they were appended, before one of a cell is chosen."""
    rows: int = pa.table(DeltaTable(job.store).scan(["cell_id"])).num_rows
    return rows


def results(cells: Sequence[Cell]) -> Results:
    return {cell.cell_id: (cell.score, cell.correct, cell.total) for cell in cells if cell.status == "ok"}


def counts(summary: Summary) -> tuple[int, int, int, int, int]:
    return summary.trained, summary.reused, summary.measured, summary.found, summary.failed


class TestFilling:
    @pytest.mark.parametrize(("kind", "adapters", "cells"), [("zero_shot", 7, 10), ("interference", 4, 12)])
    def test_every_planned_cell_is_measured(
        self, job: Callable[..., Job], kind: str, adapters: int, cells: int
    ) -> None:
        wanted = job(kind=kind)
        summary = filled(wanted)
        assert counts(summary) == (adapters, 0, cells, 0, 0)
        assert {cell.cell_id for cell in cells_in(wanted)} == {cell.cell_id for cell in make_plan(wanted).cells()}
        assert {cell.status for cell in cells_in(wanted)} == {"ok"}

    def test_both_tasks_and_their_per_item_outcomes(self, job: Callable[..., Job]) -> None:
        wanted = job(tasks=["board", "corner"], sources=["qaa"], targets=["qac"], seeds=[0])
        filled(wanted)
        cells = cells_in(wanted)
        assert {(cell.task, cell.source) for cell in cells} == {
            *(("board", None), ("board", "qaa")),
            *(("corner", None), ("corner", "qaa")),
        }
        for cell in cells:
            assert len(cell.correct or ()) == len(cell.total or ()) == cell.n_items == 30
            assert cell.score == sum(cell.correct or ()) / sum(cell.total or ())

    def test_a_second_run_finds_everything_done_and_trains_nothing(self, job: Callable[..., Job]) -> None:
        wanted = job(targets=["qac"])
        first = filled(wanted)
        version = Store(wanted.store).version
        assert counts(filled(wanted)) == (0, 0, 0, first.measured, 0)
        assert Store(wanted.store).version == version

    def test_all_that_is_done_starts_no_workers(self, job: Callable[..., Job]) -> None:
        wanted = job(targets=["qac"])
        first = filled(wanted)
        # The command's own way in: it would start Ray here if anything were left.
        assert counts(fill(wanted)) == (0, 0, 0, first.measured, 0)

    def test_which_items_were_scored_is_kept_also_for_cells_of_before(self, job: Callable[..., Job]) -> None:
        wanted = job(targets=["qac", "qaa"], evaluation={"split": "test", "max_items": 12})
        filled(wanted)
        store = Store(wanted.store)
        (info,) = store.matrices()
        assert store.items(info.matrix) == {}

        fill(wanted)

        items = store.items(info.matrix)
        data = open_corpora(wanted.corpora).dataset("corner", "qac", "test")
        assert items["qac"] == Items(tuple(item.id for item in data.items[:12]), data.parallel)
        assert items["qac"].parallel is not None
        assert items["qac"] == items["qaa"]
        assert set(store.cells(info.matrix)["n_items"].to_pylist()) == {12}
        (pair,) = measure(store, info.matrix, "consistency").to_pylist()
        assert (pair["source"], pair["target"], pair["items"], pair["seeds"]) == ("qaa", "qac", 12, 2)

    def test_what_the_encoder_was_pretrained_on_is_kept(
        self, job: Callable[..., Job], tiny_encoder_folder: Path
    ) -> None:
        of_card = job(targets=["qac"])
        filled(of_card)
        fill(of_card)
        store, encoder = Store(of_card.store), locate_encoder(str(tiny_encoder_folder))
        assert store.pretrained(encoder.label) == {"qaa", "qab", "qac", "qad", "qae", "qaf"}

        told = EncoderReference(name=str(tiny_encoder_folder), languages=("qaa", "Yoruba"))
        fill(of_card.model_copy(update={"encoder": told}))
        assert store.pretrained(encoder.label) == {"qaa", "yor"}

    def test_a_job_on_another_store_reuses_the_zoo_and_scores_the_same(self, job: Callable[..., Job]) -> None:
        first, second = job(targets=["qac"]), job(targets=["qac"], store="other", zoo="zoo")
        trained = filled(first).trained
        assert counts(filled(second)) == (0, trained, 5, 0, 0)
        assert results(cells_in(first)) == results(cells_in(second))

    def test_progress_ends_with_everything_done_and_no_time_left(self, job: Callable[..., Job]) -> None:
        states: list[JobState] = []
        filled(job(targets=["qac"]), states.append)
        assert (states[0].adapters, states[0].cells, states[0].seconds_left) == ((0, 7), (0, 5), None)
        assert (states[-1].adapters, states[-1].cells, states[-1].seconds_left) == ((7, 7), (5, 5), 0)
        assert [state.adapters[0] for state in states] == sorted(state.adapters[0] for state in states)

    def test_what_stands_in_for_missing_data_is_told_at_the_end_too(
        self, job: Callable[..., Job], corpora: Path
    ) -> None:
        declaration = corpora / "corpora.yaml"
        text = declaration.read_text(encoding="utf-8")
        declaration.write_text(text.replace('"qac", ', "", 1), encoding="utf-8")  # The first block is raw text.
        summary = filled(job(sources=["qaa"], targets=["qac"], seeds=[0]))
        assert summary.notes == ("qac: no raw text; its language adapter learns from labelled train sentences",)
        assert summary.measured == 2

    def test_what_has_no_score_by_its_nature_is_done_and_is_told(self, job: Callable[..., Job], corpora: Path) -> None:
        """F1 of a target without any span, by the answer that never finds one."""
        block = "format: conll, kind: spans, task: names, labels: [PER]"
        declared = (corpora / "corpora.yaml").read_text(encoding="utf-8")
        (corpora / "corpora.yaml").write_text(
            f"{declared}  - {{name: a, {block}, language: qaa, train: a.conll}}\n"
            f"  - {{name: c, {block}, language: qac, test: c.conll}}\n",
            encoding="utf-8",
        )
        (corpora / "a.conll").write_text("a B-PER\nb O\n\n" * 20, encoding="utf-8")
        (corpora / "c.conll").write_text("c O\nd O\n\n" * 20, encoding="utf-8")
        wanted = job(tasks=["names"], sources=["qaa"], targets=["qac"], seeds=[0])

        first = filled(wanted)

        (baseline,) = (cell for cell in cells_in(wanted) if cell.source is None)
        assert (baseline.status, baseline.score, baseline.total) == ("undefined", None, (0,) * 20)
        assert baseline.error == "no span was true or predicted, so F1 is not defined"
        assert (first.measured, first.failed) == (2, 0)
        assert first.undefined >= 1
        assert counts(filled(wanted)) == (0, 0, 0, 2, 0)


class TestExtending:
    @pytest.mark.parametrize(
        ("more", "trained", "measured"),
        [
            ({"sources": ["qaa", "qab"]}, 2, 1),
            ({"targets": ["qac", "qaa"]}, 0, 2),
            ({"seeds": [0, 1]}, 1, 1),
        ],
        ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
    )
    def test_only_what_is_new_is_trained_and_measured(
        self, job: Callable[..., Job], more: dict[str, Any], trained: int, measured: int
    ) -> None:
        small = {"sources": ["qaa"], "targets": ["qac"], "seeds": [0]}
        filled(job(**small))
        before = results(cells_in(job(**small)))

        extended = job(**{**small, **more})
        summary = filled(extended)

        assert (summary.trained, summary.measured, summary.found) == (trained, measured, 2)
        assert results(cells_in(extended)).items() >= before.items()
        assert rows_in(extended) == 2 + measured

    def test_another_recipe_fills_another_matrix_whole(self, job: Callable[..., Job]) -> None:
        small = {"sources": ["qaa"], "targets": ["qac"], "seeds": [0]}
        first, second = job(**small), job(**small, task_adapter={"epochs": 2, "batch": 16, "reduction": 4})
        filled(first)
        filled(second)
        infos = Store(second.store).matrices()
        assert [info.cells for info in infos] == [2, 2]


class TestFailure:
    def test_one_source_failing_leaves_every_other_cell_and_is_retried_alone(
        self, job: Callable[..., Job], corpora: Path, logs: Any
    ) -> None:
        wanted, whole = job(targets=["qac"]), job(targets=["qac"], store="whole", zoo="whole-zoo")
        filled(whole)
        plan = make_plan(wanted)
        text = corpora / "text" / "qab.txt"
        sound = text.read_bytes()
        text.write_bytes(DAMAGE)

        summary = filled(plan)

        assert counts(summary) == (4, 0, 3, 0, 2)  # Two languages, two seeds of one source; baseline and its cells.
        failed = [cell for cell in cells_in(wanted) if cell.status == "failed"]
        assert {cell.source for cell in failed} == {"qab"}
        for cell in failed:
            assert cell.score is None
            assert cell.error is not None
            assert cell.error.startswith("language adapter qab: CorpusError:")
            assert "qab.txt:1: byte 0xff is not UTF-8" in cell.error
        assert any(entry["log_level"] == "error" and "qab" in entry["what"] for entry in logs)

        text.write_bytes(sound)
        assert counts(filled(wanted)) == (3, 1, 2, 3, 0)
        assert results(cells_in(wanted)) == results(cells_in(whole))
        assert {cell.status for cell in cells_in(wanted)} == {"ok"}

    def test_training_that_comes_to_nothing_is_a_row_that_says_why(
        self, job: Callable[..., Job], corpora: Path, logs: Any
    ) -> None:
        (corpora / "text" / "qab.txt").write_text("a\n", encoding="utf-8")
        wanted = job(targets=["qac"], seeds=[0])
        assert counts(filled(wanted)) == (3, 0, 2, 0, 1)
        (failed,) = (cell for cell in cells_in(wanted) if cell.status == "failed")
        assert failed.error is not None
        assert "tokens of text are too few; at least 33 are needed" in failed.error

    def test_an_unreadable_column_fails_alone(self, job: Callable[..., Job], corpora: Path, logs: Any) -> None:
        wanted = job()
        plan = make_plan(wanted)
        (corpora / "corner" / "test" / "qac.tsv").write_bytes(DAMAGE)
        assert counts(filled(plan)) == (7, 0, 5, 0, 5)
        assert {(cell.target, cell.status) for cell in cells_in(wanted)} == {("qaa", "ok"), ("qac", "failed")}

    def test_an_altered_adapter_is_set_aside_and_trained_again(self, job: Callable[..., Job], logs: Any) -> None:
        wanted, again = job(targets=["qac"]), job(targets=["qac"], store="again", zoo="zoo")
        filled(wanted)
        assert wanted.zoo is not None
        key = next(iter(make_plan(wanted).tasks))
        (weights,) = (Path(wanted.zoo) / key / "adapter").glob("*.safetensors")
        weights.write_bytes(weights.read_bytes()[:100])

        # It is found when a column loads it: the other cells are measured, and the next run makes good.
        assert counts(filled(again)) == (0, 7, 4, 0, 1)
        (failed,) = (cell for cell in cells_in(again) if cell.status == "failed")
        assert failed.error is not None
        assert "run the job again to train it" in failed.error
        assert counts(filled(again)) == (1, 2, 1, 4, 0)

        assert results(cells_in(again)) == results(cells_in(wanted))
        assert [folder.name[:32] for folder in (Path(wanted.zoo) / "set-aside").iterdir()] == [key]
        assert Zoo(wanted.zoo).has(key)
