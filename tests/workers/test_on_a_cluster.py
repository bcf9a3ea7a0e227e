"""A cluster of several machines, store and zoo in a bucket over HTTP: every way to run a job there, and what it tells.

The machines are Ray nodes of their own on this one. Each run has a folder of its own: only URIs and the paths of
corpora and encoder are shared.
"""

from __future__ import annotations

import contextlib
import gc
import itertools
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from matrices.cells import from_table
from matrices.store import Store
from workers.cluster import Crew, joined
from workers.driver import fill, run, run_context
from workers.job import Job, load_job
from workers.pending import pending
from workers.plan import make_plan
from workers.pool import InlinePool, ray_pool
from workers.preflight import PreflightError, check_machines, probe
from workers.protocol import RunContext

pytestmark = [pytest.mark.cluster, pytest.mark.filterwarnings("ignore::FutureWarning:ray")]
ray = pytest.importorskip("ray")

SPRACHBUND = str(Path(sys.executable).with_name("sprachbund"))
RAY = str(Path(sys.executable).with_name("ray"))
KNOBS: Mapping[str, Any] = {
    "tasks": ["corner"],
    "sources": ["qaa"],
    "targets": ["qab"],
    "seeds": [0],
    "language_adapter": {"steps": 4, "tokens": 256, "length": 32},
    "task_adapter": {"epochs": 1, "batch": 16, "reduction": 4},
    "precision": "fp32",
}


@dataclass(frozen=True)
class Machines:
    """A running cluster: its address, the jobs API, where each node exports metrics, and where nodes log."""

    address: str
    jobs: str
    metrics: tuple[str, ...]
    logs: Path


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture(scope="module")
def machines(s3_environment: dict[str, str]) -> Iterator[Machines]:
    """Two machines of one core each, and a GPU that is only counted."""
    from ray.cluster_utils import Cluster

    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        # Ray opens files and processes that it leaves to the garbage collector.
        warnings.simplefilter("ignore", ResourceWarning)
        for name, value in {**s3_environment, "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0"}.items():
            patch.setenv(name, value)
        often = {"metrics_report_interval_ms": 300}
        head = {"num_cpus": 1, "num_gpus": 1, "include_dashboard": True, "dashboard_port": 0, "_system_config": often}
        # Nodes of one machine would all take the same port for submitted jobs, and all but one go without.
        cluster = Cluster(initialize_head=True, head_node_args={**head, "dashboard_agent_listen_port": free_port()})
        cluster.add_node(num_cpus=1, dashboard_agent_listen_port=free_port())
        cluster.wait_for_nodes()
        node = cluster.head_node
        yield Machines(
            address=cluster.address,
            jobs=f"http://{node.webui_url}",
            metrics=tuple(f"http://127.0.0.1:{one.metrics_export_port}/metrics" for one in cluster.list_all_nodes()),
            logs=Path(node.get_logs_dir_path()),
        )
        cluster.shutdown()
        gc.collect()


@pytest.fixture(scope="module")
def home(new_bucket: Callable[[], str]) -> str:
    """Where the jobs of this module keep store and zoo."""
    return f"{new_bucket()}/jobs"


@pytest.fixture
def job_file(
    home: str,
    tiny_corpora: Path,
    tiny_encoder_folder: Path,
    tmp_path: Path,
    s3_environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., Path]:
    """Writes a job file into a folder of its own, as on another machine."""
    for name, value in s3_environment.items():
        monkeypatch.setenv(name, value)
    numbers = itertools.count()

    def write(**knobs: Any) -> Path:
        where = {"store": f"{home}/store", "encoder": {"name": str(tiny_encoder_folder)}, "corpora": str(tiny_corpora)}
        path = tmp_path / f"machine-{next(numbers)}" / "job.yaml"
        path.parent.mkdir()
        path.write_text(yaml.safe_dump({**where, **KNOBS, **knobs}), encoding="utf-8")
        return path

    return write


