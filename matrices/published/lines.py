"""What a published table says, once read: which of its columns say what, and its lines, numbers as they stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class TableColumns:
    """Which columns of a file say what; None is guessed from the header, ``features`` among URIEL's and LangRank's.

    ``where`` keeps the lines with these values alone: (column, value) pairs. ``seeds`` are the columns of the scores of
    one run each; left empty, columns called so (``seed1``, ``run 2``) are, where there is no other score.
    ``rows_are`` says which side of a grid its rows are, ``ranks`` that its numbers are ranks. ``lower_is_better``:
    scores are errors; ``differences``: they may lie below 0; ``skip_unknown`` leaves out lines that are no pair of two
    languages. ``sheet`` is that of a spreadsheet with several.
    """

    source: str | None = None
    target: str | None = None
    score: str | None = None
    rank: str | None = None
    seed: str | None = None
    baseline: str | None = None
    features: tuple[str, ...] | None = None
    where: tuple[tuple[str, str], ...] = ()
    seeds: tuple[str, ...] = ()
    rows_are: Literal["sources", "targets"] | None = None
    ranks: bool = False
    lower_is_better: bool = False
    differences: bool = False
    skip_unknown: bool = False
    sheet: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TableLine:
    """One line: languages in normal form and as given; numbers as they stand, None where the field is empty.

    ``spread`` is what stood after ±, in the unit of the score; ``percent``: the score had a percent sign.
    """

    number: int
    source: str
    target: str
    given: tuple[str, str]
    seed: int
    score: float | None
    rank: float | None
    baseline: float | None
    features: Mapping[str, float]
    spread: float | None = None
    percent: bool = False
