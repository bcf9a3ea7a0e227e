"""Which language to transfer from."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Request, Response

from matrices.recommend import Question, Recommendation
from matrices.snapshot import Snapshot
from service.answers import JSON, answer
from service.dependencies import Context, Now, Ours
from service.problems import documented, known_problem
from service.queries import parameters, query
from service.recommending import AnswerBody
from service.rows import json_object
from service.schemas import RecommendationQuery, Recommendations, RecommendationsBody

router = APIRouter(tags=["recommendations"])


@router.get(
    "/v1/recommendations",
    response_model=Recommendation,
    responses=documented(404, 414, 422, 503),
    openapi_extra=parameters(RecommendationQuery),
)
async def recommend(
    request: Request, ours: Ours, held: Now, query: Annotated[RecommendationQuery, query(RecommendationQuery)]
) -> Response:
    """The best source languages for a task and target, best first, with what they rest on.

    What was not measured is predicted from what was, and says so.
    """
    found = await _answer(ours, held, _question(query, query.target))
    if not found.final:
        return Response(found.body, media_type=JSON, headers={"Cache-Control": "no-store"})
    return answer(request, found.body, ours.settings.cache_seconds)


@router.post("/v1/recommendations", response_model=Recommendations, responses=documented(413, 422, 503))
async def recommend_several(request: Request, ours: Ours, held: Now, body: RecommendationsBody) -> Response:
    """The same for several targets at once; a target about which nothing can be said has a problem for an answer."""
    answers = [await _answered(ours, held, body, target) for target in body.targets]
    return answer(request, json_object(answers=b"[" + b",".join(answers) + b"]"), ours.settings.cache_seconds)


async def _answered(ours: Context, held: Snapshot, body: RecommendationsBody, target: str) -> bytes:
    try:
        found = await _answer(ours, held, _question(body, target))
    except Exception as error:
        wrong = known_problem(error)
        if wrong is None:
            raise
        return json_object(target=target, answer=None, problem=bytes(wrong.body))
    return json_object(target=target, answer=found.body, problem=None)


async def _answer(ours: Context, held: Snapshot, question: Question) -> AnswerBody:
    """At once where it is at hand: to hand it to a thread takes as long as to make it."""
    found = ours.recommending.at_hand(held, question)
    return await ours.thread_pools.run(partial(ours.recommending, held, question)) if found is None else found


def _question(given: RecommendationQuery | RecommendationsBody, target: str) -> Question:
    return Question(
        task=given.task,
        target=target,
        k=given.k,
        matrix=given.matrix,
        kind=given.kind,
        sources=tuple(given.source),
        encoder=given.encoder,
        composition=given.composition,
        selection=given.selection,
        shots=given.shots,
    )
