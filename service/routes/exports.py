"""A matrix as others describe data: Croissant, and the Every Eval Ever schema."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from fastapi.encoders import jsonable_encoder
from starlette.responses import JSONResponse

from matrices.credit import credit
from service.answers import answer
from service.dependencies import Now, Ours
from service.describing import croissant, every_eval_ever
from service.overview import info_of
from service.pairs import all_pairs
from service.problems import documented
from service.schemas import MatrixName

router = APIRouter(tags=["matrices"])

Name = Annotated[MatrixName, Path()]


@router.get("/v1/matrices/{matrix}/croissant", response_model=dict[str, Any], responses=documented(404, 422, 503))
def describe_matrix(request: Request, ours: Ours, held: Now, matrix: Name) -> Response:
    """The download described in Croissant 1.0 (JSON-LD): its columns, licences, citation, and where it lies."""
    info_of(held, matrix)
    address = str(request.url).removesuffix("/croissant") + f"/download?version={held.version}"
    return _json(
        request,
        croissant(held, credit(held, matrix), address, ours.downloads.digest(held, matrix)),
        ours.settings.cache_seconds,
    )


@router.get("/v1/matrices/{matrix}/every-eval-ever", response_model=dict[str, Any], responses=documented(404, 422, 503))
def export_evaluations(request: Request, ours: Ours, held: Now, matrix: Name) -> Response:
    """The mean score of every pair as evaluation results of its encoder, by the Every Eval Ever schema 0.2.1."""
    info_of(held, matrix)
    newest = held.kept[matrix].cells["created_at"]
    body = every_eval_ever(credit(held, matrix), all_pairs(ours, held, matrix), newest)
    return _json(request, body, ours.settings.cache_seconds)


def _json(request: Request, body: dict[str, Any], cache_seconds: int) -> Response:
    return answer(request, bytes(JSONResponse(jsonable_encoder(body)).body), cache_seconds)
