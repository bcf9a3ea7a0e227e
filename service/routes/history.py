"""Versions of a matrix: which there are, what changed between two, and each as one file."""

from __future__ import annotations

from typing import Annotated, Any

import pyarrow as pa
from fastapi import APIRouter, Path, Request, Response

from matrices.cells import SCHEMA
from matrices.changes import changes
from matrices.snapshot import Snapshot
from service.answers import answer, caching, matches
from service.dependencies import Context, Now, Ours, sees_everything
from service.downloads import MEDIA_TYPE, Download, identity
from service.problems import documented
from service.queries import parameters, query
from service.rows import json_object, json_rows
from service.schemas import DownloadQuery, MatrixName, Versions, VersionsQuery

router = APIRouter(tags=["matrices"])

Name = Annotated[MatrixName, Path()]
_FILE: dict[int | str, dict[str, Any]] = {
    status: {"description": what, "content": {MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}}}
    for status, what in ((200, "The whole file"), (206, "The bytes asked for"))
}
_COMPARED = [
    "composition",
    "source",
    "target",
    "selection",
    "seed",
    "shots",
    "cell_id",
    "score",
    "status",
    "created_at",
]


@router.get(
    "/v1/matrices/{matrix}/versions",
    response_model=Versions,
    responses=documented(404, 414, 422, 503),
    openapi_extra=parameters(VersionsQuery),
)
def list_versions(
    request: Request, ours: Ours, held: Now, matrix: Name, query: Annotated[VersionsQuery, query(VersionsQuery)]
) -> Response:
    """The versions of the store, the newest first; with ``since``, what changed in the matrix from there on."""
    held.cells(matrix, columns=[])
    everything = sees_everything(request)
    changed: bytes | None = None
    if query.since is not None:
        before, after = (ours.snapshots.at(version, everything) for version in (query.since, query.until))
        found = changes(*(_cells(one, matrix) for one in (before, after)))
        changed = json_object(
            since=before.version,
            until=after.version,
            added=found.added,
            changed=found.changed,
            removed=found.removed,
            rows=json_rows(found.rows.slice(0, query.limit)),
        )
    body = json_object(matrix=matrix, versions=_versions(ours, held, query.limit), changes=changed)
    return answer(request, body, ours.settings.cache_seconds)


@router.get(
    "/v1/matrices/{matrix}/download",
    response_class=Response,
    responses={**_FILE, **documented(400, 404, 414, 416, 422, 503)},
    openapi_extra=parameters(DownloadQuery),
)
def download(
    request: Request, ours: Ours, newest: Now, matrix: Name, query: Annotated[DownloadQuery, query(DownloadQuery)]
) -> Any:
    """One version of a matrix as one sorted Parquet file; its ETag is the version. Takes Range and If-None-Match."""
    held = newest if query.version is None else ours.snapshots.at(query.version, sees_everything(request))
    headers = {"ETag": f'"{identity(held, matrix)}"', **caching(ours.settings.cache_seconds, request)}
    if matches(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    name = f"{matrix}-v{held.version}.parquet".replace("/", "_")
    return Download(ours.downloads.matrix(held, matrix), headers=headers, media_type=MEDIA_TYPE, filename=name)


def _cells(held: Snapshot, matrix: str) -> pa.Table:
    """The cells of a matrix at a version; none where it had none yet."""
    kept = held.kept.get(matrix)
    return SCHEMA.empty_table().select(_COMPARED) if kept is None else kept.cells.select(_COMPARED)


def _versions(ours: Context, held: Snapshot, most: int) -> list[dict[str, object]]:
    return [
        {"version": one.version, "created": one.created, "what": one.what, "rows": one.rows}
        for one in ours.snapshots.commits(most)
        if one.version <= held.version
    ]
