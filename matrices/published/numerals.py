"""Numbers as people write them in tables: with a percent sign, a decimal comma, or what they vary by."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

LARGEST = 1e12
"""More is no score of anything, and squares of it are no numbers."""
_MISSING = {"", "nan", "na", "n/a", "null", "none", "-", "–", "—", "*"}
_PLAIN = r"[-+]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:e[-+]?\d+)?"
_WRITTEN = re.compile(
    rf"(?P<number>{_PLAIN})\s*(?P<percent>%)?\s*"
    rf"(?:(?:±|\+/?-|\\pm)\s*(?P<spread>{_PLAIN})|\(\s*(?:±|\+/?-)?\s*(?P<aside>{_PLAIN})\s*\))?\s*(?P<late>%)?",
    re.IGNORECASE,
)
_THOUSANDS = re.compile(r"[-+]?[1-9]\d{0,2},\d{3}")


@dataclass(frozen=True, slots=True)
class Written:
    """A number, what is said to be its spread (after ± or in brackets), and whether it had a percent sign."""

    number: float
    spread: float | None = None
    percent: bool = False


class NotANumberError(ValueError):
    """What is no number; the message says why, and what would do."""


def written(text: str) -> Written | None:
    """The number that is written (``55,0``, ``55.0%``, ``**55.0**``, ``55.0 ± 0.1``, ``55.0 (0.1)``), None for none.

    Raises ``NotANumberError``, also for what may be thousands or a decimal comma (``1,234``).
    """
    bare = text.strip().strip("*_").strip().replace("−", "-")
    if bare.casefold() in _MISSING:
        return None
    found = _WRITTEN.fullmatch(bare)
    if found is None:
        raise NotANumberError(f"{text!r} is no number; leave it empty where none is known")
    if _THOUSANDS.fullmatch(found["number"]):
        raise NotANumberError(f"{text!r} may be thousands or have a decimal comma; write it with a point")
    number = _value(found["number"])
    if not math.isfinite(number) or abs(number) > LARGEST:
        raise NotANumberError(f"{text!r} is out of range; at most {LARGEST:g}")
    spread = found["spread"] or found["aside"]
    percent = bool(found["percent"] or found["late"])
    return Written(number, None if spread is None else abs(_value(spread)), percent)


def _value(text: str) -> float:
    return float(text.replace(",", "."))
