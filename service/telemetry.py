"""Every request numbered, counted, timed and logged, under the template of its route."""

from __future__ import annotations

import re
import secrets
import time

import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.problems import problem

log = structlog.get_logger()

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}
"""On every answer; besides a Content-Security-Policy, which the page has its own of."""


class Metrics:
    """The counters of one application, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        labels = ("method", "route")
        self.requests = Counter("sprachbund_requests", "Answered.", (*labels, "status"), registry=self.registry)
        self.seconds = Histogram("sprachbund_request_seconds", "To answer.", labels, registry=self.registry)


class Observed:
    """ASGI middleware around the whole application: what fails inside is a problem document here."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        number = _number(scope)
        status, begun = 0, time.perf_counter()

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(raw=message.setdefault("headers", []))
                headers["X-Request-ID"] = number
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Content-Security-Policy", _POLICY)
            await send(message)

        with structlog.contextvars.bound_contextvars(request=number):
            try:
                await self._app(scope, receive, noted)
            except Exception as error:
                log.error("unexpected error", path=scope["path"], exc_info=error)
                if status:
                    raise
                failed = problem(500, "unexpected-error", "the service failed; its log says where", request=number)
                await failed(scope, receive, noted)
            finally:
                self._note(scope, status or 499, time.perf_counter() - begun)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        # The template, not the path: a label a matrix or language would grow without bound.
        route = scope.get("template") or getattr(scope.get("route"), "path", "unmatched")
        method = scope["method"] if route != "unmatched" else "any"
        self._metrics.requests.labels(method, route, str(status)).inc()
        self._metrics.seconds.labels(method, route).observe(seconds)
        log.info(
            "request",
            method=scope["method"],
            path=scope["path"],
            status=status,
            seconds=round(seconds, 4),
            key=scope.get("key_name"),
        )


def _number(scope: Scope) -> str:
    """The id that the client or a proxy gave the request, where it is one; else a new one."""
    for name, value in scope["headers"]:
        given = str(value, "latin-1")
        if name == b"x-request-id" and _REQUEST_ID.fullmatch(given):
            return given
    return secrets.token_hex(8)
