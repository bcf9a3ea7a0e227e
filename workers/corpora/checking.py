"""The check that readers share: ids against each other."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from workers.rows import CorpusError


def check_unique(path: Path | str, ids: Iterable[tuple[int | None, str]]) -> None:
    """Raises ``CorpusError`` at the second of two items with one id; ``ids`` are (line, id) pairs."""
    first: dict[str, int | None] = {}
    for line, id_ in ids:
        if id_ in first:
            where = "" if first[id_] is None else f" (first on line {first[id_]})"
            raise CorpusError(path, line, f"id {id_!r} occurs twice{where}; every item needs an id of its own")
        first[id_] = line
