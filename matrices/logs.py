"""The form of log lines, in every room: for people, or for machines."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import structlog
from structlog.typing import Processor

VARIABLE = "SPRACHBUND_LOG_JSON"
"""Environment variable: ``1`` makes every log line a JSON object."""

_JSON: Sequence[Processor] = (
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.format_exc_info,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.JSONRenderer(ensure_ascii=False),
)


def configure_logs(*, as_json: bool = False) -> None:
    """Log to standard error, as standard output is for answers alone; ``as_json`` as if the variable were set.

    Processes that this one starts log in the same form.
    """
    if as_json:
        os.environ[VARIABLE] = "1"
    structlog.configure(
        processors=list(_JSON) if os.environ.get(VARIABLE) == "1" else _for_people(),
        # Looked up at every line: whoever redirects standard error may close what it was before.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )


def _for_people() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="%Y-%m-%d %H:%M:%S", utc=False),
        # Without the values of variables, which the default shows: credentials of a store are among them.
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback),
    ]
