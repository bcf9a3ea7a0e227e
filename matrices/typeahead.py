"""Languages as they are typed: every one that has a code, by the beginning of any of its names."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache

import langcodes
from langcodes.registry_parser import parse_registry
from language_data.population_data import LANGUAGE_SPEAKING_POPULATION

from matrices.languages import Language, UnknownLanguageError, resolve

_PLAIN_SCOPES = (None, "macrolanguage")
_SHORTEST = 2
"""Letters of a name from which on its middle is looked at too."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A language that may be meant, and the name of it that was typed, where that is not its English one."""

    code: str
    name: str
    matched: str | None


def suggest(typed: str, most: int = 10, first: Collection[str] = ()) -> list[Suggestion]:
    """The languages whose code or any name begins with what was typed, then those that have it further on.

    Among equals, those of ``first`` (say, what was measured) come first, then those that more people speak. Nothing
    typed suggests ``first`` alone.
    """
    given = " ".join(typed.casefold().split())
    found: dict[str, tuple[tuple[int, bool, int, str], Suggestion]] = {}
    for name, shown, code in _names():
        if not given and code not in first:
            continue
        at = name.find(given)
        if at < 0 or (at > 0 and (len(given) < _SHORTEST or name[at - 1].isalnum())):
            continue
        english = _english()[code]
        key = (0 if name == given else 1 if at == 0 else 2, code not in first, -_speakers().get(code, 0), english)
        if code not in found or key < found[code][0]:
            matched = None if shown in (english, code) else shown
            found[code] = (key, Suggestion(code, english, matched))
    if given and not found:
        # A name that no list has, as `Farsi`: it may still be understood.
        with contextlib.suppress(UnknownLanguageError):
            language = resolve(typed)
            return [Suggestion(language.code, language.name, typed)]
    return [suggestion for _, suggestion in sorted(found.values(), key=lambda one: one[0])][:most]


def known_languages() -> tuple[Language, ...]:
    """Every language that has a code, in order of code: the living and the dead, no families."""
    return tuple(Language(code, name) for code, name in sorted(_english().items()))


@cache
def _english() -> dict[str, str]:
    return {code: resolve(code).name for code in sorted({code for _, code in _registered()})}


@cache
def _names() -> tuple[tuple[str, str, str], ...]:
    """(casefolded, as it is shown, code) of every code, English name, further name, and a language's name of itself."""
    found = {(code, code, code) for code in _english()}
    found |= {(name.casefold(), name, code) for code, name in _english().items()}
    found |= {(name.casefold(), name, code) for names, code in _registered() for name in names}
    # Of most languages no name but the English one is known; to ask for all of them takes seconds.
    own = ((langcodes.Language.get(code).autonym(), code) for code in _speakers() if code in _english())
    found |= {(name.casefold(), name, code) for name, code in own}
    return tuple(sorted(found))


@cache
def _registered() -> tuple[tuple[tuple[str, ...], str], ...]:
    """Names and code of every language of the IANA registry, which has those of ISO 639."""
    return tuple(_entries())


def _entries() -> Iterator[tuple[tuple[str, ...], str]]:
    for item in parse_registry():  # type: ignore[no-untyped-call]
        if item["Type"] != "language" or item.get("Scope") not in _PLAIN_SCOPES:
            continue
        try:
            yield tuple(item["Description"]), resolve(item["Subtag"]).code
        except UnknownLanguageError:
            continue


@cache
def _speakers() -> dict[str, int]:
    """How many people speak a language, of those of which it is recorded."""
    found: dict[str, int] = {}
    for tag, count in LANGUAGE_SPEAKING_POPULATION.items():
        if "-" in tag:
            continue
        try:
            found.setdefault(resolve(tag).code, count)
        except UnknownLanguageError:
            continue
    return found
