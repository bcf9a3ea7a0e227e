"""Make a client from docs/openapi.json alone, and ask a running service with it.

    python -m venv /tmp/client && /tmp/client/bin/pip install openapi-python-client
    sprachbund serve --port 8000 &
    /tmp/client/bin/python tools/check_client.py http://127.0.0.1:8000

It needs openapi-python-client, which pins an older typer than this package has: hence an environment of its own, in
which nothing of this package is installed.
"""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

DOCUMENT = Path(__file__).parent.parent / "docs" / "openapi.json"
BINARY = ("application/vnd.apache.parquet", "application/vnd.apache.arrow.stream", "application/zip")
PROBLEM = "application/problem+json"
CONFIG = {"content_type_overrides": {**dict.fromkeys(BINARY, "application/octet-stream"), PROBLEM: "application/json"}}


def generate(folder: Path) -> None:
    """The client as a package ``generated`` in a folder. Raises ``RuntimeError`` where anything is left out of it."""
    config = folder / "config.json"
    config.write_text(json.dumps(CONFIG), encoding="utf-8")
    command = [str(Path(sys.executable).parent / "openapi-python-client"), "generate", "--path", str(DOCUMENT)]
    command += ["--output-path", str(folder / "generated"), "--meta", "none", "--config", str(config)]
    said = subprocess.run(command, capture_output=True, text=True, check=True)
    if (lost := said.stdout.count("WARNING")) > 0:
        raise RuntimeError(f"{lost} operations or answers were left out of the client:\n{said.stdout}")


def ask(address: str) -> None:
    """Every operation once, with types checked by the client as it reads the answers."""
    client = importlib.import_module("generated").Client(base_url=address, timeout=120.0)

    def call(operation: str, *path: str, **query: Any) -> Any:
        module = importlib.import_module(f"generated.api.{operation}")
        answer = module.sync_detailed(*path, client=client, **query)
        kind = type(answer.parsed).__name__
        print(f"{operation:42} {answer.status_code:d} {kind} {len(answer.content):,} bytes")
        return answer.parsed

    call("operations.ready")
    call("operations.health")
    call("operations.metrics")
    listed = call("matrices.list_matrices")
    first = max(listed.matrices, key=lambda one: one.cells)
    detail = call("matrices.show_matrix", first.matrix)
    target = detail.grid.targets[0]
    found = call("recommendations.recommend", task=first.task, target=target, k=3, matrix=first.matrix)
    best = found.sources[0]
    print(f"  {target}: {best.source} {best.score:.3f}, {found.advice}")
    body = importlib.import_module("generated.models").RecommendationsBody
    several = call("recommendations.recommend_several", body=body(task=first.task, targets=[target, "xyzzy"]))
    assert several.answers[0].answer.sources, "no answer for a measured target"
    assert several.answers[1].problem.status == 404, "an unknown language is no problem"
    page = call("matrices.list_cells", first.matrix, limit=10)
    following = call("matrices.list_cells", first.matrix, limit=10, cursor=page.next_)
    assert page.total == following.total > 10, "pages do not agree"
    call("matrices.list_versions", first.matrix)
    call("matrices.describe_matrix", first.matrix)
    call("matrices.export_evaluations", first.matrix)
    call("measures.show_measure", first.matrix, "ranks")
    call("languages.suggest_languages", q="yor")
    call("languages.show_language", target)
    file = call("matrices.download", first.matrix)
    assert file.payload.read(4) == b"PAR1", "a download is no Parquet file"
    problem = call("recommendations.recommend", task="nothing", target=target)
    assert problem.type_ == "urn:sprachbund:problem:unknown-task", "a problem is not read as one"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        generate(Path(made))
        sys.path.insert(0, made)
        ask(sys.argv[1])
