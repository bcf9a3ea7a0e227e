"""How good a ranking of sources is, given their true scores: NDCG@k as LangRank defines it, and regret@k.

Ties are fair: sources that truly tie share the gains of their places, and sources that a method cannot tell apart are
taken in random order, of which the exact expectation is returned. So a method that says nothing scores as random does,
no order of languages in a file favours any, and no figure depends on a seed.
"""

from __future__ import annotations

from math import comb

import numpy as np

from matrices.scores import Floats

RELEVANT = 10
"""How many of a target's sources are relevant: the best has relevance 10, the tenth 1, all others 0."""


def ndcg(truth: Floats, predicted: Floats, k: int = 3, *, linear: bool = False) -> float:
    """NDCG@k in [0, 1] of the order of ``predicted`` [S], higher first, by the true scores [S]. NaN of no source.

    Lin et al. 2019 (Choosing Transfer Languages for Cross-Lingual Learning, section 4.2): gain ``2 ** relevance - 1``,
    or the relevance itself where ``linear``, as scikit-learn's ``ndcg_score``; discount ``log2(place + 1)``.
    """
    gains = _gains(truth, linear=linear)
    best = _discounted(np.sort(gains)[::-1], k)
    return _discounted(_shared(gains, predicted), k) / best if best > 0 else float("nan")


def regret(truth: Floats, predicted: Floats, k: int) -> float:
    """What is lost by trying the ``k`` sources predicted best: best score less best of theirs, as a share of the best.

    NaN of no source, and where the best score is not above 0, which has no shares.
    """
    if not len(truth) or truth.max() <= 0:
        return float("nan")
    return float((truth.max() - _expected_best(truth, predicted, k)) / truth.max())


def _gains(truth: Floats, *, linear: bool) -> Floats:
    relevance = np.maximum(RELEVANT - np.arange(len(truth)), 0).astype(np.float64)
    return _shared(relevance if linear else 2**relevance - 1, truth, places=True)


def _shared(gains: Floats, order: Floats, *, places: bool = False) -> Floats:
    """The mean gain of every group of equal ``order``, at each of its places.

    ``gains`` are by source, and the answer is by place, the highest first; the other way round where ``places``.
    """
    by_place = np.argsort(-order, kind="stable")
    _, group = np.unique(-order, return_inverse=True)
    given = gains if places else gains[by_place]
    means = np.bincount(group[by_place], weights=given) / np.bincount(group)
    return means[group] if places else means[group[by_place]]


def _discounted(gains: Floats, k: int) -> float:
    top = gains[:k]
    return float((top / np.log2(np.arange(len(top)) + 2)).sum())


def _expected_best(truth: Floats, predicted: Floats, k: int) -> float:
    """Mean, over the orders of those tied at place ``k``, of the highest true score among the first ``k``."""
    k = min(k, len(truth))
    threshold = np.sort(predicted)[-k]
    sure, tied = truth[predicted > threshold], np.sort(truth[predicted == threshold])
    draws = k - len(sure)
    floor = sure.max(initial=-np.inf)
    # Of ``draws`` without replacement, the i-th lowest is the highest in comb(i, draws - 1) of all the ways.
    ways = np.array([comb(index, draws - 1) for index in range(len(tied))], dtype=np.float64)
    return float((np.maximum(tied, floor) * ways).sum() / ways.sum())
