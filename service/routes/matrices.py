"""The matrices and their cells."""

from __future__ import annotations

from typing import Annotated

import pyarrow as pa
from fastapi import APIRouter, Path, Query, Request, Response

from matrices.cells import SCHEMA
from matrices.held import Held
from matrices.recommend import code_of
from matrices.validation import LISTS
from service import paging
from service.answers import ARROW, CSV, JSON, PARQUET, TABLE_CONTENT, answer, arrow_stream, preferred
from service.choosing import chosen
from service.dependencies import Now, Ours, sees_everything
from service.overview import detail
from service.pairs import as_bytes, pairs_of
from service.problems import documented
from service.rows import json_object, json_rows
from service.schemas import CellsPage, CellsQuery, Matrices, MatrixDetail, MatrixName, MatrixQuery

router = APIRouter(tags=["matrices"])

Name = Annotated[MatrixName, Path()]
_BRIEF = [name for name in SCHEMA.names if name not in LISTS]
_FORMS = (JSON, ARROW, PARQUET, CSV)


@router.get("/v1/matrices", response_model=Matrices, responses=documented(503))
def list_matrices(request: Request, ours: Ours, held: Now) -> Response:
    """Every matrix, with how many cells, sources and targets it has."""
    left_out = list(held.notes) if sees_everything(request) or not ours.settings.private else []
    body = Matrices(matrices=held.matrices(), measured_on=held.provenance, left_out=left_out)
    return answer(request, body.model_dump_json().encode(), ours.settings.cache_seconds)


@router.get("/v1/matrices/{matrix}", response_model=MatrixDetail, responses=documented(404, 414, 422, 503))
def show_matrix(
    request: Request, ours: Ours, held: Now, matrix: Name, query: Annotated[MatrixQuery, Query()]
) -> Response:
    """One matrix: its axes, its mean scores, and what they were measured on."""
    body = detail(held, matrix, query.composition, query.selection)
    return answer(request, body.model_dump_json().encode(), ours.settings.cache_seconds)


@router.get(
    "/v1/matrices/{matrix}/cells",
    response_model=CellsPage,
    responses={**TABLE_CONTENT, **documented(404, 406, 414, 422, 503)},
)
def list_cells(
    request: Request, ours: Ours, newest: Now, matrix: Name, query: Annotated[CellsQuery, Query()]
) -> Response:
    """Cells page by page, or the pairs they make: as JSON, Arrow stream, Parquet or CSV, as Accept prefers.

    A Link header names the next page, whatever the form. Pages stay at the version of the first.
    """
    form = preferred(request, _FORMS)
    question = (matrix, query.source, query.target, query.composition, query.selection, query.sort, *query.where)
    cursor = None if query.cursor is None else paging.read(query.cursor, question)
    held = newest if cursor is None else ours.snapshots.at(cursor.version, sees_everything(request))
    if query.form == "pairs":
        table = pairs_of(held, matrix, query)
        body = json_object(matrix=matrix, version=held.version, total=table.num_rows, cells=json_rows(table), next=None)
        return answer(request, body if form == JSON else as_bytes(table, form), ours.settings.cache_seconds, form)
    rows = _rows(held, matrix, query)
    begin = 0 if cursor is None else cursor.offset
    end = begin + (query.limit or ours.settings.page_size)
    following = paging.write(paging.Cursor(held.version, end), question) if end < rows.num_rows else None
    page = _page(held, matrix, rows.slice(begin, end - begin), query)
    headers = {} if following is None else {"Link": f'<{_with_cursor(request, following)}>; rel="next"'}
    if form == JSON:
        body = json_object(
            matrix=matrix, version=held.version, total=rows.num_rows, cells=json_rows(page), next=following
        )
    else:
        body = arrow_stream(page) if form == ARROW else as_bytes(page, form)
    return answer(request, body, ours.settings.cache_seconds, form, headers)


def _with_cursor(request: Request, cursor: str) -> str:
    url = request.url.include_query_params(cursor=cursor)
    return f"{url.path}?{url.query}"


def _rows(held: Held, matrix: str, query: CellsQuery) -> pa.Table:
    """The cells asked for, without their outcomes: where each stands in the matrix is their last column."""
    held.cells(matrix, columns=[])
    kept = held.kept[matrix]
    source, target = (code and code_of(code, kept.languages) for code in (query.source, query.target))
    cells = kept.numbered(source, target)
    same = [f"{name}={value}" for name in ("composition", "selection") if (value := getattr(query, name)) is not None]
    return chosen(cells, [*same, *query.where], query.sort)


def _page(held: Held, matrix: str, rows: pa.Table, query: CellsQuery) -> pa.Table:
    if not query.outcomes:
        return rows.select(_BRIEF)
    lists = held.kept[matrix].lists(rows)
    return pa.table({name: lists[name] if name in LISTS else rows[name] for name in SCHEMA.names}, SCHEMA)
