"""Languages that nobody measured as a source, and that a linguist would try: the target's relatives."""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache

from matrices.languages import UnknownLanguageError, genealogy, kinship, resolve
from matrices.languoids import speakers, within

MOST = 10
_OTHER = "other"
"""The family of languages that are not related to each other."""


def unlisted(target: str, listed: Collection[str], labelled: Collection[str] = ()) -> tuple[str, ...]:
    """Up to ten relatives of a target besides those ``listed``, the most promising first.

    Those ``labelled`` (measured as a target: there are labels to learn from) come before others, those of the genus
    before those of the family, and those that more people speak before those that fewer do.
    """
    there = {*listed, target}
    relatives = [code for code in dict.fromkeys([*labelled, *_relatives(target)]) if code not in there]
    count = speakers()
    of_kin = [code for code in relatives if kinship(code, target)]
    of_kin.sort(key=lambda code: (-kinship(code, target), code not in labelled, -count.get(code, 0), code))
    return tuple(of_kin[:MOST])


@lru_cache(maxsize=256)
def _relatives(target: str) -> tuple[str, ...]:
    """The most spoken languages of a target's genus, and of its family, each as a question would have it."""
    known = genealogy(target)
    if known is None or known.family == _OTHER:
        return ()
    count = speakers()
    found: list[str] = []
    for group in (known.genus, known.family):
        spoken = sorted((code for code in within(group) if count.get(code, 0)), key=lambda code: -count[code])
        found += [folded for code in spoken[: 2 * MOST] if (folded := _code(code)) is not None]
    return tuple(dict.fromkeys(found))


def _code(code: str) -> str | None:
    try:
        return resolve(code).code
    except UnknownLanguageError:
        return None
