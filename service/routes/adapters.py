"""Trained adapters, to take away."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from service.adapters import adapter_folder, write_zip
from service.answers import caching, matches
from service.dependencies import Ours
from service.downloads import Download
from service.problems import documented
from service.schemas import AdapterKey

router = APIRouter(tags=["adapters"])

_ZIP = "application/zip"
_FILE: dict[int | str, dict[str, Any]] = {
    status: {"description": what, "content": {_ZIP: {"schema": {"type": "string", "format": "binary"}}}}
    for status, what in ((200, "The whole file"), (206, "The bytes asked for"))
}


@router.get(
    "/v1/adapters/{key}", response_class=Response, responses={**_FILE, **documented(400, 404, 414, 416, 422, 503)}
)
def download_adapter(request: Request, ours: Ours, key: Annotated[AdapterKey, Path()]) -> Any:
    """An adapter as `adapters` opens it, its head, manifest and a card, as one zip file; every digest was checked."""
    folder = adapter_folder(ours.settings.zoo, key)
    headers = {"ETag": f'"{key}"', **caching(ours.settings.cache_seconds, request)}
    if matches(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    path = ours.downloads.file(f"{key}.zip", lambda out: write_zip(folder, out))
    return Download(path, headers=headers, media_type=_ZIP, filename=f"{key}.zip")
