"""How many requests a second the service answers, against a route that does nothing, in one run on one machine.

    python benchmarks/serve.py [--store STORE] [--seconds 2] [--workers 1] [--json]

Each line is one kind of request, asked by four clients over kept connections, in turns with the no-op route: its ratio
is requests a second over those of the no-op. `first` is the time of the very first request of that kind. Distinct
requests differ in `k` or in what they name, so that none was asked before. Without a store the box is served.
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from statistics import quantiles
from typing import Any
from urllib.parse import quote

from matrices.languoids import speakers

CLIENTS = 4
SERVER = """
import sys
from pathlib import Path
import uvicorn
from fastapi import Response
from service import Settings, create_app
from matrices.logs import configure_logs
configure_logs()
port, store, folder, prepare = sys.argv[1:]
app = create_app(Settings(store=store or None, download_folder=Path(folder), prepare=prepare == "prepare"))
@app.get("/noop")
async def noop():
    return {"status": "ok"}
page = Response(b" " * 600_000)
@app.get("/page")
async def as_long_as_a_page():
    return page
uvicorn.run(app, host="127.0.0.1", port=int(port), log_level="warning", access_log=False)
"""

Ask = Callable[[], tuple[str, dict[str, str]]]
"""The next request: its path and headers."""


@dataclass(frozen=True)
class RouteTimes:
    """What was measured of one kind of request."""

    route: str
    first_ms: float
    per_second: float
    ratio: float
    p50_ms: float
    p99_ms: float


@dataclass(frozen=True)
class Server:
    """A service in a process of its own."""

    port: int
    pid: int


@contextmanager
def served(store: str, *, prepare: bool = False) -> Iterator[Server]:
    """A service in a process of its own, ready to be asked."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", SERVER, str(port), store, folder, "prepare" if prepare else "not"]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL, env={**os.environ, "OMP_NUM_THREADS": "1"}) as server:
            try:
                begun = time.perf_counter()
                while True:
                    try:
                        if get(http.client.HTTPConnection("127.0.0.1", port), "/ready", {})[0] == 200:
                            break
                    except OSError:
                        if server.poll() is not None:
                            raise
                    time.sleep(0.02)
                print(f"ready after {time.perf_counter() - begun:.1f} s", file=sys.stderr)
                yield Server(port, server.pid)
                print(f"resident at the end: {resident(server.pid)} MiB", file=sys.stderr)
            finally:
                server.terminate()


def resident(pid: int) -> int:
    """MiB of a process that are in memory, without what is mapped from files."""
    with open(f"/proc/{pid}/status", encoding="utf-8") as status:
        found = {name: rest for name, _, rest in (line.partition(":") for line in status)}
    return int(found["RssAnon"].split()[0]) // 1024


def get(connection: http.client.HTTPConnection, path: str, headers: dict[str, str]) -> tuple[int, bytes, Any]:
    connection.request("GET", path, headers=headers)
    response = connection.getresponse()
    return response.status, response.read(), response.headers


