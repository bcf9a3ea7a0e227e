"""Languages as they are typed: every one that has a code, by the beginning of any of its names."""

from __future__ import annotations

import contextlib
import re
import string
from bisect import bisect_right
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from itertools import accumulate

from matrices.languages import UnknownLanguageError, name_of, resolve
from matrices.languoids import FOLDED, names, speakers
from matrices.names import language_names, plain

_SHORTEST = 2
"""Letters of a name from which on its middle is looked at too."""
_CODE = 3
"""Letters of the longest code."""
_GLOTTOCODE = re.compile(r"[a-z]{4}\d{4}")


@dataclass(frozen=True, slots=True)
class NameMatch:
    """A language that may be meant, and the name of it that was typed, where that is not its English one."""

    code: str
    name: str
    matched: str | None


def suggest(typed: str, most: int = 10, first: Collection[str] = ()) -> list[NameMatch]:
    """The languages whose code or any name begins with what was typed, then those that have it further on.

    Accents do not matter, nor does case. Among equals, those of ``first`` (say, what was measured) come first, then
    those that more people speak. Nothing typed suggests ``first`` alone.
    """
    given, entries, text = plain(typed), _names(), _text()
    found: dict[str, tuple[tuple[int, bool, int, str], NameMatch]] = {}

    def offer(rank: int, code: str, written: str) -> None:
        english = name_of(code)
        key = (rank, code not in first, -speakers().get(code, 0), english)
        if code not in found or key < found[code][0]:
            matched = None if not given or written in (english.casefold(), code) else string.capwords(written)
            found[code] = (key, NameMatch(code, english, matched))

    if not given:
        for code in first:
            offer(0, code, code)
    elif len(given) <= _CODE and (meant := _meant(typed)) is not None:
        offer(0, meant, meant)
    before = "\n" if len(given) < _SHORTEST else "[\n ]"
    for hit in re.finditer(f"(?<={before}){re.escape(given)}", text) if given else ():
        at = bisect_right(_begins(), hit.start()) - 1
        name, written, code = entries[at]
        offer(0 if name == given else 1 if hit.start() == _begins()[at] else 2, code, written)
    if given and not found and (meant := _meant(typed)) is not None:
        # A name in another form than any list has it, as a tag or a glottocode.
        return [NameMatch(meant, name_of(meant), typed)]
    return [suggestion for _, suggestion in sorted(found.values(), key=lambda one: one[0])][:most]


def _meant(typed: str) -> str | None:
    """The language that a code, a tag or a whole name says; None where it says none."""
    with contextlib.suppress(UnknownLanguageError):
        return resolve(typed).code
    return None


@cache
def _names() -> tuple[tuple[str, str, str], ...]:
    """(plain, casefolded as it is written, code) of every code and every name of a language."""
    known = {code: name for code, name in names().items() if code not in FOLDED}
    found = {(code, code, code) for code in known}
    found |= {(plain(name), name.casefold(), code) for code, name in known.items()}
    found |= {entry for entry in language_names() if entry[2] in known and not _GLOTTOCODE.fullmatch(entry[0])}
    return tuple(sorted(found))


@cache
def _text() -> str:
    """All plain names, a line each: to look through one text is faster than to look at each."""
    return "".join(f"\n{name}" for name, _, _ in _names())


@cache
def _begins() -> tuple[int, ...]:
    """Where each name begins in the text."""
    lengths = (len(name) + 1 for name, _, _ in _names())
    return tuple(end + 1 for end in accumulate(lengths, initial=0))[:-1]
