"""Workers that die at any moment, and machines that leave: on a cluster of several nodes, and nothing differs."""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import resource
import signal
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters_zoo.zoo import Zoo
from workers.cluster import Crew
from workers.driver import JobState, run_context
from workers.pool import RayPool, ray_pool
from workers.schedule import describe

# Ray leaves the sockets that it found free ports with to the garbage collector.
pytestmark = [
    pytest.mark.cluster,
    pytest.mark.filterwarnings("ignore::FutureWarning:ray", "ignore::ResourceWarning"),
]
ray = pytest.importorskip("ray")
cluster_utils = pytest.importorskip("ray.cluster_utils")

Make = Callable[..., Any]
DIED = "a worker died; a new one takes its place"
LEFT = "a machine left the cluster while it worked"
AGAIN = "not the work's own fault: it is done again"


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A head without places for workers, and a node with one; the driver is this process."""
    os.environ["RAY_ENABLE_UV_RUN_RUNTIME_ENV"] = "0"
    os.environ["RAY_worker_niceness"] = "0"  # noqa: SIM112 (Ray's own spelling). Workers as eager as whatever else a busy machine is doing.
    cluster = cluster_utils.Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    cluster.add_node(num_cpus=1)
    ray.init(address=cluster.address, log_to_driver=False, logging_level=logging.ERROR)
    yield cluster
    ray.shutdown()
    cluster.shutdown()
    with warnings.catch_warnings():
        # Ray forgets its processes without waiting for them to end, which Popen would complain of later.
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@contextlib.contextmanager
def staffed(task: Any) -> Iterator[RayPool]:
    """A pool whose one worker has started."""
    plan = task.plan()
    with ray_pool(run_context(plan, threads=1), Crew(1, 1, 0), time_limit=300, outage=120) as pool:
        while pool.free() < 1:
            pool.next()
        yield pool


def worker() -> int:
    """The process id of the one worker below this process, as soon as there is one."""
    while True:
        parents, titles = {}, {}
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):  # It ended meanwhile.
                parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
                titles[int(folder.name)] = (folder / "cmdline").read_text()
        for process, title in titles.items():
            above = process
            while title.startswith("ray::Worker") and above in parents:
                above = parents[above]
                if above == os.getpid():
                    return process


def busy(process: int) -> None:
    """Wait until a process has computed for some hundredths of a second from now: it is in the middle of something."""
    fields = lambda: Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()  # noqa: E731
    start = int(fields()[11])
    while int(fields()[11]) < start + 3:
        time.sleep(0.001)


def once(true: Callable[[JobState], bool], act: Callable[[], None]) -> Callable[[JobState], None]:
    """Watches a run and acts once, when it has come so far."""
    waiting = [act]

    def watch(state: JobState) -> None:
        if waiting and true(state):
            waiting.pop()()

    return watch


def kill_while_busy() -> None:
    process = worker()
    busy(process)
    os.kill(process, signal.SIGKILL)


@pytest.mark.parametrize(
    ("so_far", "work"),
    [
        (lambda state: state.adapters[0] == 1, "language adapter"),
        (lambda state: state.adapters[0] == state.adapters[1] and not state.cells[0], "corner column"),
    ],
    ids=["training", "evaluation"],
)
def test_a_worker_killed_at_its_work(
    task: Make, cluster: Any, log: Any, so_far: Callable[[JobState], bool], work: str
) -> None:
    job = task()
    with staffed(job) as pool:
        summary = job.run(pool, once(so_far, kill_while_busy))
    assert (summary.trained, summary.measured, summary.failed) == (7, 10, 0)
    assert job.is_whole()
    assert log.events() == [DIED, AGAIN]
    assert log.entries[0]["what"].startswith(work)


def test_a_worker_killed_while_it_writes_an_adapter(task: Make, cluster: Any, log: Any) -> None:
    job = task()
    drafts = Path(job.job.zoo) / "drafts"
    caught = threading.Event()

    def kill_in_the_middle_of_a_draft() -> None:
        process = worker()
        while not caught.is_set():
            if any(drafts.glob("*/*")):
                os.kill(process, signal.SIGKILL)
                caught.set()

    with staffed(job) as pool:
        watcher = threading.Thread(target=kill_in_the_middle_of_a_draft)
        watcher.start()
        summary = job.run(pool)
        watcher.join()
    (draft,) = drafts.iterdir()
    assert (summary.measured, summary.failed) == (10, 0)
    assert job.is_whole()
    assert log.events() == [DIED, AGAIN]

    zoo = Zoo(job.job.zoo)
    zoo.tidy()
    assert draft.is_dir()  # Whoever writes it may be alive.
    for path in [*draft.rglob("*"), draft]:
        os.utime(path, (time.time() - 7200,) * 2)
    zoo.tidy()
    assert not draft.exists()
    assert log.events()[-1] == "removed an adapter that was left half written"


def test_a_worker_that_is_refused_memory(task: Make, cluster: Any, log: Any) -> None:
    job = task()

    def starve() -> None:
        process = worker()
        pages = int(Path(f"/proc/{process}/statm").read_text().split()[0])
        resource.prlimit(process, resource.RLIMIT_AS, (pages * resource.getpagesize(), resource.RLIM_INFINITY))

    with staffed(job) as pool:
        summary = job.run(pool, once(lambda state: state.adapters[0] == 1, starve))
    assert (summary.measured, summary.failed) == (10, 0)
    assert job.is_whole()
    # An allocation that is refused is an error that can be caught, or the end of the process: as it happens to be.
    assert log.events() in ([AGAIN], [DIED, AGAIN])
    assert "memory" in log.entries[-1]["error"]


def test_a_machine_that_leaves_takes_no_cell_along(task: Make, cluster: Any, log: Any) -> None:
    job = task()
    with staffed(job) as pool:
        (first,) = cluster.worker_nodes

        def leave() -> None:
            process = worker()
            busy(process)
            # Another machine takes seconds to come; the work would be done by then, and nothing lost with the first.
            os.kill(process, signal.SIGSTOP)
            cluster.add_node(num_cpus=1)
            cluster.remove_node(first, allow_graceful=False)
            # Its processes go with a machine. Here they are the test's own machine's, and one could still answer.
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)

        summary = job.run(pool, once(lambda state: state.adapters[0] == 1, leave))
    assert (summary.measured, summary.failed) == (10, 0)
    assert job.is_whole()
    # Which of the two Ray tells first is a race: that the worker is dead, or that its node is.
    assert log.events() in ([LEFT, AGAIN], [DIED, AGAIN])
    assert log.entries[0]["what"] in {describe(unit) for unit in job.plan().languages.values()}
