"""Log lines: on standard error, for people by default and as JSON where asked."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys

import pytest
import structlog

from matrices.logs import VARIABLE, configure_logs

PROGRAM = """
import os, sys
import structlog
from matrices.logs import configure_logs

configure_logs(as_json="--log-json" in sys.argv)
with structlog.contextvars.bound_contextvars(job="0123abcd", run="4567"):
    structlog.get_logger().warning("a worker died", what="column yor — ä")
    try:
        1 / 0
    except ZeroDivisionError:
        structlog.get_logger().exception("failed")
print(os.environ.get("SPRACHBUND_LOG_JSON"))
"""


def logged(*arguments: str, **environment: str) -> tuple[str, list[str]]:
    told = {name: value for name, value in os.environ.items() if name != "SPRACHBUND_LOG_JSON"}
    told |= {"PYTHONIOENCODING": "utf-8", **environment}
    command = [sys.executable, "-c", PROGRAM, *arguments]
    done = subprocess.run(command, env=told, capture_output=True, check=True, encoding="utf-8")
    return done.stdout.strip(), done.stderr.splitlines()


@pytest.mark.parametrize("asked", [("--log-json", {}), ("", {"SPRACHBUND_LOG_JSON": "1"})], ids=["option", "variable"])
def test_json_lines_carry_level_time_ids_and_what_happened(asked: tuple[str, dict[str, str]]) -> None:
    # What this process starts, such as Ray's workers, logs in the same form.
    variable, lines = logged(asked[0], **asked[1])
    assert variable == "1"
    warning, error = (json.loads(line) for line in lines)
    ids = {"job": "0123abcd", "run": "4567"}
    assert warning.pop("timestamp").endswith("Z")
    assert warning == {"event": "a worker died", "level": "warning", "what": "column yor — ä", **ids}
    assert (error["event"], error["level"]) == ("failed", "error")
    assert "ZeroDivisionError" in error["exception"]


def test_people_read_lines_with_the_same_ids() -> None:
    variable, lines = logged()
    assert variable == "None"
    assert "a worker died" in lines[0]
    assert "0123abcd" in lines[0]
    assert not lines[0].startswith("{")


def test_standard_error_may_be_redirected_and_closed_between_lines(capsys: pytest.CaptureFixture[str]) -> None:
    before = structlog.get_config()
    try:
        with io.StringIO() as closed, contextlib.redirect_stderr(closed):
            configure_logs()
            structlog.get_logger().info("one")
        structlog.get_logger().info("two")
    finally:
        structlog.configure(**before)
    assert "two" in capsys.readouterr().err


def test_an_error_is_logged_without_the_values_of_variables(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def failing() -> None:
        credentials = "".join(["of ", "the store"])
        raise RuntimeError(len(credentials))

    monkeypatch.delenv(VARIABLE, raising=False)
    before = structlog.get_config()
    try:
        configure_logs()
        failing()
    except RuntimeError as error:
        structlog.get_logger().error("unexpected error", exc_info=error)
    finally:
        structlog.configure(**before)

    said = capsys.readouterr().err
    assert "in failing" in said
    assert "of the store" not in said
