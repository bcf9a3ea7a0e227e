"""Pages name files that are there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
ROOMS = (
    "adapters_zoo",
    "benchmarks",
    "docs",
    "jobs",
    "matrices",
    "service",
    "sprachbund",
    "studies",
    "tests",
    "tools",
    "workers",
)
_LINK = re.compile(r"\]\((?!https?://|#|mailto:)([^)#\s]+)")
_PATH = re.compile(rf"`(?:python )?((?:{'|'.join(ROOMS)})/[\w./-]+\.(?:py|md|yaml|csv|parquet|json|js))`")


def named(page: Path) -> Iterator[Path]:
    """The files that a page links to, or names by their path in the repository."""
    text = page.read_text(encoding="utf-8")
    yield from (page.parent / link for link in _LINK.findall(text))
    yield from (ROOT / path for path in _PATH.findall(text))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_names_files_that_are_there(page: Path) -> None:
    assert [str(path) for path in named(page) if not path.exists()] == []
