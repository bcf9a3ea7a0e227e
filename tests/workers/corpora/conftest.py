"""Shared by the tests of corpora: where the real corpora lie, and files written in a line."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write text (or bytes) to a file below the test's folder."""

    def _write(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return _write


@pytest.fixture(scope="session")
def real_corpora() -> Path:
    root = Path(os.environ.get("SPRACHBUND_SHARED", Path(__file__).parents[3] / ".." / "shared")) / "data"
    if not (root / "manifest.csv").is_file():
        pytest.skip(f"no corpora at {root}; set SPRACHBUND_SHARED")
    return root
