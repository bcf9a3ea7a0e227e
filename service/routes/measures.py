"""Measures of a matrix: what its cells say, with intervals and tests."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from matrices.measures.answer import MeasureAnswer, to_json
from matrices.measures.answer import answer as as_object
from matrices.measures.catalogue import Settings
from matrices.recommend import code_of
from service.answers import ARROW, ARROW_CONTENT, answer, arrow_stream, wants_arrow
from service.dependencies import Ours
from service.problems import documented
from service.schemas import MatrixName, MeasureName, MeasureQuery

router = APIRouter(tags=["measures"])


@router.get(
    "/v1/matrices/{matrix}/measures/{measure}",
    response_model=MeasureAnswer,
    responses={**ARROW_CONTENT, **documented(404, 422, 503)},
)
def show_measure(
    request: Request,
    ours: Ours,
    matrix: Annotated[MatrixName, Path()],
    measure: Annotated[MeasureName, Path()],
    query: Annotated[MeasureQuery, Query()],
) -> Response:
    """One measure of a matrix as rows, in JSON or (Accept: application/vnd.apache.arrow.stream) as an Arrow stream.

    Computed from the outcomes of every item the first time it is asked for, which takes seconds, and then kept.
    """
    held = ours.snapshots.current()
    unseen = tuple(sorted(code_of(tag, ()) for tag in query.unseen)) or None
    settings = Settings(composition=query.composition, selection=query.selection, unseen=unseen)
    table = ours.measures(held, matrix, measure, settings)
    if wants_arrow(request):
        return answer(request, arrow_stream(table), ours.settings.cache_seconds, ARROW)
    return answer(request, to_json(as_object(table)), ours.settings.cache_seconds)
