"""The numbers of a landscape: one a row, all in one table."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from workers.record_tables import schema_of


@dataclass(frozen=True, slots=True, kw_only=True)
class LandscapeNumber:
    """One number; what does not apply to its measure is None.

    ``toward`` is the language that the run at the line's other end learned beside ``source``: ``source`` itself for the
    control, which reads the source's own items again in another order. ``language`` is the one measured.

    ``point`` says which weights: ``line`` and ``surface`` (at ``alpha``, and ``beta`` along the second axis ``axis``),
    ``averaged`` and ``averaged_half`` (the mean of all snapshots of the source's run, and of the later half), ``start``
    (before training). ``measure``: ``error`` (1 less the task's metric), ``loss`` (mean, nats an answer); of lines
    ``distance`` (Euclidean, between their ends); of other points ``along`` (their projection on the line, in lines)
    and ``cosine`` (of the way there with the line, both from the source's solution).
    """

    method: str
    source: str
    toward: str | None
    seed: int
    point: str
    measure: str
    value: float | None
    language: str | None = None
    alpha: float | None = None
    beta: float | None = None
    axis: str | None = None
    n: int | None = None


_TYPES = {"seed": pa.int32(), "n": pa.int32(), "value": pa.float64(), "alpha": pa.float64(), "beta": pa.float64()}
SCHEMA = schema_of(LandscapeNumber, _TYPES)
