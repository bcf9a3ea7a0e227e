"""Whole answers as bytes, by version and address: what was asked before is sent again without a look at it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.answers import names
from service.middleware import Access
from service.snapshot import Snapshots

_LARGEST = 1 / 8
"""An answer that would take more than this share of the memory is made anew each time."""
_OTHERWISE = {b"range", b"if-range"}
"""Headers under which another answer is due than that which was kept."""


@dataclass(frozen=True, slots=True)
class _Kept:
    headers: list[tuple[bytes, bytes]]
    short: list[tuple[bytes, bytes]]
    """Those of a 304."""
    etag: str
    body: bytes
    template: str


class Remembered:
    """ASGI middleware with a memory of ``megabytes``; only whole answers with an ETag are kept."""

    def __init__(self, app: ASGIApp, snapshots: Snapshots, megabytes: int) -> None:
        self._app, self._snapshots = app, snapshots
        self._room = self._most = megabytes * 2**20
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        key = self._key(scope)
        if key is None:
            await self._app(scope, receive, send)
            return
        kept = self._kept.get(key)
        if kept is not None:
            self._kept.move_to_end(key)
            scope["template"] = kept.template
            await _again(kept, scope, send)
            return
        start: Message | None = None
        body: list[bytes] = []

        async def noted(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message if self._worth_keeping(message) else None
            elif start is not None:
                body.append(message.get("body", b""))
                if not message.get("more_body", False):
                    self._keep(key, start, b"".join(body), scope)
            await send(message)

        await self._app(scope, receive, noted)

    def _key(self, scope: Scope) -> Hashable | None:
        if scope["type"] != "http" or scope["method"] != "GET" or "/v1/" not in scope["path"]:
            return None
        views = self._snapshots.settled
        if views is None or any(name in _OTHERWISE for name, _ in scope["headers"]):
            return None
        access = scope["access"]
        assert isinstance(access, Access)
        accept = tuple(value for name, value in scope["headers"] if name == b"accept")
        seen = views.seen(access.everything).identity
        return seen, scope.get("root_path"), scope["raw_path"], scope["query_string"], accept

    def _worth_keeping(self, start: Message) -> bool:
        """Whether an answer is whole, can be told from others, and is not so long that little else would be kept."""
        headers = dict(start["headers"])
        length = int(headers.get(b"content-length", self._most + 1))
        return start["status"] == 200 and b"etag" in headers and length <= self._most * _LARGEST

    def _keep(self, key: Hashable, start: Message, body: bytes, scope: Scope) -> None:
        headers = [(name, value) for name, value in start["headers"] if name != b"x-request-id"]
        etag = dict(headers)[b"etag"]
        if scope.get("head"):
            return
        short = [pair for pair in headers if pair[0] not in (b"content-length", b"content-type", b"accept-ranges")]
        template = getattr(scope.get("route"), "path", "unmatched")
        self._kept[key] = _Kept(headers, short, etag.decode(), body, template)
        self._room -= len(body)
        while self._room < 0:
            _, oldest = self._kept.popitem(last=False)
            self._room += len(oldest.body)


async def _again(kept: _Kept, scope: Scope, send: Send) -> None:
    same = names(Headers(scope=scope).get("if-none-match", ""), kept.etag)
    headers = kept.short if same else kept.headers
    await send({"type": "http.response.start", "status": 304 if same else 200, "headers": list(headers)})
    await send({"type": "http.response.body", "body": b"" if same else kept.body})
