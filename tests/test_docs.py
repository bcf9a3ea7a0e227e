"""Pages and docstrings name files and modules that are there."""

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


CODE = sorted(
    path
    for room in ("adapters_zoo", "matrices", "service", "sprachbund", "workers")
    for path in (ROOT / room).rglob("*.py")
)
MODULES = {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in CODE}
_DOTTED = re.compile(r"``?((?:adapters_zoo|matrices|service|sprachbund|workers)(?:\.\w+)+)")


def is_there(dotted: str) -> bool:
    """Whether a dotted name is a package or a module of ours, or a name in one."""
    if dotted in MODULES or any(module.startswith(f"{dotted}.") for module in MODULES):
        return True
    module, _, name = dotted.rpartition(".")
    if module in MODULES:
        return re.search(rf"\b{name}\b", MODULES[module].read_text(encoding="utf-8")) is not None
    return module.rpartition(".")[0] in MODULES  # A field of a class.


def test_docstrings_and_pages_name_modules_that_are_there() -> None:
    absent = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in [*PAGES, *CODE]
        for name in _DOTTED.findall(path.read_text(encoding="utf-8"))
        if not is_there(name)
    }
    assert not absent
