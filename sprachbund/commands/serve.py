"""`serve`: answers, downloads and the web page over HTTP."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from matrices.bundled import store_or_box
from matrices.store import StoreMissingError
from sprachbund.commands.arguments import StoreOption
from sprachbund.commands.ask import say_measured_on
from sprachbund.text_overlaps import CorporaOption, overlaps_in

_MOST_CONNECTIONS = 1000
"""More are answered 503 at once, so that those there are go on."""
_KEPT_ALIVE, _GRACE = 20, 10
"""Seconds that a connection without requests is kept, and that answers under way have when the service is stopped."""


def serve(
    store: StoreOption = None,
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 for every one.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8000,
    corpora: CorporaOption = None,
) -> None:
    """Serve answers, downloads and the web page over HTTP."""
    import uvicorn
    from pydantic import ValidationError

    from service import Settings, create_app

    try:
        settings = Settings(store=store) if store is not None else Settings()
    except ValidationError as error:
        wrong = "; ".join(f"SPRACHBUND_{one['loc'][0]}".upper() + f": {one['msg']}" for one in error.errors())
        raise typer.BadParameter(wrong) from error
    try:
        say_measured_on(Console(), store_or_box(settings.store))
    except StoreMissingError as error:
        said = f"[yellow]note:[/] {escape(str(error))}. Until there is one, answers are 503"
        Console(stderr=True).print(said, highlight=False, soft_wrap=True)
    app = create_app(settings, overlaps_in(corpora))
    Console().print(f"Web page: http://{host}:{port}/   interface: http://{host}:{port}/docs   stop: Ctrl+C")
    uvicorn.run(
        app,
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        server_header=False,
        limit_concurrency=_MOST_CONNECTIONS,
        timeout_keep_alive=_KEPT_ALIVE,
        timeout_graceful_shutdown=_GRACE,
    )
