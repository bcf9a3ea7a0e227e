"""Languages as a question names them, and as an answer does."""

from __future__ import annotations

from collections.abc import Collection

from matrices.languages import among, name_of
from matrices.recommend.answer import Named


def code_of(given: str, known: Collection[str]) -> str:
    """ISO 639-3 of a tag, code or name; a code among ``known`` as it stands, as generated languages have their own.

    A macrolanguage is the one of its members that is known. Raises ``UnknownLanguageError``, also where several are.
    """
    return among(given, known)


def named(code: str) -> Named:
    """A code with its English name, or with itself where it has none (generated languages)."""
    return Named(code=code, name=name_of(code))
