"""A job that is stopped, as a cluster stops it at a time limit."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from matrices.store import Store

pytestmark = pytest.mark.cluster
FILL = [sys.executable, "-W", "ignore", "-c", "from sprachbund.cli import main; main()", "fill"]


@pytest.fixture
def job_file(write_job: Callable[..., Path]) -> Path:
    """A job that is not done before somebody can stop it."""
    long = {"steps": 40, "tokens": 256, "length": 32}
    return write_job(sources=["qaa", "qab"], seeds=[0, 1], language_adapter=long, workers=1)


def test_sigterm_ends_a_fill_cleanly_and_the_same_command_goes_on(job_file: Path) -> None:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "200"}
    command = [*FILL, str(job_file)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as running:
        assert running.stderr is not None
        # Its first word of progress: adapters are being trained.
        before = []
        for line in running.stderr:
            before.append(line)
            if line.startswith("adapters "):
                break
        assert before[-1].startswith("adapters "), "".join(before)
        running.send_signal(signal.SIGTERM)
        said = running.stderr.read()

    assert running.returncode == 128 + signal.SIGTERM, said
    assert f"the same command goes on: sprachbund fill {job_file}" in said
    assert "Traceback" not in said

    subprocess.run(command, check=True, env=environment, capture_output=True)
    store = Store.open(job_file.parent / "store")
    assert {status for info in store.matrices() for status in store.cells(info.matrix)["status"].to_pylist()} == {"ok"}
