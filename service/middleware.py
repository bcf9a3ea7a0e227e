"""What every request passes before it is answered: limits, keys, and HEAD as GET without its body."""

from __future__ import annotations

from dataclasses import dataclass

import anyio
import structlog
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.keys import Keyring, KeysFileError
from service.problems import problem
from service.settings import Settings, listed

log = structlog.get_logger()

_OPEN = ("/", "/docs", "/openapi.json", "/health", "/ready", "/metrics")
"""Asked without a key, whatever is set: by browsers, balancers and Prometheus."""
_DOWNLOADS = ("/download", "/adapters/")


@dataclass(frozen=True)
class Access:
    """What a request may do: its scopes, and whether it may see private matrices."""

    scopes: frozenset[str]
    everything: bool
    name: str | None = None


class Limits:
    """ASGI middleware that ends what is too long or too slow."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app, self._settings = app, settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        settings, length = self._settings, Headers(scope=scope).get("content-length", "0")
        if len(scope["query_string"]) > settings.query_bytes:
            detail = f"a query has at most {settings.query_bytes} bytes; ask in several requests, or POST"
            await problem(414, "query-too-long", detail)(scope, receive, send)
            return
        if length.isdigit() and int(length) > settings.body_bytes:
            await _too_large(settings)(scope, receive, send)
            return
        try:
            body = await self._body(receive) if scope["method"] in ("POST", "PUT", "PATCH") else None
        except TimeoutError:
            detail = f"the body did not arrive within {settings.patience_seconds:g} s"
            await problem(408, "request-timeout", detail, {"Connection": "close"})(scope, receive, send)
            return
        except OverflowError:
            await _too_large(settings)(scope, receive, send)
            return

        hung = False

        async def timely(message: Message) -> None:
            nonlocal hung
            try:
                with anyio.fail_after(settings.patience_seconds):
                    await send(message)
            except TimeoutError:
                hung = True
                raise

        try:
            await self._app(scope, receive if body is None else _given(body, receive), timely)
        except TimeoutError:
            if not hung:
                raise
            log.warning("a client took nothing for too long", path=scope["path"], seconds=settings.patience_seconds)

    async def _body(self, receive: Receive) -> bytes:
        body = b""
        with anyio.fail_after(self._settings.patience_seconds):
            while True:
                message = await receive()
                body += bytes(message.get("body", b""))
                if len(body) > self._settings.body_bytes:
                    raise OverflowError
                if not message.get("more_body", False):
                    return body


class Keys:
    """ASGI middleware that says who may do what: ``scope["access"]`` from here on."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._keyring = None if settings.keys is None else Keyring(settings.keys)
        self._anonymous = Access(frozenset(listed(settings.anonymous)), everything=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        secret = _secret(Headers(scope=scope))
        access = self._anonymous
        if secret is not None and self._keyring is not None:
            try:
                key = self._keyring.find(secret)
            except (KeysFileError, OSError) as error:
                await problem(503, "no-keys", str(error), {"Retry-After": "5"})(scope, receive, send)
                return
            if key is None:
                await _refused(401, "unknown-key", "this key is none, or was revoked")(scope, receive, send)
                return
            access = Access(frozenset(key.scopes), everything=True, name=key.name)
        needed = "download" if any(part in path for part in _DOWNLOADS) else "read"
        if path not in _OPEN and not path.startswith("/web/") and needed not in access.scopes:
            if access.name is None:
                detail = f"this needs a key with the scope {needed}: send it as `Authorization: Bearer KEY`"
                await _refused(401, "key-needed", detail)(scope, receive, send)
            else:
                detail = f"key {access.name!r} has not the scope {needed}; ask for one that has"
                await _refused(403, "scope-needed", detail)(scope, receive, send)
            return
        scope["access"], scope["key_name"] = access, access.name
        await self._app(scope, receive, send)


class Prefixed:
    """ASGI middleware that puts back the prefix of the address that a proxy took off, so that links have it."""

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self._app, self._prefix = app, prefix.rstrip("/")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not scope["path"].startswith(f"{self._prefix}/"):
            scope = {**scope, "root_path": self._prefix, "path": self._prefix + scope["path"]}
        await self._app(scope, receive, send)


class Heads:
    """ASGI middleware that answers HEAD as GET without the body: the same status, the same headers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def without_body(message: Message) -> None:
            if message["type"] == "http.response.body":
                if message.get("more_body", False):
                    return
                message = {"type": "http.response.body", "body": b""}
            await send(message)

        asked = {**scope, "method": "GET", "head": True}
        await self._app(asked, receive, without_body)
        scope["route"], scope["template"] = asked.get("route"), asked.get("template")


def _given(body: bytes, receive: Receive) -> Receive:
    """A body that is here already, and then what comes."""
    sent = False

    async def again() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def _secret(headers: Headers) -> str | None:
    scheme, _, secret = headers.get("authorization", "").partition(" ")
    return secret.strip() if scheme.casefold() == "bearer" and secret.strip() else None


def _refused(status: int, kind: str, detail: str) -> ASGIApp:
    return problem(status, kind, detail, {"WWW-Authenticate": "Bearer", "Cache-Control": "no-store"})


def _too_large(settings: Settings) -> ASGIApp:
    return problem(413, "body-too-large", f"a body has at most {settings.body_bytes} bytes", {"Connection": "close"})
