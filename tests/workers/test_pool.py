"""Units on Ray workers: the same answers as in one process, whatever happens to a worker."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import structlog

from matrices.cells import from_table
from matrices.store import Store
from workers.cluster import Crew
from workers.driver import JobState, Summary, run, run_context
from workers.job import Job
from workers.pending import pending
from workers.plan import Plan, make_plan
from workers.pool import InlinePool, RayPool, ray_pool
from workers.protocol import Done

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning:ray")
pytest.importorskip("ray")

MakeJob = Callable[..., Job]
Results = dict[str, tuple[object, ...]]


@pytest.fixture
def logs() -> Iterator[list[Any]]:
    with structlog.testing.capture_logs() as captured:
        yield captured


@pytest.fixture
def job(tiny_corpora: Path, tiny_encoder_folder: Path, job_of: MakeJob, tmp_path: Path) -> Callable[[str], Job]:
    def make(name: str) -> Job:
        (tmp_path / name).mkdir()  # As the driver does: a zoo whose place is missing is out of reach.
        return job_of(tiny_corpora, tiny_encoder_folder, store=f"{name}/store")

    return make


def filled_inline(job: Job) -> Results:
    plan, store = make_plan(job), Store.open(job.store, create=True)
    context = run_context(plan, threads=1)
    run(plan, pending(plan, store), store, InlinePool(context), context)
    return results(store)


def filled_on_ray(job: Job, workers: int, watch: Callable[[JobState], None] | None = None) -> tuple[Summary, Results]:
    plan, store = make_plan(job), Store.open(job.store, create=True)
    context = run_context(plan, threads=1)
    with pool_of(plan, workers) as pool:
        summary = run(plan, pending(plan, store), store, pool, context, watch)
    return summary, results(store)


@contextlib.contextmanager
def pool_of(plan: Plan, workers: int, *, time_limit: float = 300) -> Iterator[RayPool]:
    crew = Crew(workers, threads=1, gpus=0)
    with ray_pool(run_context(plan, threads=1), crew, time_limit=time_limit, outage=60) as pool:
        yield pool


def ended(pool: RayPool) -> Done:
    """The next unit that ends, however many workers start meanwhile."""
    while (done := pool.next()) is None:
        pass
    return done


def staffed(pool: RayPool, workers: int) -> None:
    """Wait until so many workers have started."""
    while pool.free() < workers:
        assert pool.next() is None


def results(store: Store) -> Results:
    """What was measured, without what may differ between runs: seconds and dates."""
    cells = [cell for info in store.matrices() for cell in from_table(store.cells(info.matrix))]
    return {cell.cell_id: (cell.status, cell.score, cell.correct, cell.total) for cell in cells}


def workers_of_this_process() -> list[int]:
    """Process ids of the Ray workers below this process that hold a ``Worker``."""
    parents, titles = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            status = (folder / "stat").read_text()
            titles[int(folder.name)] = (folder / "cmdline").read_text().replace("\0", " ")
        except OSError:  # It ended meanwhile.
            continue
        parents[int(folder.name)] = int(status.rpartition(")")[2].split()[1])

    def below(process: int) -> bool:
        while process in parents:
            process = parents[process]
            if process == os.getpid():
                return True
        return False

    return [process for process, title in titles.items() if title.startswith("ray::Worker") and below(process)]


class Killer:
    """Kills a worker, as a machine that runs out of memory would, once something was trained; at most so many times."""

    def __init__(self, times: int) -> None:
        self.left = times

    def __call__(self, state: JobState) -> None:
        if self.left and state.adapters[0]:
            for process in workers_of_this_process()[:1]:
                os.kill(process, signal.SIGKILL)
                self.left -= 1


@contextlib.contextmanager
def killing_every_worker() -> Iterator[None]:
    """Kills the workers of this process as soon as they show up, until the block ends."""
    over = threading.Event()

    def kill() -> None:
        while not over.wait(0.1):
            for process in workers_of_this_process():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@pytest.mark.usefixtures("ray_here")
class TestRay:
    def test_two_workers_measure_what_one_process_does_to_the_bit(self, job: Callable[[str], Job]) -> None:
        summary, measured = filled_on_ray(job("ray"), workers=2)
        assert (summary.measured, summary.failed) == (10, 0)
        assert measured == filled_inline(job("inline"))

    def test_a_worker_killed_in_the_middle_is_replaced_and_nothing_differs(
        self, job: Callable[[str], Job], logs: list[Any]
    ) -> None:
        killer = Killer(times=1)
        summary, measured = filled_on_ray(job("ray"), workers=1, watch=killer)
        assert killer.left == 0
        assert [entry["event"] for entry in logs] == [
            "a worker died; a new one takes its place",
            "not the work's own fault: it is done again",
        ]
        assert (summary.measured, summary.failed) == (10, 0)
        assert measured == filled_inline(job("inline"))

    def test_the_worker_that_takes_a_dead_ones_place_does_the_next_unit(
        self, job: Callable[[str], Job], logs: list[Any]
    ) -> None:
        plan = make_plan(job("ray"))
        first, second, *_ = plan.languages.values()
        endless = replace(first, recipe=first.recipe.model_copy(update={"steps": 10**9}))
        with pool_of(plan, 1) as pool:
            staffed(pool, 1)
            pool.submit(endless)
            with killing_every_worker():
                lost = ended(pool)
            staffed(pool, 1)
            pool.submit(second)
            done = ended(pool)
        assert lost.failure is not None
        assert lost.failure.cause == "death"
        assert lost.failure.error.startswith("its worker died once (ActorDiedError")
        assert (done.failure, done.trained) == (None, True)

    def test_a_unit_that_takes_too_long_is_stopped_and_says_so(
        self, job: Callable[[str], Job], logs: list[Any]
    ) -> None:
        plan = make_plan(job("ray"))
        first, *_ = plan.languages.values()
        endless = replace(first, recipe=first.recipe.model_copy(update={"steps": 10**9}))
        with pool_of(plan, 1, time_limit=3) as pool:
            staffed(pool, 1)
            pool.submit(endless)
            stopped = ended(pool)
        assert stopped.failure is not None
        assert stopped.failure.cause == "time"
        assert "after 3 s, the `time_limit`" in stopped.failure.error

    def test_an_error_of_the_work_itself_comes_back_as_one(self, tiny_corpora: Path, job: Callable[[str], Job]) -> None:
        plan = make_plan(job("ray"))
        (language, *_) = plan.languages.values()
        changed = replace(language, made_from={**language.made_from, "text": "another digest"})
        with pool_of(plan, 1) as pool:
            staffed(pool, 1)
            pool.submit(changed)
            done = ended(pool)
        assert done.failure is not None
        assert done.failure.cause == "work"
        assert "changed since the job was planned" in done.failure.error

    def test_a_pool_gives_its_places_back(self, job: Callable[[str], Job]) -> None:
        plan = make_plan(job("ray"))
        for _ in range(3):  # Two places would not hold six workers.
            with pool_of(plan, 2) as pool:
                staffed(pool, 2)

    def test_a_wait_ends_when_its_time_is_over(self, job: Callable[[str], Job]) -> None:
        with pool_of(make_plan(job("ray")), 1) as pool:
            staffed(pool, 1)
            assert pool.next(timeout=0.01) is None
