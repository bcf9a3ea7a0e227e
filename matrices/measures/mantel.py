"""Correlation of transfer with the likeness of languages, cells that share a language not taken as independent.

Notation: L languages; T [L, L] transfer within a target (scores less the target's mean), D [L, L] a measure of
likeness. The statistic is Spearman's correlation of T and D over the pairs that both know; its distribution under the
hypothesis is that of D with its rows and columns permuted together (Mantel 1967, Cancer Research 27:209).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from matrices.arrays import Bools, Floats
from matrices.view import MatrixView

PERMUTATIONS = 9_999
_AT_ONCE = 500


def correlations(view: MatrixView, likeness: Mapping[str, Floats], *, permutations: int = PERMUTATIONS) -> pa.Table:
    """A row a measure of likeness: Spearman's ``correlation`` with transfer, and ``p`` (two-sided, Mantel test).

    ``likeness`` [L, L] each over all languages in order of code (``languages_of``), NaN where unknown. Transfer is the
    mean score, or the change from the baseline in an ``interference`` matrix, less its target's mean, so that hard
    targets do not count as bad transfer. ``pairs`` are those with both; in-language cells are left out.
    """
    codes = languages_of(view)
    values = view.means if view.kind == "zero_shot" else view.means - view.baseline_means
    square = np.full((len(codes), len(codes)), np.nan)
    rows = [codes.index(code) for code in view.sources]
    columns = [codes.index(code) for code in view.targets]
    square[np.ix_(rows, columns)] = values
    np.fill_diagonal(square, np.nan)
    transfer = _within_target(square)
    tests = {name: mantel(transfer, alike, permutations) for name, alike in likeness.items()}
    return pa.table(
        {
            "likeness": list(tests),
            "pairs": [int((np.isfinite(square) & np.isfinite(alike)).sum()) for alike in likeness.values()],
            "correlation": pa.array([r for r, _ in tests.values()], from_pandas=True),
            "p": pa.array([p for _, p in tests.values()], from_pandas=True),
        }
    )


def languages_of(view: MatrixView) -> list[str]:
    """Sources and targets, in order of code."""
    return sorted({*view.sources, *view.targets})


def mantel(transfer: Floats, likeness: Floats, permutations: int = PERMUTATIONS) -> tuple[float, float]:
    """Correlation of the ranks of two [L, L] matrices over the pairs both know, and its two-sided p-value.

    Spearman's, with one change: a value is ranked among all known values of its own matrix, not among the pairs that
    both know. A permutation changes which pairs those are, and must not change the ranks.

    Under the hypothesis the names of the languages mean nothing: rows and columns of ``likeness`` are permuted together
    (Mantel 1967, Cancer Research 27:209). p = (1 + those as far from 0) / (1 + ``permutations``). NaN of both
    where fewer than four languages or three pairs are known, or either matrix does not vary.
    """
    languages = len(likeness)
    both = np.isfinite(transfer) & np.isfinite(likeness)
    if languages < 4 or both.sum() < 3 or not (_varies(transfer, both) and _varies(likeness, both)):
        return float("nan"), float("nan")
    at = np.nonzero(np.isfinite(transfer))
    ours, theirs = _ranked(transfer)[at], _ranked(likeness)
    observed = float(_correlations(ours, theirs[at][None])[0])
    random, reached = np.random.default_rng(0), 0
    for start in range(0, permutations, _AT_ONCE):
        count = min(_AT_ONCE, permutations - start)
        named = random.permuted(np.broadcast_to(np.arange(languages), (count, languages)), axis=1)
        drawn = _correlations(ours, theirs[named[:, at[0]], named[:, at[1]]])
        # The permutation that changes nothing is as far, its sums being in another order.
        reached += int((np.abs(drawn) >= abs(observed) - 1e-12).sum())
    return observed, (1 + reached) / (1 + permutations)


def _correlations(ours: Floats, theirs: Floats) -> Floats:
    """Pearson's correlations of values [P] with each of several lists [B, P], over what is not NaN there."""
    known = np.isfinite(theirs)
    count = known.sum(axis=1, keepdims=True)
    a = np.where(known, ours, 0)
    b = np.where(known, theirs, 0)
    a = np.where(known, a - a.sum(axis=1, keepdims=True) / count, 0)
    b = np.where(known, b - b.sum(axis=1, keepdims=True) / count, 0)
    size = np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
    correlations: Floats = np.divide((a * b).sum(axis=1), size, out=np.zeros_like(size), where=size > 0)
    return correlations


def _ranked(values: Floats) -> Floats:
    """Ranks of what is not NaN, ties sharing theirs."""
    from scipy.stats import rankdata  # takes half a second to import, which no other measure has to spare

    ranks: Floats = rankdata(values, nan_policy="omit", axis=None).reshape(values.shape)
    return ranks


def _varies(values: Floats, among: Bools) -> bool:
    return bool(np.ptp(values[among]) > 0)


def _within_target(square: Floats) -> Floats:
    """Values less their column's mean."""
    count = np.isfinite(square).sum(axis=0)
    means = np.nansum(square, axis=0) / np.where(count > 0, count, np.nan)
    centred: Floats = square - means
    return centred
