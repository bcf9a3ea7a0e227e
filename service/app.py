"""The application: settings in, an ASGI application out, nothing global."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio.to_thread
import structlog
from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.staticfiles import StaticFiles

from matrices.boxed import NoBoxError
from matrices.likeness.text import Overlaps
from matrices.store import StoreMissingError, StoreTooNewError, StoreUnreadableError
from service import problems
from service.dependencies import Context
from service.downloads import Downloads
from service.measures import Measures
from service.models import Models
from service.observing import Metrics, Observed
from service.routes import languages, matrices, measures, operations, page, recommendations
from service.settings import Settings
from service.snapshot import Snapshots

log = structlog.get_logger()


def create_app(settings: Settings | None = None, overlaps: Overlaps | None = None) -> FastAPI:
    """The service over the store the settings name, or the matrices in the box; ``overlaps`` of texts help to predict.

    A store that is not there yet is no error here: /ready answers 503 and says so until it is.
    """
    settings = settings or Settings()
    app = FastAPI(
        title="Sprachbund",
        version="1",
        summary="Which language should I transfer from?",
        lifespan=_lifespan,
        generate_unique_id_function=_operation_id,
    )
    models = Models(settings.models, overlaps=overlaps)
    app.state.context = Context(
        settings=settings,
        snapshots=Snapshots(settings.store, settings.refresh_seconds, settings.answers, models),
        downloads=Downloads(settings.download_folder, settings.download_files),
        measures=Measures(settings.measures),
    )
    app.state.metrics = Metrics()
    app.add_middleware(Observed, metrics=app.state.metrics)
    problems.install(app)
    for routes in (recommendations, matrices, measures, languages, operations, page):
        app.include_router(routes.router)
    app.mount("/web", StaticFiles(directory=page.WEB), name="web")
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    try:
        await anyio.to_thread.run_sync(app.state.context.snapshots.current)
    except (StoreMissingError, StoreTooNewError, StoreUnreadableError, NoBoxError) as error:
        log.warning("no matrices to answer from yet", cause=str(error))
    yield


def _operation_id(route: APIRoute) -> str:
    return route.name
