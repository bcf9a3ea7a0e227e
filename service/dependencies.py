"""What every route needs of the application, as annotated dependencies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import anyio.to_thread
from fastapi import Depends, Request

from matrices.arrays import Floats
from matrices.snapshot import Snapshot
from service.downloads import Downloads
from service.measures import Measures
from service.middleware import Access
from service.models import Models
from service.prepared import Prepared
from service.recommending import Recommending
from service.rows import RowTexts
from service.settings import Settings
from service.single_flight import Newest
from service.snapshot import Snapshots
from service.thread_pools import ThreadPools


@dataclass(frozen=True)
class Context:
    """The parts one application is made of."""

    settings: Settings
    snapshots: Snapshots
    downloads: Downloads
    prepared: Prepared
    models: Models
    measures: Measures
    recommending: Recommending
    thread_pools: ThreadPools
    half_widths: Newest[Floats]
    """Of the intervals of each matrix's pairs [S, T]."""
    texts: Newest[RowTexts]
    """The cells of each matrix as JSON, by the number of their outcomes."""


async def context(request: Request) -> Context:
    """The context ``create_app`` put into the application."""
    found = request.app.state.context
    assert isinstance(found, Context)
    return found


Ours = Annotated[Context, Depends(context)]


def sees_everything(request: Request) -> bool:
    """Whether the key of a request lets it see private matrices."""
    access = request.scope["access"]
    assert isinstance(access, Access)
    return access.everything


async def now(request: Request, ours: Ours) -> Snapshot:
    """The newest version known, as far as the request may see it. Waits for no store where it need not."""
    views, everything = ours.snapshots.settled, sees_everything(request)
    if views is not None:
        return views.seen(everything)
    return await anyio.to_thread.run_sync(ours.snapshots.current, everything)


Now = Annotated[Snapshot, Depends(now)]
