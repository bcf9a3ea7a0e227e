"""Languages as a question names them, and as an answer does."""

from __future__ import annotations

from collections.abc import Collection

from matrices.languages import UnknownLanguageError, resolve
from matrices.recommend.answer import Named


def code_of(given: str, known: Collection[str]) -> str:
    """ISO 639-3 of a tag, code or name; a code among ``known`` as it stands, as generated languages have their own.

    Raises ``UnknownLanguageError``.
    """
    return given if given in known else resolve(given).code


def named(code: str) -> Named:
    """A code with its English name, or with itself where it has none (generated languages)."""
    try:
        return Named(code=code, name=resolve(code).name)
    except UnknownLanguageError:
        return Named(code=code, name=code)
