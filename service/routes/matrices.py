"""The matrices and their cells."""

from __future__ import annotations

import json
from typing import Annotated

import pyarrow as pa
from fastapi import APIRouter, Path, Request, Response
from fastapi.concurrency import run_in_threadpool

from matrices.cells import SCHEMA
from matrices.credit import software
from matrices.recommend import code_of
from matrices.snapshot import Snapshot
from matrices.validation import LISTS
from service.answers import ARROW, CSV, JSON, PARQUET, TABLE_CONTENT, answer, answer_as, arrow_stream, digest, preferred
from service.cell_pages import Cursor, chosen, read_cursor, write_cursor
from service.dependencies import Context, Now, Ours, sees_everything
from service.overview import detail
from service.pairs import as_bytes, pairs_of
from service.problems import documented
from service.queries import parameters, query
from service.rows import RowTexts, json_object, json_rows
from service.schemas import CellsPage, CellsQuery, Matrices, MatrixDetail, MatrixName, MatrixQuery

router = APIRouter(tags=["matrices"])

Name = Annotated[MatrixName, Path()]
_BRIEF = [name for name in SCHEMA.names if name not in LISTS]
_FORMS = (JSON, ARROW, PARQUET, CSV)
MOST_TEXTS = 50_000
"""Cells of a matrix, each of some 600 bytes as JSON, up to which they are kept so, to be joined to pages."""


@router.get("/v1/matrices", response_model=Matrices, responses=documented(503))
def list_matrices(request: Request, ours: Ours, held: Now) -> Response:
    """Every matrix, with how many cells, sources and targets it has."""
    left_out = list(held.notes) if sees_everything(request) or not ours.settings.private else []
    body = Matrices(matrices=held.matrices(), measured_on=held.provenance, left_out=left_out)
    return answer(request, body.model_dump_json().encode(), ours.settings.cache_seconds)


@router.get(
    "/v1/matrices/{matrix}",
    response_model=MatrixDetail,
    responses=documented(404, 414, 422, 503),
    openapi_extra=parameters(MatrixQuery),
)
def show_matrix(
    request: Request, ours: Ours, held: Now, matrix: Name, query: Annotated[MatrixQuery, query(MatrixQuery)]
) -> Response:
    """One matrix: its axes, its mean scores, and what they were measured on."""
    body = detail(held, ours.prepared.of(held), matrix, query.composition, query.selection)
    return answer(request, body.model_dump_json().encode(), ours.settings.cache_seconds)


@router.get(
    "/v1/matrices/{matrix}/cells",
    response_model=CellsPage,
    responses={**TABLE_CONTENT, **documented(404, 406, 414, 422, 503)},
    openapi_extra=parameters(CellsQuery),
)
async def list_cells(
    request: Request, ours: Ours, newest: Now, matrix: Name, query: Annotated[CellsQuery, query(CellsQuery)]
) -> Response:
    """Cells page by page, or the pairs they make: as JSON, Arrow stream, Parquet or CSV, as Accept prefers.

    A Link header names the next page, whatever the form. Pages stay at the version of the first.
    """
    form = preferred(request, _FORMS)
    question = (matrix, query.source, query.target, query.composition, query.selection, query.sort, *query.where)
    cursor = None if query.cursor is None else read_cursor(query.cursor, question)
    if form == JSON and query.form == "cells" and not query.outcomes and _is_at_hand(ours, newest, matrix, cursor):
        # To hand it to a thread would take as long as to make it.
        return _cells(request, ours, newest, matrix, query, form, question, cursor)
    return await run_in_threadpool(_cells, request, ours, newest, matrix, query, form, question, cursor)


def _is_at_hand(ours: Context, newest: Snapshot, matrix: str, cursor: Cursor | None) -> bool:
    """Whether the cells are JSON already, at the version that is asked for."""
    there = matrix in newest.kept and ours.texts.has(matrix, newest.content(matrix))
    return there and (cursor is None or cursor.version == newest.version)


def _cells(
    request: Request,
    ours: Context,
    newest: Snapshot,
    matrix: str,
    query: CellsQuery,
    form: str,
    question: tuple[str | None, ...],
    cursor: Cursor | None,
) -> Response:
    held = newest if cursor is None else ours.snapshots.at(cursor.version, sees_everything(request))
    if query.form == "pairs":
        table = pairs_of(ours, held, matrix, query)
        body = json_object(matrix=matrix, version=held.version, total=table.num_rows, cells=json_rows(table), next=None)
        return answer(request, body if form == JSON else as_bytes(table, form), ours.settings.cache_seconds, form)
    cells, there = _chosen(held, matrix, query)
    begin = 0 if cursor is None else cursor.offset
    end = begin + (query.limit or ours.settings.page_size)
    following = write_cursor(Cursor(held.version, end), question) if end < len(there) else None
    here = there.slice(begin, end - begin)
    headers = {} if following is None else {"Link": f'<{_with_cursor(request, following)}>; rel="next"'}

    def made() -> bytes:
        if form == JSON:
            objects = _objects(ours, held, matrix, cells, here, query)
            return json_object(matrix=matrix, version=held.version, total=len(there), cells=objects, next=following)
        page = _page(held, matrix, cells.take(here), query)
        return arrow_stream(page) if form == ARROW else as_bytes(page, form)

    # What decides a page is known before it is made; a digest of its half a megabyte would take as long as making it.
    decided_by = (software(), held.version, held.content(matrix), question, begin, end, form, query.outcomes)
    etag = digest(json.dumps(decided_by).encode())
    return answer_as(request, etag, made, ours.settings.cache_seconds, form, headers)


def _with_cursor(request: Request, cursor: str) -> str:
    url = request.url.include_query_params(cursor=cursor)
    return f"{url.path}?{url.query}"


def _chosen(held: Snapshot, matrix: str, query: CellsQuery) -> tuple[pa.Table, pa.Array]:
    """Cells without their outcomes, of which ``row`` says where they are; and which are asked for, in order."""
    held.cells(matrix, columns=[])
    kept = held.kept[matrix]
    source, target = (code and code_of(code, kept.languages) for code in (query.source, query.target))
    cells = kept.numbered(source, target)
    same = [f"{name}={value}" for name in ("composition", "selection") if (value := getattr(query, name)) is not None]
    return cells, chosen(cells, [*same, *query.where], query.sort)


def _objects(
    ours: Context, held: Snapshot, matrix: str, cells: pa.Table, here: pa.Array, query: CellsQuery
) -> bytes | tuple[bytes | memoryview, ...]:
    """The cells that stand ``here`` as a JSON array; of a matrix that is not too large each is text already."""
    kept = held.kept[matrix]
    if query.outcomes or kept.cells.num_rows > MOST_TEXTS:
        return json_rows(_page(held, matrix, cells.take(here), query))
    texts = ours.texts.get(matrix, held.content(matrix), lambda: RowTexts(kept.cells.select(_BRIEF), kept.rows))
    return texts.array(cells["row"].take(here).to_numpy())


def _page(held: Snapshot, matrix: str, rows: pa.Table, query: CellsQuery) -> pa.Table:
    if not query.outcomes:
        return rows.select(_BRIEF)
    return held.kept[matrix].whole(rows)
