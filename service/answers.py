"""Answers in the form the client prefers, with an ETag of their content, so that a client that has them gets 304."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pyarrow as pa
from fastapi import Request, Response

JSON = "application/json"
ARROW = "application/vnd.apache.arrow.stream"
PARQUET = "application/vnd.apache.parquet"
CSV = "text/csv"
_BINARY = {"schema": {"type": "string", "format": "binary"}}
ARROW_CONTENT: dict[int | str, dict[str, Any]] = {200: {"content": {ARROW: _BINARY}}}
"""What OpenAPI says of an answer that may be an Arrow stream."""
TABLE_CONTENT: dict[int | str, dict[str, Any]] = {
    200: {"content": {ARROW: _BINARY, PARQUET: _BINARY, CSV: {"schema": {"type": "string"}}}}
}
"""And of one that may be a table in any form."""


class NotAcceptableError(ValueError):
    """An Accept header that takes nothing of what there is."""

    def __init__(self, accept: str, there: Sequence[str]) -> None:
        self.known = tuple(there)
        super().__init__(f"Accept: {accept[:100]} takes none of {', '.join(there)}; name one of these, or leave it out")


def answer(
    request: Request,
    body: bytes,
    cache_seconds: int,
    media_type: str = JSON,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The body with its ETag, or 304 where the client names that ETag in If-None-Match."""
    return answer_as(request, digest(body), lambda: body, cache_seconds, media_type, headers)


def answer_as(
    request: Request,
    etag: str,
    make: Callable[[], bytes],
    cache_seconds: int,
    media_type: str = JSON,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The body that ``etag`` stands for, which is made where the client does not have it."""
    quoted = f'"{etag}"'
    kept = {"ETag": quoted, **caching(cache_seconds, request), "Vary": "Accept, Authorization", **(headers or {})}
    if matches(request, quoted):
        return Response(status_code=304, headers=kept)
    return Response(make(), media_type=media_type, headers=kept)


def digest(content: bytes) -> str:
    """What an ETag says of a content."""
    return hashlib.sha256(content).hexdigest()[:32]


def caching(seconds: int, request: Request | None = None) -> dict[str, str]:
    """How long an answer may be kept, and by whom; after that it is asked for again, with its ETag."""
    access = None if request is None else request.scope.get("access")
    who = "private" if access is not None and access.everything else "public"
    return {"Cache-Control": f"{who}, max-age={seconds}, must-revalidate"}


def matches(request: Request, etag: str) -> bool:
    """Whether If-None-Match names this ETag, or any."""
    return names(request.headers.get("if-none-match", ""), etag)


def names(given: str, etag: str) -> bool:
    """Whether a list of ETags has this one, or any; compared weakly, as RFC 9110 section 13.1.2 says."""
    return any(one.strip().removeprefix("W/") in (etag, "*") for one in given.split(","))


def preferred(request: Request, there: Sequence[str]) -> str:
    """The media type the client likes best of those ``there`` are, the first of equals; RFC 9110 section 12.5.1.

    Raises ``NotAcceptableError``.
    """
    accept = ", ".join(request.headers.getlist("accept"))
    if not accept.strip():
        return there[0]
    wanted = list(_ranges(accept))
    best = max(there, key=lambda media_type: _quality(media_type, wanted))
    if not _quality(best, wanted):
        raise NotAcceptableError(accept, there)
    return best


def _ranges(accept: str) -> list[tuple[str, float]]:
    found = []
    for part in accept.split(","):
        media_range, *parameters = (piece.strip() for piece in part.split(";"))
        if media_range:
            found.append((media_range.casefold(), _q(parameters)))
    return found


def _q(parameters: Sequence[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip().casefold() == "q":
            try:
                return min(max(float(value), 0.0), 1.0)
            except ValueError:
                return 1.0
    return 1.0


def _quality(media_type: str, wanted: Sequence[tuple[str, float]]) -> float:
    """What the most specific range that covers a type says of it; 0 where none does."""
    kind = media_type.partition("/")[0]
    for covering in (media_type, f"{kind}/*", "*/*"):
        if (found := [q for given, q in wanted if given == covering]) != []:
            return max(found)
    return 0.0


def arrow_stream(table: pa.Table) -> bytes:
    """A table as an Arrow stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    stream: bytes = sink.getvalue().to_pybytes()
    return stream
