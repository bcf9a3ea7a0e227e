"""An operator's day in minutes: two workers answer from a store that a job fills, and everything goes wrong once.

    python benchmarks/operate.py [--commits 300] [--small-disk FOLDER] [--json]

Uvicorn runs two workers over one store. A job commits to it, with joins of files in between, while four clients ask all
the time and hold every answer against what its version has. Meanwhile a worker is killed, the service is restarted, the
store is away and comes back, a hint in its log names a checkpoint that is none, and the disk of the downloads is full
(``--small-disk``: a folder of a small file system, say ``mount -t tmpfs -o size=4m tmpfs FOLDER``; left out, this is
not done). Told: answers by status, wrong ones, and the memory of both workers at every stage.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil
from checking_client import MATRIX, TARGET, Client, Tally, Truth
from serve import get, resident

from matrices.cells import Cell
from matrices.store import Store

ITEMS, CLIENTS = 50, 4
SOURCES = ("deu", "eng", "hin", "swa", "ibo", "hau")


def cell(source: str, seed: int, rng: random.Random) -> Cell:
    """A cell that was never measured."""
    correct = tuple(float(rng.random() < 0.3 + 0.1 * SOURCES.index(source)) for _ in range(ITEMS))
    return Cell(
        matrix=MATRIX,
        encoder="walk",
        kind="zero_shot",
        composition="stack",
        task="pos",
        metric="accuracy",
        source=source,
        target=TARGET,
        selection="last",
        seed=seed,
        score=sum(correct) / ITEMS,
        n_items=ITEMS,
        correct=correct,
        total=(1.0,) * ITEMS,
        status="ok",
        error=None,
        seconds=1.0,
        device="cpu",
        created_at=datetime.now(UTC),
        cell_id=f"{SOURCES.index(source):02x}{seed:030x}",
    )


class Service:
    """Uvicorn with two workers, whose processes may be killed."""

    def __init__(self, store: str, downloads: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self._environment = {
            **os.environ,
            "SPRACHBUND_STORE": store,
            "SPRACHBUND_DOWNLOAD_FOLDER": str(downloads),
            "SPRACHBUND_DOWNLOAD_FILES": "4",
            "SPRACHBUND_REFRESH_SECONDS": "0.2",
            "OMP_NUM_THREADS": "1",
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it is ready."""
        begun = time.monotonic()
        command = [sys.executable, "-m", "uvicorn", "service.app:create_app", "--factory", "--workers", "2"]
        command += ["--port", str(self.port), "--log-level", "critical", "--no-access-log"]
        self._process = subprocess.Popen(
            command, env=self._environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        while not self.answers("/ready"):
            if self._process.poll() is not None or time.monotonic() - begun > 120:
                raise RuntimeError(f"the service did not become ready: exit status {self._process.poll()}")
            time.sleep(0.05)

    def stop(self) -> None:
        """SIGTERM, and wait."""
        assert self._process is not None
        self._process.terminate()
        self._process.wait(60)

    def answers(self, path: str) -> bool:
        """Whether a GET gives 200."""
        with suppress(OSError, http.client.HTTPException):
            return get(http.client.HTTPConnection("127.0.0.1", self.port, timeout=60), path, {})[0] == 200
        return False

    @property
    def workers(self) -> list[int]:
        """Process ids of the workers."""
        assert self._process is not None
        found = []
        for one in psutil.Process(self._process.pid).children():
            with suppress(psutil.NoSuchProcess):  # One that was killed is a zombie until its parent looks.
                if "resource_tracker" not in " ".join(one.cmdline()):
                    found.append(one.pid)
        return found


@dataclass
class Stage:
    """What happened, and the memory of the workers after it, in MiB."""

    what: str
    commits: int
    resident: list[int]


class Walk:
    """The job, the faults, and what is told of both."""

    def __init__(self, folder: Path, commits: int, small_disk: Path | None) -> None:
        self._folder, self._commits, self._disk = folder, commits, small_disk
        self._store = Store.open(folder / "store", create=True)
        self._truth, self._tally, self._random = Truth({0: 0}, {0: {}}), Tally(), random.Random(0)
        self._service = Service(self._store.uri, small_disk or folder / "downloads")
        self._seeds = Counter[str]()
        self.stages: list[Stage] = []

    def run(self) -> Tally:
        """All of it."""
        self._commit()
        self._service.start()
        over = threading.Event()
        clients = [Client(self._service.port, self._truth, self._tally, number, over) for number in range(CLIENTS)]
        for client in clients:
            client.start()
        faults = [("nothing", None), ("a worker killed", self._kill), ("restarted", self._restart)]
        faults += [("store away and back", self._away), ("a hint that names no checkpoint", self._misname)]
        faults += [("downloads' disk full", self._fill)] if self._disk else []
        try:
            for what, fault in faults:
                for _ in range(self._commits // len(faults)):
                    self._commit()
                if fault is not None:
                    fault()
                time.sleep(1)
                self.stages.append(Stage(what, self._store.version, [resident(pid) for pid in self._service.workers]))
                print(self.stages[-1], dict(self._tally.answers), f"wrong: {len(self._tally.wrong)}", file=sys.stderr)
        finally:
            over.set()
            for client in clients:
                client.join()
            self._service.stop()
        return self._tally

    def _commit(self) -> None:
        cells = []
        for source in self._random.sample(SOURCES, 3):
            cells.append(cell(source, self._seeds[source], self._random))
            self._seeds[source] += 1
        # Before it is there: whoever reads the version must find what it has.
        self._truth.add(self._store.version + 1, cells)
        self._store.append(cells)
        if self._store.version % 60 == 0:
            self._truth.add(self._store.version + 1, [])
            self._store.compact()

    def _kill(self) -> None:
        os.kill(self._service.workers[0], signal.SIGKILL)
        while len(self._service.workers) < 2:
            time.sleep(0.1)

    def _restart(self) -> None:
        self._service.stop()
        self._service.start()

    def _away(self) -> None:
        with self._moved():
            for _ in range(20):
                assert self._service.answers("/ready"), "not ready while the store is away"
                time.sleep(0.1)

    @contextmanager
    def _moved(self) -> Iterator[None]:
        away = self._folder / "away"
        Path(self._store.uri).rename(away)
        try:
            yield
        finally:
            away.rename(self._store.uri)

    def _misname(self) -> None:
        hint = Path(self._store.uri) / "_delta_log" / "_last_checkpoint"
        hint.write_text('{"version": 999999, "size": 1}', encoding="utf-8")
        self._restart()
        hint.unlink(missing_ok=True)

    def _fill(self) -> None:
        assert self._disk is not None
        ballast = self._disk / "ballast"
        with suppress(OSError), ballast.open("wb") as file:
            while True:
                file.write(b"0" * 4096)
                file.flush()
        for _ in range(5):
            self._commit()
            time.sleep(0.3)
        assert self._service.answers(f"/v1/matrices/{MATRIX}/cells"), "no answers while the disk is full"
        ballast.unlink()
        for _ in range(5):
            self._commit()
        time.sleep(1)
        assert self._service.answers(f"/v1/matrices/{MATRIX}/download"), "no download though there is room again"


def main() -> None:
    """Print what happened, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--commits", type=int, default=300)
    parser.add_argument("--small-disk", type=Path)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        walk = Walk(Path(folder), given.commits, given.small_disk)
        tally = walk.run()
    if given.json:
        print(json.dumps({"answers": tally.answers, "wrong": tally.wrong, "stages": [vars(s) for s in walk.stages]}))
        return
    for stage in walk.stages:
        print(f"{stage.what:36} version {stage.commits:4d}  workers {stage.resident} MiB")
    print(f"answers {dict(tally.answers)}, not reached {tally.unreached}, the longest {tally.longest:.2f} s")
    print(f"wrong: {len(tally.wrong)} {tally.wrong[:5]}")
    sys.exit(bool(tally.wrong))


if __name__ == "__main__":
    main()
