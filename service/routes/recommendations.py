"""Which language to transfer from."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from matrices.recommend import Question, Recommendation
from service.answers import answer
from service.dependencies import Ours
from service.problems import documented
from service.schemas import RecommendationQuery

router = APIRouter(tags=["recommendations"])


@router.get("/v1/recommendations", response_model=Recommendation, responses=documented(404, 422, 503))
def recommend(request: Request, ours: Ours, query: Annotated[RecommendationQuery, Query()]) -> Response:
    """The best source languages for a task and target, best first, with what they rest on.

    What was not measured is predicted from what was, and says so.
    """
    asked = Question(**query.model_dump(exclude={"source"}), sources=tuple(query.source))
    body = ours.snapshots.recommendation(asked)
    return answer(request, body, ours.settings.cache_seconds)
