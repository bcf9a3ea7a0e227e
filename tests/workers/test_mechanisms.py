"""Both ways in which a transfer language can change a fixed task adapter's answers, in one job from end to end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import structlog

from matrices.cells import BASELINE, Cell, from_table
from matrices.grid import grid
from matrices.store import Store
from workers.driver import Summary, fill, run, run_context
from workers.job import Job
from workers.pending import pending
from workers.plan import make_plan
from workers.pool import InlinePool

SHIFT = {"budgets": [1, 3], "tokens": 128, "length": 32, "learning_rate": 1e-2, "warm_up": 0}


@pytest.fixture
def job(tiny_corpora: Path, tiny_encoder_folder: Path, job_of: Callable[..., Job]) -> Callable[..., Job]:
    """Two transfer languages, one target, two seeds: 2 baselines, 4 cells of the stack and 4 of each budget."""

    def make(**knobs: Any) -> Job:
        both = {"kind": "interference", "compositions": ["stack", "shift"], "shift": SHIFT, "pivots": ["qaa"]}
        return job_of(tiny_corpora, tiny_encoder_folder, **{**both, "targets": ["qac"], **knobs})

    return make


def filled(job: Job) -> Summary:
    """Fill a job in this process."""
    plan, store = make_plan(job), Store.open(job.store, create=True)
    context = run_context(plan, threads=1)
    return run(plan, pending(plan, store), store, InlinePool(context), context)


def cells_in(job: Job) -> list[Cell]:
    store = Store(job.store)
    return [cell for info in store.matrices() for cell in from_table(store.cells(info.matrix))]


def results(job: Job) -> dict[str, tuple[object, ...]]:
    return {cell.cell_id: (cell.status, cell.score, cell.correct, cell.total) for cell in cells_in(job)}


def counts(summary: Summary) -> tuple[int, int, int, int, int]:
    return summary.trained, summary.reused, summary.measured, summary.found, summary.failed


def test_one_matrix_holds_both_mechanisms_apart_over_one_baseline(job: Callable[..., Job]) -> None:
    wanted = job()
    assert counts(filled(wanted)) == (6, 0, 14, 0, 0)  # Two language adapters, shifts and seeds.
    cells = cells_in(wanted)
    assert len({cell.matrix for cell in cells}) == 1
    assert Counter(cell.composition for cell in cells) == {BASELINE: 2, "stack": 4, "shift-1": 4, "shift-3": 4}
    table = Store(wanted.store).cells(cells[0].matrix)
    baselines = [grid(table, composition=name).baseline for name in ("stack", "shift-1", "shift-3")]
    assert baselines[0] == baselines[1] == baselines[2] != {}
    changes = [tuple(grid(table, composition=name).changes.values()) for name in ("stack", "shift-1", "shift-3")]
    assert len(set(changes)) == 3


def test_a_second_run_finds_everything_done(job: Callable[..., Job]) -> None:
    filled(job())
    assert counts(filled(job())) == (0, 0, 0, 14, 0)


def test_a_further_budget_trains_its_snapshots_and_measures_its_cells_alone(job: Callable[..., Job]) -> None:
    filled(job())
    before = results(job())
    more = job(shift={**SHIFT, "budgets": [1, 2, 3]})
    assert counts(filled(more)) == (2, 2, 4, 14, 0)
    after = results(more)
    assert before.items() < after.items()
    whole = job(shift={**SHIFT, "budgets": [1, 2, 3]}, store="whole", zoo="whole-zoo")
    filled(whole)
    assert results(whole) == after


def test_another_store_reuses_every_snapshot_and_scores_the_same(job: Callable[..., Job]) -> None:
    other = job(store="other", zoo="zoo")
    filled(job())
    assert counts(filled(other)) == (0, 6, 14, 0, 0)
    assert results(other) == results(job())


def test_shift_alone_shares_cells_with_a_job_of_both(job: Callable[..., Job]) -> None:
    filled(job(compositions=["shift"]))
    assert counts(filled(job())) == (2, 2, 4, 10, 0)


def test_a_shift_that_diverges_fails_its_own_cells_and_says_why(job: Callable[..., Job]) -> None:
    wanted = job(shift={**SHIFT, "learning_rate": 1e30})
    with structlog.testing.capture_logs() as logs:
        summary = filled(wanted)
    assert (summary.measured, summary.failed) == (6, 8)
    for cell in cells_in(wanted):
        if cell.composition.startswith("shift-"):
            assert (cell.status, cell.score) == ("failed", None)
            assert str(cell.error).startswith(f"shift to {cell.source}: TrainingError: the loss became nan at step")
        else:
            assert cell.status == "ok"
    assert {entry["what"] for entry in logs if entry["log_level"] == "error"} == {"shift to qaa", "shift to qab"}


@pytest.mark.filterwarnings("ignore::FutureWarning:ray", "ignore::ResourceWarning")
def test_workers_on_ray_measure_the_same(job: Callable[..., Job]) -> None:
    here, on_ray = job(workers=2), job(workers=2, store="ray/store", zoo="ray/zoo")
    filled(here)
    Path(on_ray.store).parent.mkdir()
    summary = fill(on_ray)
    assert counts(summary) == (6, 0, 14, 0, 0)
    assert results(on_ray) == results(here)
