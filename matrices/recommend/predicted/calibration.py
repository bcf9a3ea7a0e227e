"""How wide an interval, and how long a shortlist, has to be to hold what it says: learned from targets left out.

What a model says of its own certainty rests on its assumptions. Here each measured target is predicted from the others,
and the widths are those that would have held 90% of what was then measured (conformal prediction by leave-one-out;
Barber et al. 2021, "Predictive inference with the jackknife+").
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

from matrices.scores import Floats

DRAWS = 400
_SLACK = 1e-9


def width(ratios: Sequence[Floats], confidence: float) -> float:
    """The multiple of a standard deviation that holds a share ``confidence`` of a new target's scores.

    ``ratios`` are, for every target left out, its errors over the standard deviations predicted. Errors of a target go
    together, so that of few targets little is known of how large those of another are: the multiple is wider by what
    Student's t of that many targets is wider than a normal distribution.
    """
    half = 0.5 + confidence / 2
    of_few = stdtrit(max(len(ratios) - 1, 1), half) / ndtri(half)
    return float(of_few * np.quantile(np.concatenate(ratios), confidence))


def shares_of(drawn: Floats) -> Floats:
    """How probable each source [n] is to score highest: how often it does in draws [D, n]."""
    return np.bincount(drawn.argmax(axis=1), minlength=drawn.shape[1]) / len(drawn)


def cost_of(drawn: Floats, chosen: int) -> float:
    """What choosing one source is expected to cost against the best, from draws [D, n], in the unit of the scores."""
    return float((drawn.max(axis=1) - drawn[:, chosen]).mean())


def proved(expected: Sequence[float], realised: Sequence[float]) -> float:
    """What expected costs of choices are to be multiplied by: what they have proved to be of targets left out.

    Sums over targets, with one more target of which what was expected came true.
    """
    usual = float(np.mean(expected)) if len(expected) else 0.0
    return (float(np.sum(realised)) + usual) / (float(np.sum(expected)) + usual) if usual > 0 else 1.0


def draws(mean: Floats, covariance: Floats, noise: Floats) -> Floats:
    """All scores of n sources together [DRAWS, n]; repeatable. ``noise`` [n] is each one's about its expectation."""
    spread = covariance + np.diag(noise)
    # Scores that are known for sure have no variance, and scores that move together have less than they seem to.
    root = np.linalg.cholesky(spread + max(_SLACK * np.trace(spread), np.finfo(float).tiny) * np.eye(len(mean)))
    drawn: Floats = mean + _normals(len(mean)) @ root.T
    return drawn


@lru_cache(maxsize=8)
def _normals(n: int) -> Floats:
    return np.random.default_rng(0).normal(size=(DRAWS, n))


def shortlist(shares: Floats, mean: Floats, mass: float) -> list[int]:
    """The sources before which less than ``mass`` of the probability lies, the most probable first; at least one."""
    order = _ordered(shares, mean)
    before = np.cumsum(shares[order]) - shares[order]
    return [int(at) for at in order[before <= mass + 1e-9]]


def mass_needed(shares: Floats, mean: Floats, best: int) -> float:
    """The mass with which a shortlist would just have named the source ``best``."""
    order = _ordered(shares, mean)
    return float(shares[order[: int(np.flatnonzero(order == best)[0])]].sum())


def mass(needed: Sequence[float], confidence: float) -> float:
    """The mass with which shortlists hold the best source of a new target with ``confidence``, from those needed.

    The conformal quantile. Of fewer than nine targets no number can vouch for 90%: the list then leaves nobody out.
    """
    rank = int(np.ceil(confidence * (len(needed) + 1)))
    return float(np.sort(needed)[rank - 1]) if rank <= len(needed) else 1.0


def _ordered(shares: Floats, mean: Floats) -> NDArray[np.intp]:
    return np.lexsort((-mean, -shares))
