"""Every error as a problem document (RFC 9457): what went wrong, what there is instead, one shape for all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from matrices.bundled import NoBoxError
from matrices.languages import UnknownLanguageError
from matrices.measures.registry import UnknownMeasureError
from matrices.nearest import nearest_hint
from matrices.reading import UnknownMatrixError, UnknownVersionError
from matrices.recommend import UnknownTargetError, UnknownTaskError, UnknownWayError
from matrices.store import StoreMissingError, StoreTooNewError, StoreUnreadableError
from matrices.store_errors import plainly
from matrices.view import MeasureError
from service.adapters import UnknownAdapterError
from service.answers import NotAcceptableError
from service.cell_pages import ChoiceError, UnreadableCursorError
from service.schemas import (
    CellsQuery,
    DownloadQuery,
    LanguagesQuery,
    MatrixQuery,
    MeasureQuery,
    Problem,
    RecommendationQuery,
    RecommendationsBody,
    VersionsQuery,
)

MEDIA_TYPE = "application/problem+json"
_QUERIES: dict[str, type[BaseModel]] = {
    "/v1/recommendations": RecommendationQuery,
    "/v1/languages": LanguagesQuery,
    "/v1/matrices/{matrix}": MatrixQuery,
    "/v1/matrices/{matrix}/versions": VersionsQuery,
    "/v1/matrices/{matrix}/cells": CellsQuery,
    "/v1/matrices/{matrix}/measures/{measure}": MeasureQuery,
    "/v1/matrices/{matrix}/download": DownloadQuery,
}


class NoRoomError(OSError):
    """A file that was asked for and cannot be written."""

    def __init__(self, folder: Path, cause: OSError) -> None:
        super().__init__(f"{folder} takes no more files: {plainly(cause)}. Make room there; answers go on meanwhile")


def problem(
    status: int, kind: str, detail: str, headers: Mapping[str, str] | None = None, **more: object
) -> JSONResponse:
    """A problem document of type ``urn:sprachbund:problem:<kind>``, with further members."""
    body = {
        "type": f"urn:sprachbund:problem:{kind}",
        "title": kind.replace("-", " ").capitalize(),
        "status": status,
        "detail": detail,
        **more,
    }
    return JSONResponse(body, status, headers=dict(headers or {}), media_type=MEDIA_TYPE)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What OpenAPI says of these statuses."""
    content = {MEDIA_TYPE: {"schema": Problem.model_json_schema()}}
    return {status: {"description": HTTPStatus(status).phrase, "content": content} for status in statuses}


def install(app: FastAPI) -> None:
    """Makes every error of ``app`` a problem document; what nobody expected ``service.telemetry`` makes one of."""
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _validation)
    for error in _KNOWN:
        app.add_exception_handler(error, _known)


def known_problem(error: Exception) -> JSONResponse | None:
    """The problem document of an error that the question or the store is to blame for; None of any other."""
    found = next((answer for type_, answer in _KNOWN.items() if isinstance(error, type_)), None)
    if found is None:
        return None
    status, kind = found
    more: dict[str, object] = {}
    if isinstance(error, UnknownLanguageError):
        more["nearest"] = [{"code": code, "name": name} for code, name in error.nearest]
    elif isinstance(error, _WITH_KNOWN):
        more["known"] = list(error.known)
    headers = {"Retry-After": "5"} if status == HTTPStatus.SERVICE_UNAVAILABLE else None
    return problem(status, kind, str(error), headers, **more)


def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    kind = HTTPStatus(error.status_code).phrase.lower().replace(" ", "-")
    detail = f"{request.method} {request.url.path}: {error.detail}; /docs lists what there is"
    return problem(error.status_code, kind, detail, error.headers)


def _validation(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    errors = list(_parameter_errors(request, error))
    detail = "; ".join(f"{one['parameter']}: {one['problem']}" for one in errors)
    return problem(422, "invalid-parameters", detail, errors=errors)


def _parameter_errors(request: Request, error: RequestValidationError) -> Iterator[dict[str, str]]:
    route = getattr(request.scope.get("route"), "path", "")
    model = RecommendationsBody if request.method == "POST" else _QUERIES.get(route)
    allowed = list(model.model_fields) if model is not None else []
    for one in error.errors():
        parameter = str(one["loc"][-1])
        if one["type"] == "extra_forbidden":
            hint = nearest_hint(parameter, allowed) or f"; there is: {', '.join(allowed)}"
            yield {"parameter": parameter, "problem": f"no such parameter{hint}"}
        else:
            yield {"parameter": parameter, "problem": one["msg"]}


def _known(request: Request, error: Exception) -> JSONResponse:
    found = known_problem(error)
    assert found is not None
    return found


_WITH_KNOWN = (
    *(UnknownTaskError, UnknownMatrixError, UnknownTargetError, UnknownMeasureError, UnknownWayError),
    NotAcceptableError,
)
_KNOWN: dict[type[Exception], tuple[int, str]] = {
    UnknownLanguageError: (404, "unknown-language"),
    UnknownTaskError: (404, "unknown-task"),
    UnknownMatrixError: (404, "unknown-matrix"),
    UnknownTargetError: (404, "unknown-target"),
    UnknownMeasureError: (404, "unknown-measure"),
    UnknownWayError: (404, "unknown-way"),
    UnknownAdapterError: (404, "unknown-adapter"),
    NotAcceptableError: (406, "not-acceptable"),
    ChoiceError: (422, "invalid-parameters"),
    MeasureError: (422, "cannot-be-measured"),
    UnknownVersionError: (404, "unknown-version"),
    UnreadableCursorError: (404, "unknown-page"),
    StoreMissingError: (503, "no-store"),
    StoreTooNewError: (503, "store-too-new"),
    StoreUnreadableError: (503, "store-unreadable"),
    NoRoomError: (503, "no-room"),
    NoBoxError: (503, "no-matrices"),
}