def ran(*command: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command run to its end, with a cache of its own."""
    told = {**os.environ, "XDG_CACHE_HOME": str(cwd / "cache"), "PYTHONWARNINGS": "ignore", **environment}
    done = subprocess.run(command, cwd=cwd, env=told, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def can_submit(jobs: str, seconds: float = 300) -> None:
    """Waits until a node takes submitted jobs: Ray starts what does that after all else."""
    from ray.job_submission import JobSubmissionClient

    client, end = JobSubmissionClient(jobs), time.monotonic() + seconds
    while True:
        try:
            client.submit_job(entrypoint="true")
            return
        except RuntimeError:
            if time.monotonic() > end:
                raise
            time.sleep(0.5)


def results(job: Job) -> dict[str, tuple[object, ...]]:
    store = Store(job.store)
    cells = [cell for info in store.matrices() for cell in from_table(store.cells(info.matrix))]
    return {cell.cell_id: (cell.status, cell.score, cell.correct, cell.total) for cell in cells}


def in_this_process(job: Job, folder: Path) -> dict[str, tuple[object, ...]]:
    """The same job, with a store and a zoo in a folder."""
    alone = job.model_copy(update={"store": str(folder / "store"), "zoo": str(folder / "zoo")})
    plan, store = make_plan(alone), Store.open(alone.store, create=True)
    context = run_context(plan, threads=1)
    run(plan, pending(plan, store), store, InlinePool(context), context)
    return results(alone)


@pytest.mark.usefixtures("machines")
class TestRunning:
    def test_a_job_with_store_and_zoo_in_a_bucket_measures_what_it_does_in_a_folder(
        self, machines: Machines, job_file: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = job_file()
        done = ran(
            SPRACHBUND, "fill", str(path), "--address", machines.address, "--json", "--log-json", cwd=path.parent
        )
        summary = json.loads(done.stdout)
        assert (summary["trained"], summary["measured"], summary["failed"]) == (3, 2, 0)
        assert results(load_job(path)) == in_this_process(load_job(path), tmp_path)

        # From another machine's point of view everything is there, and nothing needs a cluster.
        path = job_file()
        monkeypatch.setenv("XDG_CACHE_HOME", str(path.parent))
        again = fill(load_job(path))
        assert (again.trained, again.measured, again.found) == (0, 0, 2)

        logged = [json.loads(line) for file in machines.logs.glob("worker-*.err") for line in _objects(file)]
        ended = [line for line in logged if line.get("event") == "ended"]
        assert {line["unit"] for line in ended} >= {"language adapter qaa", "language adapter qab", "corner column qab"}
        assert len({(line["job"], line["run"]) for line in ended}) == 1

    def test_a_submitted_job_runs_on_the_cluster_it_was_submitted_to_and_reuses_the_zoo(
        self, machines: Machines, job_file: Callable[..., Path]
    ) -> None:
        path = job_file(seeds=[0, 1])
        can_submit(machines.jobs)
        command = (RAY, "job", "submit", "--address", machines.jobs, "--", SPRACHBUND, "fill", str(path), "--json")
        done = ran(*command, cwd=path.parent)
        (summary,) = (json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"trained"'))
        # The adapters and cells of seed 0 were made by the job before.
        assert (summary["trained"], summary["measured"], summary["found"], summary["failed"]) == (1, 1, 2, 0)
        assert any("corner adapter from qaa, seed 1" in file.read_text() for file in machines.logs.glob("worker-*.err"))

    def test_everything_that_reads_reads_from_the_bucket(
        self, home: str, job_file: Callable[..., Path], tmp_path: Path
    ) -> None:
        store = f"{home}/store"
        listed = json.loads(ran(SPRACHBUND, "matrices", "--store", store, "--json", cwd=tmp_path).stdout)
        (matrix,) = (one["matrix"] for one in listed["matrices"])
        file = tmp_path / "cells.parquet"
        ran(SPRACHBUND, "export", "--store", store, matrix, "--out", str(file), cwd=tmp_path)
        assert file.read_bytes().startswith(b"PAR1")
        asked = ("--task", "corner", "--target", "qab", "--json")
        answer = json.loads(ran(SPRACHBUND, "recommend", "--store", store, *asked, cwd=tmp_path).stdout)
        assert answer["target"]["code"] == "qab"


class TestMachines:
    @pytest.fixture
    def context(self, job_file: Callable[..., Path]) -> RunContext:
        return run_context(make_plan(load_job(job_file())), threads=1)

    def test_a_machine_that_lacks_something_is_named_with_the_path(
        self, machines: Machines, context: RunContext, tmp_path: Path
    ) -> None:
        other = replace(context, corpora=Path("/nowhere"), encoder=replace(context.encoder, digest="0" * 64))
        with joined(machines.address, None), probe(context.zoo) as name:
            check_machines(context, name)
            with pytest.raises(PreflightError) as raised:
                check_machines(other, name)
            with pytest.raises(PreflightError, match=f"another zoo at {context.zoo} than the driver's"):
                check_machines(context, "another")
            with pytest.raises(PreflightError, match="no zoo"):
                check_machines(replace(context, zoo="s3://bucket-of-nobody/zoo"), name)
        said, address = str(raised.value), machines.address.partition(":")[0]
        assert said.count(f"({address}): no corpora at /nowhere") == 2
        assert said.count(f"({address}): another encoder at {context.encoder.folder}") == 2
        assert "Mount one shared folder at the same path" in said

    def test_two_workers_share_a_gpu(self, machines: Machines, context: RunContext) -> None:
        with joined(machines.address, None):
            assert ray.available_resources()["GPU"] == 1
            with ray_pool(context, Crew(workers=2, threads=0, gpus=0.5), time_limit=60, outage=60) as pool:
                while pool.free() < 2:
                    pool.next(5)
                assert ray.available_resources().get("GPU", 0) == 0


DRIVER = """
import sys
import ray
from workers.telemetry import RunMetrics, observed

@ray.remote
def unit():
    with observed("0123abcd", "run", "corner column qab", "Column"):
        pass

ray.init(address=sys.argv[1], log_to_driver=False)
progress = RunMetrics("0123abcd")
progress.tell({"ok": 1}, 4)
progress.tell({"ok": 3, "failed": 1, "trained": 2, "retried": 1}, 1)
ray.get(unit.remote())
sys.stdin.read()
"""
"""A driver that has measured something, and lives until its standard input ends."""

METRICS = {
    ("cells_total", 'status="ok"'): 3,
    ("cells_total", 'status="failed"'): 1,
    ("adapters_trained_total", ""): 2,
    ("retries_total", ""): 1,
    ("cells_left", ""): 1,
    ("unit_seconds_count", 'kind="Column"'): 1,
}


def test_a_runs_metrics_are_where_ray_exports_its_own(machines: Machines) -> None:
    names = {f"ray_sprachbund_{name}" for name, _ in METRICS}
    rate, memory = "ray_sprachbund_cells_per_second", "ray_sprachbund_worker_peak_memory_bytes"
    command = [sys.executable, "-W", "ignore", "-c", DRIVER, machines.address]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL) as driver:
        found = exported(machines.metrics, names | {rate, memory})
        assert driver.poll() is None
        driver.communicate()
    for (name, label), value in METRICS.items():
        values = [x for labels, x in found[f"ray_sprachbund_{name}"].items() if label in labels]
        assert values == [value], name
    assert all('job_id="0123abcd"' in labels for name in found for labels in found[name])
    assert min(found[rate].values()) > 0
    assert [x > 1e6 for labels, x in found[memory].items() if 'where="host"' in labels] == [True]


def exported(pages: tuple[str, ...], names: set[str], seconds: float = 300) -> dict[str, dict[str, float]]:
    """By metric and labels what the nodes export, once all names are there."""
    end = time.monotonic() + seconds
    while True:
        found: dict[str, dict[str, float]] = {}
        for page in pages:
            with contextlib.suppress(OSError), urllib.request.urlopen(page, timeout=5) as answer:
                for line in answer.read().decode().splitlines():
                    name, _, rest = line.partition("{")
                    if name in names and "0123abcd" in rest:
                        labels, _, value = rest.rpartition("} ")
                        found.setdefault(name, {})[labels] = float(value)
        if set(found) == names or time.monotonic() > end:
            return found
        time.sleep(0.2)


def _objects(file: Path) -> list[str]:
    return [line for line in file.read_text(encoding="utf-8").splitlines() if line.startswith("{")]
