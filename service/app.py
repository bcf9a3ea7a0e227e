"""The application: settings in, an ASGI application out, nothing global."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import anyio.to_thread
import structlog
from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.routing import APIRoute
from fastapi.staticfiles import StaticFiles

from matrices.bundled import NoBoxError
from matrices.likeness.text import Overlaps
from matrices.snapshot import Snapshot
from matrices.store import StoreMissingError, StoreTooNewError, StoreUnreadableError
from service import problems
from service.dependencies import Context
from service.downloads import Downloads
from service.measures import Measures
from service.middleware import Heads, Keys, Limits, Prefixed
from service.models import Models
from service.prepared import Prepared
from service.recommending import Recommending
from service.remembering import Remembered
from service.routes import adapters, exports, history, languages, matrices, measures, operations, page, recommendations
from service.settings import Settings, listed
from service.single_flight import Newest
from service.snapshot import Snapshots
from service.telemetry import Metrics, Observed
from service.thread_pools import ThreadPools

log = structlog.get_logger()

CONTRACT = "1.3.0"
"""Version of the interface: raised with every change to what /openapi.json says, as docs/http.md tells."""
_ROUTES = (recommendations, matrices, history, measures, exports, languages, adapters, operations, page)


def create_app(settings: Settings | None = None, overlaps: Overlaps | None = None) -> FastAPI:
    """The service over the store the settings name, or the matrices in the box; ``overlaps`` of texts help to predict.

    A store that is not there yet is no error here: /ready answers 503 and says so until it is.
    """
    settings = settings or Settings()
    app = FastAPI(
        title="Sprachbund",
        version=CONTRACT,
        summary="Which language should I transfer from?",
        lifespan=_lifespan,
        generate_unique_id_function=_operation_id,
        docs_url=None,
        redoc_url=None,
    )
    prepared = Prepared(2 * settings.models)
    models = Models(settings.models, overlaps=overlaps, prepared=prepared)
    recommending = Recommending(models, prepared, settings.answers, overlaps)

    def prepare(held: Snapshot, pause: Callable[[float], bool]) -> None:
        recommending.prepare_first(held, pause)
        models.prepare(held, pause)
        recommending.prepare(held, pause)

    snapshots = Snapshots(
        settings.store,
        settings.refresh_seconds,
        listed(settings.private),
        settings.download_folder,
        prepare if settings.prepare else None,
    )
    app.state.context = Context(
        settings=settings,
        snapshots=snapshots,
        downloads=Downloads(settings.download_folder, settings.download_files),
        prepared=prepared,
        models=models,
        measures=Measures(settings.measures),
        recommending=recommending,
        thread_pools=ThreadPools(),
        half_widths=Newest(settings.models),
        texts=Newest(settings.models),
    )
    app.state.metrics = Metrics()
    # The last that is added is the first that a request meets.
    app.add_middleware(Remembered, snapshots=snapshots, megabytes=settings.cache_megabytes)
    app.add_middleware(Heads)
    app.add_middleware(Keys, settings=settings)
    if settings.cors:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=listed(settings.cors),
            allow_methods=["GET", "HEAD", "POST"],
            allow_headers=["Authorization", "If-None-Match", "Range", "X-Request-ID"],
            expose_headers=["ETag", "Link", "Content-Range", "Retry-After", "X-Request-ID"],
        )
    app.add_middleware(Limits, settings=settings)
    if settings.root_path:
        app.add_middleware(Prefixed, prefix=settings.root_path)
    app.add_middleware(Observed, metrics=app.state.metrics)
    problems.install(app)
    for routes in _ROUTES:
        app.include_router(routes.router)
    app.mount("/web", StaticFiles(directory=page.WEB), name="web")
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    snapshots = app.state.context.snapshots
    try:
        await anyio.to_thread.run_sync(snapshots.current)
    except (StoreMissingError, StoreTooNewError, StoreUnreadableError, NoBoxError) as error:
        log.warning("no matrices to answer from yet", cause=str(error))
    snapshots.watch()
    yield
    await anyio.to_thread.run_sync(snapshots.rest)


def _operation_id(route: APIRoute) -> str:
    return route.name
