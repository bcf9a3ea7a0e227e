"""A hub on this machine: repositories of files at commits, as `huggingface_hub` asks for them."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


@dataclass
class Hub:
    """``org/model``: the folder of each commit, and the commit of each branch; both may change while it is asked."""

    address: str = ""
    commits: dict[str, Path] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)

    def file(self, path: str) -> tuple[str, bytes] | None:
        """The commit and the bytes of a path of the hub, None where there is nothing."""
        for begin in ("/api/models/org/model/revision/", "/org/model/resolve/"):
            revision, _, name = path.removeprefix(begin).partition("/")
            sha = self.branches.get(revision, revision)
            if path.startswith(begin) and sha in self.commits:
                folder = self.commits[sha]
                if begin.startswith("/api"):
                    files = [{"rfilename": one.name} for one in sorted(folder.iterdir())]
                    return sha, json.dumps({"id": "org/model", "sha": sha, "siblings": files}).encode()
                return (sha, (folder / name).read_bytes()) if (folder / name).is_file() else None
        return None


@contextmanager
def hub() -> Iterator[Hub]:
    """A hub that listens as long as the block lasts."""
    made = Hub()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = made.file(self.path)
            sha, body = found or ("", b"")
            self.send_response(200 if found else 404)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("X-Repo-Commit", sha)
            if not found:
                self.send_header("X-Error-Code", "RevisionNotFound")
            self.send_header("ETag", f'"{hashlib.sha256(body).hexdigest()}"')
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        do_HEAD = do_GET  # noqa: N815

        def log_message(self, *told: object) -> None:
            """Nothing: a test that fails says what was asked."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        made.address = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield made
        finally:
            server.shutdown()
            thread.join()
