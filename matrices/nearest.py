"""What there is instead of a name that is not there: how an error message ends."""

from __future__ import annotations

import difflib
from collections.abc import Collection

_LEAST_RATIO = 0.4
"""From this similarity on (Ratcliff and Obershelp 1988; 1 is equal) a name may be what was meant."""


def nearest(given: str, known: Collection[str], most: int = 1) -> list[str]:
    """The known names most like the one given, whatever their case, the most alike first; none where none is alike."""
    by_form: dict[str, str] = {}
    for name in sorted(known):
        by_form.setdefault(name.casefold(), name)
    return [by_form[form] for form in difflib.get_close_matches(given.casefold(), by_form, n=most, cutoff=_LEAST_RATIO)]


def nearest_hint(given: str, known: Collection[str]) -> str:
    """``; nearest: NAME``, to stand after what is wrong; empty where no name is alike."""
    return "".join(f"; nearest: {name}" for name in nearest(given, known))


def there_is(given: str, known: Collection[str], most: int = 12) -> str:
    """What there is instead: all of it, or of more than ``most`` the three most alike."""
    if not known:
        return "there is none yet"
    if len(known) <= most:
        return f"there is: {', '.join(sorted(known))}"
    return f"nearest of {len(known)}: {', '.join(nearest(given, known, 3) or sorted(known)[:3])}"
