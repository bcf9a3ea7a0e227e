"""The checks that readers share: labels against what is allowed, ids against each other."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable
from pathlib import Path

from workers.corpora.types import CorpusError

UNIVERSAL_TAGS = frozenset(
    "ADJ ADP ADV AUX CCONJ DET INTJ NOUN NUM PART PRON PROPN PUNCT SCONJ SYM VERB X".split()  # noqa: SIM905
)
"""The 17 universal parts of speech (UPOS) of Universal Dependencies, version 2."""


def refusal(what: str, value: str, allowed: Collection[str]) -> str:
    """What to say of a value that is not allowed: the value, all that is, and the nearest of them."""
    near = difflib.get_close_matches(value.casefold(), {name.casefold(): name for name in allowed}, n=1)
    nearest = next((name for name in sorted(allowed) if near and name.casefold() == near[0]), None)
    hint = f"; nearest: {nearest}" if nearest else ""
    return f"{what} {value!r} is not one of {', '.join(sorted(allowed))}{hint}"


def check_unique(path: Path | str, ids: Iterable[tuple[int | None, str]]) -> None:
    """Raises ``CorpusError`` at the second of two items with one id; ``ids`` are (line, id) pairs."""
    first: dict[str, int | None] = {}
    for line, id_ in ids:
        if id_ in first:
            where = "" if first[id_] is None else f" (first on line {first[id_]})"
            raise CorpusError(path, line, f"id {id_!r} occurs twice{where}; every item needs an id of its own")
        first[id_] = line
