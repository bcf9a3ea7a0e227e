"""Numbers as people write them in tables: their signs, decimal commas and spreads; shares or percents, scores or
errors, never one taken for another.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from matrices.published.headers import plain
from matrices.published.lines import TableColumns, TableLine
from matrices.published.sheets import PublishedTableError

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
_ERRORS = {
    *("wer", "cer", "ter", "per", "der", "eer", "ppl", "perplexity", "loss", "nll", "error", "errors", "rmse", "mse"),
    *("mae", "bpc", "bpb", "surprisal"),
}
"""Metrics of which the lower is the better; one of these words in the name of a column or a metric tells."""
_NOT_ALONE = {"per", "error", "errors"}
"""Words that say so only as the whole name: ``score per language`` is no phoneme error rate."""
_GAP, _FEW = 5.0, 2
"""Shares and percents in one table leave a gap: nothing is so many times smaller than the next and yet above 0."""


@dataclass(frozen=True, slots=True)
class WrittenNumber:
    """A number, what is said to be its spread (after ± or in brackets), and whether it had a percent sign."""

    number: float
    spread: float | None = None
    percent: bool = False


class NotANumberError(ValueError):
    """What is no number; the message says why, and what would do."""


def written(text: str) -> WrittenNumber | None:
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
    return WrittenNumber(number, None if spread is None else abs(_value(spread)), percent)


def _value(text: str) -> float:
    return float(text.replace(",", "."))


def lower_is_better(name: str) -> bool:
    """Whether a metric, or a column, is by its name one of which the lower is the better."""
    words = plain(name).split("_")
    return words[-2:] == ["error", "rate"] or any(
        word in _ERRORS and (word not in _NOT_ALONE or len(words) <= 2) for word in words
    )


def check_scale(path: Path, columns: TableColumns, lines: Sequence[TableLine]) -> bool:
    """Whether a table says itself that its scores are in percent: by its header, or sign by sign.

    Raises ``PublishedTableError`` where some are and some are not, by their signs or by their size, and where scores
    are errors or lie below 0 and it was not asked for.
    """
    scored = [line for line in lines if line.score is not None]
    if not scored:
        return False
    names = columns.seeds or (columns.score or "",)
    if not columns.lower_is_better and (name := next(filter(lower_is_better, names), None)) is not None:
        problem = f"column {name!r} is of errors, by its name: the lower the better; say so with --lower-is-better"
        raise PublishedTableError(path, scored[0].number, problem)
    signs = {line.percent for line in scored}
    if len(signs) > 1:
        odd = next(line for line in scored if line.percent != scored[0].percent)
        problem = f"{odd.score:g} is {'in' if odd.percent else 'not in'} percent, others are not so; write all alike"
        raise PublishedTableError(path, odd.number, problem)
    if not columns.differences:
        for line in scored:
            if line.score is not None and line.score < 0:
                problem = f"{line.score:g} is below 0; --differences takes scores as differences, and as they are"
                raise PublishedTableError(path, line.number, problem)
    _refuse_mixed(path, scored)
    return signs == {True} or any("%" in name or "percent" in plain(name) for name in names)


def _refuse_mixed(path: Path, scored: Sequence[TableLine]) -> None:
    sizes = sorted(abs(line.score) for line in scored if line.score)
    shares, percents = [one for one in sizes if one <= 1], [one for one in sizes if one > 1]
    if len(shares) < _FEW or len(percents) < _FEW or percents[0] < _GAP * shares[-1]:
        return
    few = shares if len(shares) < len(percents) else percents
    line = next(line for line in scored if line.score and abs(line.score) in few)
    problem = (
        f"{line.score:g} is of another scale than most: {len(shares)} scores are shares up to {shares[-1]:g}, "
        f"{len(percents)} percents from {percents[0]:g}; write all alike, or keep some with --where COLUMN=VALUE"
    )
    raise PublishedTableError(path, line.number, problem)
