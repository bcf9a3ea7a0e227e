"""From judgements of single targets to a line a method, with how far its figures would move on other targets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from matrices.backtest.protocol import Judgement
from matrices.scores import Floats
from matrices.uncertainty.resampling import RESAMPLES

FIGURES = ("ndcg_at_3", "ndcg_at_3_linear", "regret_at_1", "regret_at_3")


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodReport:
    """Means over targets, as shares in [0, 1]; ``intervals`` are 95% of each, from a bootstrap over targets.

    A figure that no target has is None: regret where no score is above 0, say. ``interval_coverage`` is the share of
    all held-out scores within their 90% intervals, ``interval_width`` how wide those are, and ``score_error`` by how
    much expected scores are off, both on average, in the unit of the table; ``shortlist_coverage`` is the share of
    targets whose best source is on the 90% shortlist, ``shortlist_size`` how many sources that names on average; None
    of a method without them.
    """

    method: str
    ndcg_at_3: float | None
    ndcg_at_3_linear: float | None
    regret_at_1: float | None
    regret_at_3: float | None
    targets: int
    intervals: dict[str, tuple[float, float]]
    interval_coverage: float | None
    interval_width: float | None
    score_error: float | None
    shortlist_coverage: float | None
    shortlist_size: float | None


def report(judgements: Sequence[Judgement]) -> list[MethodReport]:
    """A line for each method, in the order they first occur. Deterministic: every bootstrap draws the same targets."""
    names = list(dict.fromkeys(judgement.method for judgement in judgements))
    return [_report([one for one in judgements if one.method == name]) for name in names]


def _report(ones: Sequence[Judgement]) -> MethodReport:
    cells = np.array([one.cells for one in ones], dtype=np.float64)
    ones_each = np.ones(len(ones))
    measured = {name: (_column(ones, name), ones_each) for name in FIGURES}
    measured["interval_coverage"] = _column(ones, "covered"), cells
    measured |= {name: (_column(ones, name), cells) for name in ("interval_width", "score_error")}
    measured["shortlist_coverage"] = _column(ones, "shortlisted"), ones_each
    measured["shortlist_size"] = _column(ones, "shortlist_size"), ones_each
    known = {name: pair for name, pair in measured.items() if np.isfinite(pair[0]).any()}
    means = {name: _mean(values, weights) for name, (values, weights) in known.items()}
    return MethodReport(
        method=ones[0].method,
        targets=len(ones),
        intervals={name: _interval(values, weights) for name, (values, weights) in known.items()},
        **{name: means.get(name) for name in measured},
    )


def _column(ones: Sequence[Judgement], name: str) -> Floats:
    return np.array([np.nan if getattr(one, name) is None else getattr(one, name) for one in ones], dtype=np.float64)


def _mean(values: Floats, weights: Floats) -> float:
    known = np.isfinite(values)
    return float(np.average(values[known], weights=weights[known]))


def _interval(values: Floats, weights: Floats) -> tuple[float, float]:
    """Percentiles of the mean over resampled targets: the scores of a target share its luck, so it is drawn whole."""
    known = np.isfinite(values)
    values, weights = values[known], weights[known]
    drawn = np.random.default_rng(0).integers(len(values), size=(RESAMPLES, len(values)))
    means = (values * weights)[drawn].sum(axis=1) / weights[drawn].sum(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)
