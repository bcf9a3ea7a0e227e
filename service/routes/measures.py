"""Measures of a matrix: what its cells say, with intervals and tests."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from matrices.measures.catalogue import MeasureSettings
from matrices.measures.registry import MeasureAnswer, to_json
from matrices.measures.registry import answer as as_object
from matrices.recommend import code_of
from service.answers import ARROW, ARROW_CONTENT, JSON, answer, arrow_stream, preferred
from service.dependencies import Now, Ours
from service.problems import documented
from service.queries import parameters, query
from service.schemas import MatrixName, MeasureName, MeasureQuery

router = APIRouter(tags=["measures"])


@router.get(
    "/v1/matrices/{matrix}/measures/{measure}",
    response_model=MeasureAnswer,
    responses={**ARROW_CONTENT, **documented(404, 406, 414, 422, 503)},
    openapi_extra=parameters(MeasureQuery),
)
async def show_measure(
    request: Request,
    ours: Ours,
    held: Now,
    matrix: Annotated[MatrixName, Path()],
    measure: Annotated[MeasureName, Path()],
    query: Annotated[MeasureQuery, query(MeasureQuery)],
) -> Response:
    """One measure of a matrix as rows, in JSON or (Accept: application/vnd.apache.arrow.stream) as an Arrow stream.

    Computed from the outcomes of every item the first time it is asked for, which takes seconds, and then kept.
    """
    form = preferred(request, (JSON, ARROW))
    unseen = tuple(sorted(code_of(tag, ()) for tag in query.unseen)) or None
    settings = MeasureSettings(composition=query.composition, selection=query.selection, unseen=unseen)
    table = await ours.thread_pools.run(partial(ours.measures.at_hand, held, matrix, measure, settings))
    body = arrow_stream(table) if form == ARROW else to_json(as_object(table))
    return answer(request, body, ours.settings.cache_seconds, form)
