"""Is it alive, can it answer, how is it doing."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from service.dependencies import Now
from service.problems import documented
from service.schemas import Health, Readiness

router = APIRouter(tags=["operations"])


@router.get("/health")
async def health() -> Health:
    """The process runs, whatever the store."""
    return Health(status="ok")


@router.get("/ready", responses=documented(503))
async def ready(held: Now) -> Readiness:
    """There is a version to answer from; 503 with the cause while there is none."""
    return Readiness(status="ready", version=held.version, matrices=len(held.matrices()), left_out=len(held.notes))


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
def metrics(request: Request) -> Response:
    """Requests by route, method and status, and their seconds, for Prometheus."""
    return Response(generate_latest(request.app.state.metrics.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})
