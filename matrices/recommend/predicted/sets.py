"""Two or three sources in place of one: what a set is expected to gain, from how the scores of its members go together.

Notation: a target's scores x of all sources are drawn together, D times, from what is predicted of them. A set A is
worth ``E[max of x over A]``, a single source ``E[x]``: what is gained is that one of several is not bad where another
is, and so hangs on their covariance ("portfolio"; Markowitz 1952, of a best in place of a sum). It is what training on
all of them gives if it does as well on the target as its best member alone, or if a few labelled items of the target
tell which that is; not what adding up different data might give beyond that.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np

from matrices.recommend.outlook import ExpectedSet
from matrices.scores import Floats

SIZES = (2, 3)
_AMONG = 12
"""Sets are made of so many sources, those expected to do best."""
_LEAST_SHARE = 0.1


def best_sets(sources: tuple[str, ...], mean: Floats, drawn: Floats) -> tuple[ExpectedSet, ...]:
    """The best set of two and of three ``sources`` [n], from their means [n] and draws of all scores [D, n]."""
    top = np.lexsort((np.array(sources), -mean))[:_AMONG]
    single = float(drawn[:, top].mean(axis=0).max()) if len(top) else 0.0
    found = []
    for size in SIZES:
        worth = {one: float(drawn[:, list(one)].max(axis=1).mean()) for one in combinations(top.tolist(), size)}
        if worth:
            best = max(worth, key=lambda one: worth[one])
            found.append(_set(sources, best, worth[best], single, drawn))
    return tuple(found)


def _set(sources: tuple[str, ...], members: tuple[int, ...], worth: float, single: float, drawn: Floats) -> ExpectedSet:
    won = np.bincount(drawn[:, list(members)].argmax(axis=1), minlength=len(members)) / len(drawn)
    shares = _LEAST_SHARE + (1 - _LEAST_SHARE * len(members)) * won
    order = np.argsort(-shares, kind="stable")
    return ExpectedSet(
        sources=tuple(sources[members[at]] for at in order),
        score=worth,
        gain=worth - single,
        shares=tuple(shares[order].tolist()),
    )
