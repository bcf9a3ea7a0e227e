"""One version of a matrix as one Parquet file, written once and kept in a folder."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote

import pyarrow as pa
import pyarrow.compute as pc
from starlette.responses import FileResponse
from starlette.types import Message, Receive, Scope, Send

from matrices.export import export
from matrices.held import Held
from service.problems import problem

MEDIA_TYPE = "application/vnd.apache.parquet"


@lru_cache(maxsize=64)
def identity(held: Held, matrix: str) -> str:
    """Matrix, version, and a digest of which cells these are: a store made anew counts its versions anew.

    Raises ``UnknownMatrixError``.
    """
    cells = held.cells(matrix, columns=["cell_id", "created_at"])
    digest = hashlib.sha256()
    for name in cells.column_names:
        digest.update(json.dumps(cells[name].cast(pa.string()).to_pylist()).encode())
    return f"{quote(matrix, safe='')}@{held.version}-{digest.hexdigest()[:12]}"


class Downloads:
    """Files by identity in one folder, the oldest removed when there are more than ``most``."""

    def __init__(self, folder: Path, most: int) -> None:
        self._folder, self._most, self._lock = folder, most, threading.Lock()

    def file(self, held: Held, matrix: str) -> Path:
        """The Parquet file of the version held, written where there is none yet. Raises ``UnknownMatrixError``."""
        path = self._folder / f"{identity(held, matrix)}.parquet"
        with self._lock:
            if not path.exists():
                export(held, matrix, path)
                measured = pc.max(held.cells(matrix, columns=["created_at"])["created_at"]).as_py().timestamp()
                # Last-Modified is when the newest cell was measured: the same on every machine that serves it.
                os.utime(path, (measured, measured))
                self._forget()
        return path

    def _forget(self) -> None:
        files = sorted(self._folder.glob("*.parquet"), key=lambda path: path.stat().st_ctime_ns)
        for path in files[: -self._most]:
            path.unlink(missing_ok=True)


class Download(FileResponse):
    """A file in whole or in ranges; a range that cannot be had is a problem document like every other error."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refused: dict[str, str] | None = None

        async def unless_refused(message: Message) -> None:
            nonlocal refused
            if message["type"] == "http.response.start" and message["status"] >= 400:
                headers = {name.decode(): value.decode() for name, value in message["headers"]}
                refused = {name: value for name, value in headers.items() if name == "content-range"}
            if refused is None:
                await send(message)

        await super().__call__(scope, receive, unless_refused)
        if refused is not None:
            status = 416 if refused else 400
            detail = "the Range header asks for bytes this file does not have; leave it out for the whole file"
            await problem(status, "range-not-satisfiable", detail, refused)(scope, receive, send)
