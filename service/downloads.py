"""Files that are written once and kept in a folder: versions of matrices, and trained adapters."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pyarrow.compute as pc
from starlette.responses import FileResponse
from starlette.types import Message, Receive, Scope, Send

from matrices.export import export
from matrices.snapshot import Snapshot
from matrices.whole_file import whole_file
from service.answers import PARQUET
from service.problems import NoRoomError, problem

MEDIA_TYPE = PARQUET


def identity(held: Snapshot, matrix: str) -> str:
    """Matrix, version, and a digest of which cells these are: a store made anew counts its versions anew.

    Raises ``UnknownMatrixError``.
    """
    return f"{quote(matrix, safe='')}@{held.version}-{held.content(matrix)[:12]}"


class Downloads:
    """Files by identity in one folder, the oldest removed when there are more than ``most``."""

    def __init__(self, folder: Path, most: int) -> None:
        self._folder, self._most, self._lock = folder, most, threading.Lock()

    @property
    def folder(self) -> Path:
        """Where they lie."""
        return self._folder

    def matrix(self, held: Snapshot, matrix: str) -> Path:
        """The Parquet file of the version held, written where there is none yet. Raises ``UnknownMatrixError``."""

        def write(path: Path) -> None:
            export(held, matrix, path)
            measured = pc.max(held.cells(matrix, columns=["created_at"])["created_at"]).as_py().timestamp()
            # Last-Modified is when the newest cell was measured: the same on every machine that serves it.
            os.utime(path, (measured, measured))

        return self.file(f"{identity(held, matrix)}.parquet", write)

    def digest(self, held: Snapshot, matrix: str) -> str:
        """SHA-256 of that file. Raises as ``matrix`` does."""
        with self.matrix(held, matrix).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def file(self, name: str, write: Callable[[Path], None]) -> Path:
        """The file of a name; ``write`` fills it where there is none yet, and it appears whole or not at all."""
        path = self._folder / name
        with self._lock:
            if not path.exists():
                try:
                    with whole_file(path) as temporary:
                        write(temporary)
                except OSError as error:
                    raise NoRoomError(self._folder, error) from error
                self._forget()
        return path

    def _forget(self) -> None:
        files = sorted(self._folder.glob("[!.]*.*"), key=lambda path: path.stat().st_ctime_ns)
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

        await super().__call__(_of_bytes(scope), receive, unless_refused)
        if refused is not None:
            status = 416 if refused else 400
            detail = "the Range header asks for bytes this file does not have; leave it out for the whole file"
            await problem(status, "range-not-satisfiable", detail, refused)(scope, receive, send)


def _of_bytes(scope: Scope) -> Scope:
    """The request without a range in units that are not known: RFC 9110, section 14.2, has such a header ignored.

    A HEAD asks for no range either, and its file need not be read.
    """
    unknown = [pair for pair in scope["headers"] if pair[0] == b"range" and not pair[1].lower().startswith(b"bytes=")]
    if scope.get("head"):
        return {**scope, "method": "HEAD", "headers": [pair for pair in scope["headers"] if pair[0] != b"range"]}
    return {**scope, "headers": [pair for pair in scope["headers"] if pair not in unknown]} if unknown else scope
