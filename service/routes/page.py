"""The web pages: static files that ask the same endpoints as everyone else."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse

router = APIRouter(include_in_schema=False)

WEB = Path(__file__).parent.parent / "web"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data: blob:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {"Content-Security-Policy": POLICY, "Cache-Control": "no-cache"}


@router.get("/")
def page() -> FileResponse:
    """The page, under a policy that lets it load from and talk to this service alone."""
    return FileResponse(WEB / "index.html", headers=_HEADERS)


@router.get("/docs")
def docs() -> FileResponse:
    """The interface described, and asked from the page; made from /openapi.json by the browser."""
    return FileResponse(WEB / "docs.html", headers=_HEADERS)
