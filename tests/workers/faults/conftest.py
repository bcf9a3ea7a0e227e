"""What the fault tests share: jobs of seconds, jobs as processes, what they left, and ways to hurt them."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import structlog
from deltalake import DeltaTable

from matrices.cells import from_table
from matrices.store import Store
from workers.driver import JobState, Summary, run, run_context
from workers.job import Job, load_job
from workers.pending import pending
from workers.plan import Plan, make_plan
from workers.pool import InlinePool, Pool

Results = Mapping[str, tuple[object, ...]]
_ROOT = Path(__file__).parent.parent.parent.parent
_COMMAND = "from sprachbund.cli import main; main()"
_KNOBS: Mapping[str, Any] = {
    "tasks": ["corner"],
    "sources": ["qaa", "qab"],
    "targets": ["qaa", "qac"],
    "seeds": [0, 1],
    "language_adapter": {"steps": 30, "tokens": 512, "length": 32},
    "task_adapter": {"epochs": 2, "reduction": 4},
    "workers": 1,
    "precision": "fp32",
}


@dataclass
class Task:
    """A job file and the job it stands for. ``run`` fills it in this process; ``start`` is the command line."""

    file: Path
    job: Job
    fills: list[Fill] = field(default_factory=list)

    def plan(self) -> Plan:
        return make_plan(self.job, folder=self.file.parent)

    def run(
        self, pool: Pool | None = None, watch: Callable[[JobState], None] | None = None, plan: Plan | None = None
    ) -> Summary:
        plan = plan or self.plan()
        store = Store.open(plan.job.store, create=True)
        context = run_context(plan, threads=1)
        return run(plan, pending(plan, store), store, pool or InlinePool(context), context, watch)

    def start(self, *arguments: str) -> Fill:
        self.fills.append(Fill(self.file, arguments))
        return self.fills[-1]

    def results(self) -> Results:
        """What was measured, without what may differ between runs: seconds and dates."""
        store = Store(self.job.store)
        cells = [cell for info in store.matrices() for cell in from_table(store.cells(info.matrix))]
        return {cell.cell_id: (cell.status, cell.score, cell.correct, cell.total, cell.error) for cell in cells}

    def rows(self) -> list[str]:
        """Cell ids as they were appended."""
        ids: list[str] = pa.table(DeltaTable(self.job.store).scan(["cell_id"]))["cell_id"].to_pylist()
        return sorted(ids)

    def is_whole(self) -> bool:
        """Whether no cell is lost, none there twice, none wrong: the same job undisturbed comes to the same table."""
        folder = self.file.parent / "undisturbed"
        alone = self.job.model_copy(update={"store": str(folder / "store"), "zoo": str(folder / "zoo")})
        undisturbed = Task(self.file, alone)
        undisturbed.run()
        expected = undisturbed.results()
        assert {result[0] for result in expected.values()} == {"ok"}
        return self.results() == expected and self.rows() == sorted(expected)


class Fill:
    """`sprachbund fill` as a process, in a group of its own. ``said`` are the lines of its log so far."""

    def __init__(self, file: Path, arguments: Sequence[str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", _COMMAND, "fill", str(file), "--json", *arguments],
            cwd=_ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            # Workers as eager as whatever else a busy machine is doing.
            env={**os.environ, "OMP_NUM_THREADS": "1", "RAY_worker_niceness": "0"},
        )
        self.said: list[str] = []
        assert self.process.stderr is not None
        self._reader = threading.Thread(target=self.said.extend, args=(self.process.stderr,), daemon=True)
        self._reader.start()

    def until(self, true: Callable[[], bool]) -> None:
        """Wait for an event, or for the process to end."""
        while not true() and self.process.poll() is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(0.005)

    def says(self, words: str) -> bool:
        return any(words in line for line in self.said)

    def kill(self) -> None:
        """SIGKILL to the driver, and then to whatever it left behind."""
        self.process.kill()
        self.end()

    def summary(self) -> dict[str, Any]:
        """Wait for a good end."""
        status, out = self.ended()
        assert status == 0, "".join(self.said)
        summary: dict[str, Any] = json.loads(out)
        return summary

    def ended(self) -> tuple[int, str]:
        """Wait for any end: exit status, standard output."""
        assert self.process.stdout is not None
        out = self.process.stdout.read()
        self.end()
        return self.process.returncode, out

    def end(self) -> None:
        self.process.wait()
        self.end_group()
        self._reader.join()
        for pipe in (self.process.stdout, self.process.stderr):
            assert pipe is not None
            pipe.close()

    def end_group(self) -> None:
        """SIGKILL to whatever lives of it."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)


@dataclass
class Log:
    """Log lines of this process as they come, with somebody to call on certain words."""

    entries: list[dict[str, Any]] = field(default_factory=list)
    hooks: list[tuple[str, Callable[[], None]]] = field(default_factory=list)

    def __call__(self, logger: object, method: str, entry: dict[str, Any]) -> dict[str, Any]:
        self.entries.append({**entry, "level": method})
        for words, act in list(self.hooks):
            if words in entry["event"]:
                self.hooks.remove((words, act))
                act()
        raise structlog.DropEvent

    def on(self, words: str, act: Callable[[], None]) -> None:
        """Call once, when these words are first logged: the moment a fault was noticed."""
        self.hooks.append((words, act))

    def events(self) -> list[str]:
        return [entry["event"] for entry in self.entries]


@pytest.fixture
def log() -> Iterator[Log]:
    """What this process logs."""
    log, before = Log(), structlog.get_config()["processors"]
    structlog.configure(processors=[log])
    yield log
    structlog.configure(processors=before)


@pytest.fixture
def task(tiny_corpora: Path, tiny_encoder_folder: Path, tmp_path: Path) -> Iterator[Callable[..., Task]]:
    """Makes a job of seven adapters, two columns and ten cells, in files, with whatever knobs differ."""
    made: list[Task] = []

    def make(name: str = "job", **knobs: Any) -> Task:
        values = {
            "store": "shared/store",
            "encoder": {"name": str(tiny_encoder_folder)},
            "corpora": str(tiny_corpora),
            **_KNOBS,
            **knobs,
        }
        (tmp_path / "shared").mkdir(exist_ok=True)
        path = tmp_path / f"{name}.yaml"
        path.write_text(json.dumps(values), encoding="utf-8")  # JSON is YAML.
        made.append(Task(path, load_job(path)))
        return made[-1]

    yield make
    for fill in (fill for one in made for fill in one.fills):
        fill.end_group()
