"""A place that jobs cannot share is refused before anything is trained."""

from __future__ import annotations

import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from adapters_zoo.blobs import open_blobs
from workers.preflight import PreflightError, probe


@pytest.fixture
def unconditional(s3_server: str) -> Iterator[str]:
    """The address of a server that answers as the S3 server does, but for conditions, which it does not know."""

    class Forward(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            kept = {
                name: value for name, value in self.headers.items() if name.lower() not in ("if-none-match", "host")
            }
            request = urllib.request.Request(s3_server + self.path, body or None, kept, method=self.command)
            try:
                answer = urllib.request.urlopen(request)
            except urllib.error.HTTPError as error:
                answer = error
            content = answer.read()
            self.send_response(answer.status)
            for name in ("ETag", "Last-Modified", "Content-Type"):
                if name in answer.headers:
                    self.send_header(name, answer.headers[name])
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_PUT = do_DELETE = do_POST = answer  # noqa: N815

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Forward) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_server_that_does_not_know_conditions_is_refused(
    bucket: str, unconditional: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    zoo = f"{bucket}/zoo"
    with probe(zoo) as name:
        assert open_blobs(f"{zoo}/claims").names() == [name]
    assert open_blobs(f"{zoo}/claims").names() == []
    monkeypatch.setenv("AWS_ENDPOINT_URL", unconditional)
    with pytest.raises(PreflightError, match=f"{zoo}: the server makes a file twice"), probe(zoo):
        pass


def test_a_folder_can_be_shared_and_nothing_is_left_in_it(tmp_path: Path) -> None:
    zoo = tmp_path / "jobs" / "zoo"
    with probe(str(zoo)) as name:
        assert (zoo / "claims" / name).is_file()
    assert list((zoo / "claims").iterdir()) == []
