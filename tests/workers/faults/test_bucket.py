"""Store and zoo in a bucket whose server cannot be reached for a while: waited out, over real HTTP."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

pytestmark = pytest.mark.cluster
Make = Callable[..., Any]
AGAIN = "not the work's own fault: it is done again"


class Gate:
    """The way to a server: while it is shut, every connection is cut, old and new."""

    def __init__(self, host: str, port: int) -> None:
        self._server, self._open, self._through = (host, port), True, set[socket.socket]()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def shut(self) -> None:
        self._open = False
        for one in list(self._through):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def open(self) -> None:
        self._open = True

    def close(self) -> None:
        self.shut()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):  # The listener was closed.
            while True:
                client, _ = self._listener.accept()
                if not self._open:
                    client.close()
                    continue
                server = socket.create_connection(self._server)
                for one, other in ((client, server), (server, client)):
                    threading.Thread(target=self._pass_on, args=(one, other), daemon=True).start()

    def _pass_on(self, one: socket.socket, other: socket.socket) -> None:
        self._through.add(one)
        with one, contextlib.suppress(OSError):
            while data := one.recv(65536):
                other.sendall(data)
        with contextlib.suppress(OSError):
            other.shutdown(socket.SHUT_RDWR)
        self._through.discard(one)


@pytest.fixture
def gate(bucket: str, s3_server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    server = urlsplit(s3_server)
    gate = Gate(server.hostname or "", server.port or 80)
    monkeypatch.setenv("AWS_ENDPOINT_URL", gate.address)
    yield gate
    gate.close()


def test_a_server_that_cannot_be_reached_for_a_while(
    task: Make, bucket: str, gate: Gate, log: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    job = task(store=f"{bucket}/store", zoo=f"{bucket}/zoo")
    log.on(AGAIN, gate.open)
    shut = [gate.shut]

    def watch(state: Any) -> None:
        if state.adapters[0] == 1 and shut:
            shut.pop()()

    summary = job.run(watch=watch)
    assert not shut
    assert (summary.trained, summary.measured, summary.failed) == (7, 10, 0)
    assert job.is_whole()
    assert AGAIN in log.events()
    assert not any(entry["level"] == "error" for entry in log.entries)
