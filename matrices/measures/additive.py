"""What a matrix is made of: strong sources, easy targets, and the pairs beyond both.

S(s, t) = mu + alpha_s + beta_t + gamma_st, by least squares over the pairs measured, the alphas and the betas each
summing to 0. A reconstruction: the field's papers name the idea and not the formulas.

Notation: S(s, t) the score of source s on target t, mu the mean, alpha and beta the effects of sources and targets,
gamma what is left of a pair. Reference: the two-way layout of Scheffé (1959, The Analysis of Variance, chapter 4).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from matrices.arrays import Bools, Floats
from matrices.uncertainty.matrix_bootstrap import MatrixBootstrap
from matrices.view import MatrixView, MeasureError


def additive(joint: MatrixBootstrap) -> pa.Table:
    """A row an effect: ``role`` (``source``: alpha, ``target``: beta), ``language``, ``effect``, ``low``, ``high``.

    In units of the score; in an ``interference`` matrix of the change from the baseline. In order of role, the greatest
    effect first. In-language cells are left out. Raises ``MeasureError`` where the pairs measured do not connect all
    languages, so that effects cannot be told apart.
    """
    view = joint.view
    fit = _Fit(view)
    estimates = joint.estimate(lambda scores, baseline: fit.effects(_values(view, scores, baseline)))
    roles = ["source"] * len(view.sources) + ["target"] * len(view.targets)
    table = pa.table(
        {
            "role": roles,
            "language": [*view.sources, *view.targets],
            "effect": estimates.value,
            "low": pa.array(estimates.low, from_pandas=True),
            "high": pa.array(estimates.high, from_pandas=True),
        }
    )
    return table.sort_by([("role", "ascending"), ("effect", "descending")])


def summary(joint: MatrixBootstrap) -> pa.Table:
    """A row a statistic of the whole matrix: ``statistic``, ``value``, ``low``, ``high``, and what it ``means``.

    In-language cells are left out. Shares of variance are of the additive model, the mean squares of alpha, beta and
    gamma weighted by pairs; gamma's is split into ``interaction`` and ``noise``, the mean variance of a cell over items
    and seeds. Asymmetry is sum |M_st - M_ts| / sum (|M_st| + |M_ts|) over pairs measured both ways, M the score
    or, in an ``interference`` matrix, the change. Shares and asymmetry that noise alone would give are not 0.
    """
    view = joint.view
    fit = _Fit(view)
    noise = float(np.mean(joint.variances(of_changes=view.kind != "zero_shot")[fit.shown]))

    def statistics(scores: Floats, baseline: Floats) -> Floats:
        values = _values(view, scores, baseline)
        shares = fit.shares(values, noise)
        negative = fit.pairs(scores < baseline[..., None, :]).mean(axis=-1)
        return np.stack([fit.pairs(values).mean(axis=-1), negative, _asymmetry(view, values), *shares], axis=-1)

    estimates = joint.estimate(statistics, alike=False)
    # All but the mean lie between 0 and 1, whatever the normal approximation says.
    least = np.where(np.arange(len(_MEANINGS)) == 0, -1, 0)
    names = _MEANINGS if view.kind == "zero_shot" else {**_MEANINGS, "mean": "mean change from the baseline"}
    return pa.table(
        {
            "statistic": list(names),
            "value": pa.array(estimates.value, from_pandas=True),
            "low": pa.array(np.maximum(estimates.low, least), from_pandas=True),
            "high": pa.array(np.minimum(estimates.high, 1), from_pandas=True),
            "means": list(names.values()),
        }
    )


_MEANINGS = {
    "mean": "mean score of a source on another language",
    "below_baseline": "share of pairs that score below the baseline",
    "asymmetry": "how far the two directions of a pair differ: 0 alike, 1 opposite",
    "share_of_sources": "share of the variance that is between sources",
    "share_of_targets": "share of the variance that is between targets",
    "share_of_interaction": "share that is of single pairs, beyond source and target",
    "share_of_noise": "share that other items and seeds would have changed",
}


def _values(view: MatrixView, scores: Floats, baseline: Floats) -> Floats:
    return scores if view.kind == "zero_shot" else scores - baseline[..., None, :]


class _Fit:
    """The least-squares fit of the additive model to the pairs of one matrix, as one linear map."""

    def __init__(self, view: MatrixView) -> None:
        self.shown: Bools = np.isfinite(_values(view, view.means, view.baseline_means))
        self.shown[view.own] = False
        self.at = np.nonzero(self.shown)
        sources, targets = self.shown.shape
        design = np.zeros((len(self.at[0]), sources + targets + 1))
        design[:, -1] = 1
        pairs = np.arange(len(design))
        design[pairs, self.at[0]] = 1
        design[pairs, sources + self.at[1]] = 1
        if len(design) == 0 or np.linalg.matrix_rank(design) < sources + targets - 1:
            raise MeasureError(f"{view.matrix}: too few pairs were measured to tell sources from targets")
        summing = np.zeros((2, design.shape[1]))
        summing[0, :sources] = summing[1, sources:-1] = 1
        padded = np.vstack([design, summing])
        self._solve = np.linalg.pinv(padded)[:, : len(design)]
        self._sources = sources

    def pairs(self, values: NDArray[Any]) -> NDArray[Any]:
        """The values [..., P] of the P pairs measured, of values [..., S, T]."""
        return values[..., self.at[0], self.at[1]]

    def effects(self, values: Floats) -> Floats:
        """Alphas and betas [..., S + T] of values [..., S, T]."""
        return self._solved(values)[..., :-1]

    def _solved(self, values: Floats) -> Floats:
        """Alphas, betas and mu [..., S + T + 1]."""
        solved: Floats = self.pairs(values) @ self._solve.T
        return solved

    def shares(self, values: Floats, noise: float) -> list[Floats]:
        """Shares of variance of sources, targets, interaction and noise, each [...]."""
        solved = self._solved(values)
        alpha, beta = solved[..., self.at[0]], solved[..., self._sources + self.at[1]]
        gamma = self.pairs(values) - alpha - beta - solved[..., -1:]
        squares = [np.mean(part**2, axis=-1) for part in (alpha, beta, gamma)]
        total = sum(squares)
        of_noise = np.minimum(noise, squares[2])
        parts = [squares[0], squares[1], squares[2] - of_noise, of_noise]
        return [np.divide(part, total, out=np.full_like(total, np.nan), where=total > 0) for part in parts]


def _asymmetry(view: MatrixView, values: Floats) -> Floats:
    common = sorted(set(view.sources) & set(view.targets))
    rows = [view.sources.index(code) for code in common]
    columns = [view.targets.index(code) for code in common]
    square = values[..., np.array(rows, dtype=np.int64)[:, None], np.array(columns, dtype=np.int64)]
    upper = np.triu(np.ones((len(common), len(common)), dtype=bool), 1)
    forth, back = square[..., upper], np.swapaxes(square, -1, -2)[..., upper]
    both = np.isfinite(forth) & np.isfinite(back)
    apart = np.where(both, np.abs(forth - back), 0).sum(axis=-1)
    size = np.where(both, np.abs(forth) + np.abs(back), 0).sum(axis=-1)
    asymmetry: Floats = np.divide(apart, size, out=np.full_like(size, np.nan), where=size > 0)
    return asymmetry
