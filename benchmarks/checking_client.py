"""A client that asks a service all the time, and holds every answer against what the version of the store has."""

from __future__ import annotations

import http.client
import io
import json
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

import pyarrow.parquet as pq
from serve import get

from matrices.cells import Cell

MATRIX, TARGET = "pos-zero_shot-walk", "yor"
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


class Client(threading.Thread):
    """Asks until it is over, and holds every answer against the truth."""

    def __init__(self, port: int, truth: Truth, tally: Tally, number: int, over: threading.Event) -> None:
        super().__init__()
        self._port, self._truth, self._tally, self._over = port, truth, tally, over
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
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
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