def load(port: int, ask: Ask, seconds: float) -> tuple[float, list[float]]:
    """Requests a second of ``CLIENTS`` clients, and how long each request took."""
    laps: list[float] = []
    end = time.perf_counter() + seconds

    def client() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        while (begun := time.perf_counter()) < end:
            path, headers = ask()
            status, _, _ = get(connection, path, headers)
            assert status in (200, 304), (status, path)
            laps.append(time.perf_counter() - begun)

    begun = time.perf_counter()
    threads = [threading.Thread(target=client) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(laps) / (time.perf_counter() - begun), laps


def questions(port: int) -> dict[str, Ask]:
    """Every kind of request, of the widest matrix there is."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    listed = json.loads(get(connection, "/v1/matrices", {})[1])["matrices"]
    widest = max(listed, key=lambda one: one["cells"])
    matrix = f"/v1/matrices/{quote(widest['matrix'], safe='')}"
    detail = json.loads(get(connection, matrix, {})[1])
    targets = detail["grid"]["targets"]
    ask = f"/v1/recommendations?task={quote(widest['task'])}&matrix={quote(widest['matrix'])}"
    unmeasured = sorted(set(speakers()) - {*detail["grid"]["targets"], *detail["grid"]["sources"]})
    turn, lock = itertools.count(), threading.Lock()

    def fresh() -> int:
        with lock:
            return next(turn)

    def same(path: str, **headers: str) -> Ask:
        return lambda: (path, headers)

    def distinct(path: str, name: str, codes: Sequence[str]) -> Ask:
        """Another language each time, and when all were asked about, another number of sources."""

        def ask_next() -> tuple[str, dict[str, str]]:
            at = fresh()
            return f"{path}&{name}={codes[at % len(codes)]}&k={1 + at // len(codes) % 100}", {}

        return ask_next

    def another_number() -> tuple[str, dict[str, str]]:
        at = fresh()
        return f"{ask}&target=que&k={1 + at % 100}&source={targets[at // 100 % len(targets)]}", {}

    etag = get(connection, matrix, {})[2]["ETag"]
    offset = itertools.count()
    return {
        "recommendation, measured, asked before": same(f"{ask}&target={targets[0]}"),
        "recommendation, measured, distinct": distinct(ask, "target", targets),
        "recommendation, predicted, asked before": same(f"{ask}&target=que"),
        "recommendation, predicted, another language": distinct(ask, "target", unmeasured),
        "recommendation, predicted, another number": another_number,
        "list": same("/v1/matrices"),
        "matrix": same(matrix),
        "304": same(matrix, **{"If-None-Match": etag}),
        "600,000 bytes that are ready": same("/page"),
        "1,000 cells, asked before": same(f"{matrix}/cells?limit=1000"),
        "1,000 cells, distinct": lambda: (
            f"{matrix}/cells?limit={1000 - next(offset) % 300}&where=seed>={-fresh()}",
            {},
        ),
        "1,000 cells as Arrow, asked before": same(
            f"{matrix}/cells?limit=1000", Accept="application/vnd.apache.arrow.stream"
        ),
        "measure": same(f"{matrix}/measures/ranks"),
        "download": same(f"{matrix}/download"),
        "language": same("/v1/languages/yor"),
        "languages typed": same("/v1/languages?q=yor"),
    }


def main() -> None:
    """Print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", default="")
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--prepared", type=float, default=0.0, help="seconds of rest, in which answers are prepared")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    lines = []
    with served(given.store, prepare=given.prepared > 0) as server:
        port = server.port
        time.sleep(given.prepared)
        noop: Ask = lambda: ("/noop", {})  # noqa: E731
        load(port, noop, 0.5)
        for route, ask in questions(port).items():
            connection = http.client.HTTPConnection("127.0.0.1", port)
            begun = time.perf_counter()
            status, body, _ = get(connection, *ask())
            first = time.perf_counter() - begun
            if status not in (200, 304):
                print(f"{route}: {status} {body[:200].decode()}", file=sys.stderr)
                continue
            rates: list[tuple[float, float]] = []
            laps: list[float] = []
            for _ in range(2):
                base, _ = load(port, noop, given.seconds / 2)
                rate, more = load(port, ask, given.seconds / 2)
                rates.append((rate, base))
                laps += more
            rate, base = (sum(part) / len(rates) for part in zip(*rates, strict=True))
            cuts = quantiles(laps, n=100) if len(laps) > 1 else laps * 99
            line = RouteTimes(route, 1e3 * first, rate, rate / base, 1e3 * cuts[49], 1e3 * cuts[98])
            lines.append(line)
            if not given.json:
                print(
                    f"{route:42} first {line.first_ms:8.1f} ms  {line.per_second:7.0f}/s  ratio {line.ratio:5.2f}  "
                    f"p50 {line.p50_ms:6.1f}  p99 {line.p99_ms:6.1f} ms",
                    flush=True,
                )
    if given.json:
        print(json.dumps({"routes": [asdict(line) for line in lines]}))


if __name__ == "__main__":
    main()
