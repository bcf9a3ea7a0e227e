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
import io
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
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean
from typing import Any

import psutil
import pyarrow.parquet as pq
from serve import get, resident

from matrices.cells import Cell
from matrices.store import Store

MATRIX = "pos-zero_shot-walk"
TARGET, ITEMS, CLIENTS = "yor", 50, 4
SOURCES = ("deu", "eng", "hin", "swa", "ibo", "hau")
WEIGHTS = (1, 1, 1, 1, 1, 1, 1, 0.2)
"""How often each kind of question is asked; downloads seldom."""


@dataclass
class Truth:
    """What every version of the store has: rows, and the scores of each source."""

    rows: dict[int, int] = field(default_factory=dict)
    scores: dict[int, dict[str, list[float]]] = field(default_factory=dict)

    def add(self, version: int, cells: list[Cell]) -> None:
        """What a commit added to the version before."""
        before = self.scores.get(version - 1, {})
        now = {source: [*values] for source, values in before.items()}
        for cell in cells:
            assert cell.source is not None
            assert cell.score is not None
            now.setdefault(cell.source, []).append(cell.score)
        self.rows[version] = self.rows.get(version - 1, 0) + len(cells)
        self.scores[version] = now


@dataclass
class Tally:
    """What clients saw."""

    answers: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    unreached: int = 0
    longest: float = 0.0


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


class Client(threading.Thread):
    """Asks until it is over, and holds every answer against the truth."""

    def __init__(self, service: Service, truth: Truth, tally: Tally, number: int, over: threading.Event) -> None:
        super().__init__()
        self._service, self._truth, self._tally, self._over = service, truth, tally, over
        self._random = random.Random(number)

    def run(self) -> None:
        questions = (self._cells, self._pages, self._recommended, self._list, self._changes, self._matrix, self._pairs)
        kinds = (*questions, self._download)
        while not self._over.is_set():
            [ask] = self._random.choices(kinds, WEIGHTS)
            begun = time.perf_counter()
            try:
                ask()
            except (OSError, http.client.HTTPException):
                self._tally.unreached += 1
                time.sleep(0.05)
            else:
                self._tally.longest = max(self._tally.longest, time.perf_counter() - begun)

    def _ask(self, path: str) -> Any:
        """The body of an answer that is one; None of a refusal, which is counted."""
        connection = http.client.HTTPConnection("127.0.0.1", self._service.port, timeout=60)
        status, body, headers = get(connection, path, {})
        kind = json.loads(body)["type"].rpartition(":")[2] if status >= 400 else ""
        self._tally.answers[f"{status} {kind}".strip()] += 1
        connection.close()
        if status != 200:
            return None
        return json.loads(body) if headers["Content-Type"] == "application/json" else body

    def _must(self, holds: bool, what: str) -> None:
        if not holds:
            self._tally.wrong.append(what)

    def _cells(self) -> None:
        if body := self._ask(f"/v1/matrices/{MATRIX}/cells?limit=10000"):
            rows = self._truth.rows[body["version"]]
            self._must(body["total"] == len(body["cells"]) == rows, f"{body['version']}: {body['total']}, not {rows}")

    def _pages(self) -> None:
        path, seen, versions = f"/v1/matrices/{MATRIX}/cells?limit=400", [], set()
        following: str | None = path
        while following:
            body = self._ask(following)
            if body is None:
                return
            seen += [one["cell_id"] for one in body["cells"]]
            versions.add(body["version"])
            following = f"{path}&cursor={body['next']}" if body["next"] else None
        rows = self._truth.rows[versions.pop()]
        self._must(not versions and len(seen) == len(set(seen)) == rows, f"pages: {len(seen)} cells, not {rows}")

    def _recommended(self) -> None:
        k = self._random.randint(1, 8)
        if body := self._ask(f"/v1/recommendations?task=pos&target={TARGET}&k={k}"):
            scores = self._truth.scores[body["version"]]
            for source in body["sources"]:
                expected = fmean(scores[source["source"]])
                right = abs(source["score"] - expected) < 1e-9 and source["seeds"] == len(scores[source["source"]])
                self._must(right, f"{body['version']}: {source['source']} {source['score']}, not {expected}")

    def _list(self) -> None:
        if body := self._ask("/v1/matrices"):
            [line] = body["matrices"]
            self._must(line["cells"] == self._truth.rows[line["version"]], f"list: {line}")

    def _changes(self) -> None:
        if (body := self._ask(f"/v1/matrices/{MATRIX}/versions?limit=1")) and body["versions"]:
            newest = body["versions"][0]["version"]
            since = max(newest - 1, 1)
            found = self._ask(f"/v1/matrices/{MATRIX}/versions?since={since}&until={newest}")
            expected = self._truth.rows[newest] - self._truth.rows[since]
            self._must(found is None or found["changes"]["added"] == expected, f"{since} to {newest}: not {expected}")

    def _matrix(self) -> None:
        if body := self._ask(f"/v1/matrices/{MATRIX}"):
            scores = self._truth.scores[body["version"]]
            found = {code: row[0] for code, row in zip(body["grid"]["sources"], body["grid"]["scores"], strict=True)}
            right = all(abs(found[code] - fmean(values)) < 1e-9 for code, values in scores.items())
            self._must(right and found.keys() == scores.keys(), f"{body['version']}: {found}")

    def _pairs(self) -> None:
        if body := self._ask(f"/v1/matrices/{MATRIX}/cells?form=pairs"):
            scores = self._truth.scores[body["version"]]
            right = all(abs(one["mean"] - fmean(scores[one["source"]])) < 1e-9 for one in body["cells"])
            self._must(right and body["total"] == len(scores), f"{body['version']}: pairs")

    def _download(self) -> None:
        body = self._ask(f"/v1/matrices/{MATRIX}/download")
        if body is not None:
            file = pq.ParquetFile(io.BytesIO(body))
            version = json.loads(file.schema_arrow.metadata[b"sprachbund"])["version"]
            rows = self._truth.rows[version]
            self._must(file.metadata.num_rows == rows, f"download {version}: {file.metadata.num_rows}, not {rows}")


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
        clients = [Client(self._service, self._truth, self._tally, number, over) for number in range(CLIENTS)]
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
