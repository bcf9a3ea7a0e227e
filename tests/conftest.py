"""Shared by the tests: cells, corpora of a few hundred games, an encoder of seconds, an S3-compatible server."""

import re
import subprocess
import sys
import threading
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from matrices.cells import Cell, cell_id
from matrices.logs import configure_logs

MakeCell = Callable[..., Cell]


@pytest.fixture(scope="session", autouse=True)
def _logs() -> None:
    """As in a command: to standard error, also of threads that outlive the test that started them."""
    configure_logs()


@pytest.fixture(scope="session")
def make_cell() -> MakeCell:
    """``make_cell(source="deu", correct=(1, 2), ...)``: a measured cell, its score and id from what is given."""

    def make(**given: Any) -> Cell:
        base = Cell(
            matrix="zero_shot-pos-tiny",
            encoder="tiny@0123456789ab",
            kind="zero_shot",
            composition="stack",
            task="pos",
            metric="accuracy",
            source="deu",
            target="yor",
            selection="last",
            seed=0,
            score=None,
            n_items=0,
            correct=(3, 1, 4),
            total=(4, 4, 4),
            status="ok",
            error=None,
            seconds=0.5,
            device="cpu",
            created_at=datetime(2026, 1, 1, tzinfo=UTC),
            cell_id="",
        )
        cell = replace(base, **given)
        names = ("matrix", "composition", "source", "target", "selection", "seed")
        identity = cell_id({name: getattr(cell, name) for name in names})
        if cell.status == "failed":
            cell = replace(cell, correct=None, total=None, error=cell.error or "RuntimeError: out of memory")
        elif cell.status == "undefined":
            cell = replace(cell, correct=(0, 0), total=(0, 0), n_items=2)
        elif cell.correct is not None and cell.total is not None:
            cell = replace(cell, score=sum(cell.correct) / sum(cell.total), n_items=len(cell.total))
        return replace(cell, cell_id=cell.cell_id or identity)

    return make


@pytest.fixture(scope="session")
def tiny_corpora(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six generated languages: raw text, and tasks ``board`` (tagging) and ``corner`` with parallel items.

    Shared by all tests: copy the folder before changing anything in it.
    """
    from workers.othello.corpora import Sizes, othello_corpora

    root = tmp_path_factory.mktemp("corpora")
    othello_corpora(root, sizes=Sizes(text=300, train=64, dev=20, test=30))
    return root


@pytest.fixture(scope="session")
def tiny_encoder_folder(tiny_corpora: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An encoder of two layers that saw the text of ``tiny_corpora`` for a few seconds; takes 64 tokens."""
    from workers.pretraining import PretrainJob, pretrain

    job = PretrainJob(
        out=tmp_path_factory.mktemp("encoders") / "tiny",
        corpora=tiny_corpora,
        vocabulary=400,
        layers=2,
        hidden=32,
        heads=2,
        max_length=64,
        length=32,
        pair_length=24,
        tokens=1024,
        steps=80,
        precision="fp32",
    )
    return pretrain(job).encoder.folder


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """The address of an S3-compatible server of this test session, reached over HTTP as any other."""
    command = [sys.executable, "-W", "ignore", "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        try:
            for line in server.stderr:
                if found := re.search(r"Running on (http://[\d.:]+)", line):
                    # Whoever does not read a pipe stops its writer once it is full.
                    threading.Thread(target=server.stderr.read, daemon=True).start()
                    yield found[1]
                    break
            else:
                pytest.fail("the S3 server did not start")
        finally:
            server.kill()


@pytest.fixture(scope="session")
def s3_environment(s3_server: str) -> dict[str, str]:
    """The variables that store and zoo reach the server by."""
    return {
        "AWS_ENDPOINT_URL": s3_server,
        "AWS_ALLOW_HTTP": "true",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }


@pytest.fixture(scope="session")
def new_bucket(s3_server: str) -> Callable[[], str]:
    """Makes a bucket; its URI."""

    def make() -> str:
        name = f"bucket-{uuid.uuid4().hex[:8]}"
        with urllib.request.urlopen(urllib.request.Request(f"{s3_server}/{name}", method="PUT")) as answer:
            assert answer.status == 200
        return f"s3://{name}"

    return make


@pytest.fixture
def bucket(s3_environment: dict[str, str], new_bucket: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> str:
    """A new bucket's URI, with what it is reached by in the environment."""
    for variable, value in s3_environment.items():
        monkeypatch.setenv(variable, value)
    return new_bucket()
