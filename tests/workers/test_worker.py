"""One unit of work at a time: adapters end up in the zoo, columns come back as cells with an outcome an item."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from torch import Tensor

from adapters_zoo.backbone import Encoder
from adapters_zoo.sources import EncoderError
from adapters_zoo.zoo import Trained, Zoo
from matrices.cells import Cell
from workers.corpora import open_corpora
from workers.driver import run_context
from workers.job import Job
from workers.loaded import CorpusChangedError
from workers.plan import Plan, make_plan
from workers.training import TrainingError
from workers.work_units import Column
from workers.worker import Worker


@pytest.fixture
def plan(tiny_corpora: Path, tiny_encoder_folder: Path, tmp_path: Path, job_of: Callable[..., Job]) -> Plan:
    """Corners from two languages in one, on corpora that a test may change."""
    corpora = shutil.copytree(tiny_corpora, tmp_path / "corpora")
    return make_plan(job_of(corpora, tiny_encoder_folder, targets=["qac"]))


@pytest.fixture
def worker(plan: Plan) -> Worker:
    return Worker(run_context(plan, threads=1))


def zoo_of(plan: Plan) -> Zoo:
    assert plan.job.zoo is not None
    return Zoo(plan.job.zoo)


def train(worker: Worker, plan: Plan) -> None:
    for learner in [*plan.languages.values(), *plan.shifts.values(), *plan.tasks.values()]:
        assert worker.work(learner) == []


def measure(worker: Worker, plan: Plan) -> list[Cell]:
    (column,) = plan.columns
    return worker.work(column)


def alter(zoo: Zoo, key: str) -> None:
    (weights,) = {*(Path(zoo.place) / key).rglob("*.safetensors")} - {Path(zoo.place) / key / "head.safetensors"}
    weights.write_bytes(weights.read_bytes()[:-1] + b"?")


class TestTraining:
    def test_an_adapter_is_in_the_zoo_afterwards(self, worker: Worker, plan: Plan) -> None:
        adapter = next(iter(plan.languages.values()))
        worker.work(adapter)
        assert zoo_of(plan).has(adapter.key)

    def test_what_is_in_the_zoo_is_not_trained_again(self, worker: Worker, plan: Plan) -> None:
        adapter = next(iter(plan.languages.values()))
        worker.work(adapter)
        manifest = Path(zoo_of(plan).place) / adapter.key / "manifest.json"
        before = manifest.stat().st_mtime_ns
        worker.work(adapter)
        assert manifest.stat().st_mtime_ns == before

    def test_a_worker_of_its_own_trains_the_same_weights(self, worker: Worker, plan: Plan, tmp_path: Path) -> None:
        other = replace(run_context(plan, threads=1), zoo=tmp_path / "other")
        train(worker, plan)
        train(Worker(other), plan)
        for key in [*plan.languages, *plan.tasks]:
            first, second = (
                {path.name: path.read_bytes() for path in sorted((root / key).rglob("*.safetensors"))}
                for root in (Path(zoo_of(plan).place), Path(other.zoo or ""))
            )
            assert first == second
            assert first

    def test_text_that_changed_since_the_plan_is_refused(self, worker: Worker, plan: Plan) -> None:
        adapter = next(one for one in plan.languages.values() if one.language == "qaa")
        (plan.job.corpora / "text" / "qaa.txt").write_text("other text\n", encoding="utf-8")
        with pytest.raises(CorpusChangedError, match="raw text of qaa changed"):
            worker.work(adapter)
        assert not zoo_of(plan).has(adapter.key)

    def test_no_more_text_is_read_than_asked_for(self, worker: Worker, plan: Plan) -> None:
        adapter = next(iter(plan.languages.values()))
        capped = replace(adapter, key="0" * 32, recipe=adapter.recipe.model_copy(update={"sentences": 1}))
        with pytest.raises(TrainingError, match="tokens of text are too few"):
            worker.work(capped)


class TestMeasuring:
    def test_every_planned_cell_comes_back_in_order(self, worker: Worker, plan: Plan) -> None:
        train(worker, plan)
        assert [cell.cell_id for cell in measure(worker, plan)] == [cell.cell_id for cell in plan.cells()]

    def test_a_score_is_the_ratio_of_its_outcomes(self, worker: Worker, plan: Plan) -> None:
        train(worker, plan)
        for cell in measure(worker, plan):
            assert cell.correct is not None
            assert cell.total is not None
            assert len(cell.correct) == len(cell.total) == cell.n_items == 30
            assert cell.score == sum(cell.correct) / sum(cell.total)
            assert (cell.status, cell.error) == ("ok", None)

    def test_the_baseline_is_the_best_constant_answer(self, worker: Worker, plan: Plan) -> None:
        baseline = measure_baseline(worker, plan)
        dataset = open_corpora(plan.job.corpora).dataset("corner", "qac", "test")
        expected = dataset.rules.constant(dataset.items, "qac")
        assert list(zip(baseline.correct or (), baseline.total or (), strict=True)) == expected

    def test_no_more_items_are_scored_than_asked_for(self, worker: Worker, plan: Plan) -> None:
        column = plan.columns[0]
        few = replace(column, data=replace(column.data, limit=7, items=7), cells=column.cells[:1])
        (baseline,) = worker.work(few)
        assert (baseline.n_items, len(baseline.correct or ())) == (7, 7)

    def test_one_altered_adapter_fails_its_own_cells_and_no_other(self, worker: Worker, plan: Plan) -> None:
        train(worker, plan)
        altered = next(key for key, one in plan.tasks.items() if one.data[0].language == "qab")
        alter(zoo_of(plan), altered)

        cells = measure(worker, plan)

        failed = {(cell.source, cell.seed) for cell in cells if cell.status == "failed"}
        assert failed == {("qab", plan.tasks[altered].seed)}
        assert {cell.status for cell in cells if (cell.source, cell.seed) not in failed} == {"ok"}
        errors = {cell.error for cell in cells if cell.status == "failed"}
        assert all(error is not None and "run the job again to train it" in error for error in errors)
        assert all(cell.score is None and cell.correct is None for cell in cells if cell.status == "failed")

    def test_items_that_changed_since_the_plan_are_refused(self, worker: Worker, plan: Plan) -> None:
        path = plan.job.corpora / "corner" / "test" / "qac.tsv"
        path.write_text(path.read_text(encoding="utf-8").replace("\tnone\n", "\tcorner\n", 1), encoding="utf-8")
        with pytest.raises(CorpusChangedError, match="corner test data of qac changed since the job was planned"):
            measure(worker, plan)


class TestShifting:
    @pytest.fixture
    def plan(self, tiny_corpora: Path, tiny_encoder_folder: Path, tmp_path: Path, job_of: Callable[..., Job]) -> Plan:
        """What two languages do to one task adapter a seed, by both mechanisms."""
        corpora = shutil.copytree(tiny_corpora, tmp_path / "corpora")
        knobs = {"kind": "interference", "compositions": ["stack", "shift"], "targets": ["qac"], "pivots": ["qaa"]}
        shift = {"budgets": [1, 3], "tokens": 128, "length": 32, "learning_rate": 1e-2, "warm_up": 0}
        return make_plan(job_of(corpora, tiny_encoder_folder, **knobs, shift=shift))

    def test_every_planned_cell_is_measured(self, worker: Worker, plan: Plan) -> None:
        train(worker, plan)
        cells = {cell.cell_id: cell for cell in measure(worker, plan)}
        assert cells.keys() == {cell.cell_id for cell in plan.cells()}
        assert {cell.status for cell in cells.values()} == {"ok"}

    def test_an_encoder_that_did_not_learn_scores_what_the_baseline_does(self, worker: Worker, plan: Plan) -> None:
        """As a budget of no steps would: bit by bit the answers of the same task adapter with nothing added."""
        train(worker, plan)
        zoo, (column,) = zoo_of(plan), plan.columns
        shutil.rmtree(zoo.place)
        for adapter in plan.tasks.values():
            worker.work(adapter)
        frozen = Encoder(plan.encoder)
        for shift in plan.shifts.values():
            for snapshot in shift.snapshots:
                zoo.save_weights(frozen, frozen_weights(frozen), Trained(snapshot.key, (), 0, 0), snapshot.made_from)
        cells = worker.work(replace(column, cells=tuple(cell for cell in column.cells if not cell.language_adapter)))
        for seed in plan.job.seeds:
            baseline, *shifted = (cell for cell in cells if cell.seed == seed)
            assert len(shifted) == 4
            assert {cell.correct for cell in shifted} == {baseline.correct}

    def test_a_shift_leaves_nothing_behind_in_the_worker(self, worker: Worker, plan: Plan) -> None:
        train(worker, plan)
        (column,) = plan.columns
        before = [cell.correct for cell in measure(Worker(run_context(plan, threads=1)), plan)]
        assert [cell.correct for cell in measure(worker, plan)] == before
        assert [cell.correct for cell in worker.work(column)] == before

    def test_only_the_budgets_that_are_missing_are_trained(self, worker: Worker, plan: Plan) -> None:
        shift = next(iter(plan.shifts.values()))
        first, last = shift.snapshots
        worker.work(replace(shift, snapshots=(first,)))
        manifest = Path(zoo_of(plan).place) / first.key / "manifest.json"
        before = manifest.stat().st_mtime_ns
        assert not zoo_of(plan).has(last.key)
        worker.work(shift)
        assert zoo_of(plan).has(last.key)
        assert manifest.stat().st_mtime_ns == before

    def test_a_snapshot_is_the_same_whether_its_run_went_on_or_not(
        self, worker: Worker, plan: Plan, tmp_path: Path
    ) -> None:
        shift = next(iter(plan.shifts.values()))
        first = shift.snapshots[0]
        worker.work(shift)
        alone = replace(run_context(plan, threads=1), zoo=str(tmp_path / "other"))
        Worker(alone).work(replace(shift, snapshots=(first,)))
        one, other = (Path(place) / first.key / "encoder.safetensors" for place in (zoo_of(plan).place, alone.zoo))
        assert one.read_bytes() == other.read_bytes()

    def test_one_altered_snapshot_fails_its_own_cells_and_no_other(self, worker: Worker, plan: Plan) -> None:
        train(worker, plan)
        shift = next(iter(plan.shifts.values()))
        alter(zoo_of(plan), shift.snapshots[0].key)

        cells = measure(worker, plan)

        failed = {(cell.composition, cell.source) for cell in cells if cell.status == "failed"}
        assert failed == {("shift-1", shift.language)}
        assert {cell.status for cell in cells if (cell.composition, cell.source) not in failed} == {"ok"}
        assert all("run the job again to train it" in (cell.error or "") for cell in cells if cell.status == "failed")

    def test_text_that_changed_since_the_plan_is_refused(self, worker: Worker, plan: Plan) -> None:
        shift = next(one for one in plan.shifts.values() if one.language == "qaa")
        (plan.job.corpora / "text" / "qaa.txt").write_text("other text\n", encoding="utf-8")
        with pytest.raises(CorpusChangedError, match="raw text of qaa changed"):
            worker.work(shift)
        assert not any(zoo_of(plan).has(snapshot.key) for snapshot in shift.snapshots)


def frozen_weights(encoder: Encoder) -> dict[str, Tensor]:
    """The encoder's own weights by name."""
    with encoder.train_whole() as learning:
        return {name: weight.detach().clone() for name, weight in learning.parameters.items()}


def measure_baseline(worker: Worker, plan: Plan) -> Cell:
    column: Column = plan.columns[0]
    (cell,) = worker.work(replace(column, cells=column.cells[:1]))
    return cell


def test_an_encoder_that_cannot_be_opened_fails_the_unit_and_not_the_worker(plan: Plan, tmp_path: Path) -> None:
    folder = shutil.copytree(plan.encoder.folder, tmp_path / "broken")
    (folder / "model.safetensors").write_bytes(b"not safetensors")
    worker = Worker(replace(run_context(plan, threads=1), encoder=replace(plan.encoder, folder=folder)))
    with pytest.raises(EncoderError, match=r"model\.safetensors: not a safetensors file"):
        worker.work(next(iter(plan.languages.values())))
