"""How probable it is that a source is the best of those measured: a hierarchical normal model of one target's sources.

Notation: m [S] mean scores, theta [S] the true ones, m | theta ~ N(theta, E), theta ~ N(mu, tau^2).

The highest of many noisy scores owes part of its place to luck, so a probability from m and E alone is too sure.
Sources are drawn towards their mean as far as their scores differ by no more than noise does (Efron and Morris 1975,
JASA 70:311); how far true scores lie apart, tau, is integrated over with a flat prior (Gelman 2006, Bayesian Analysis
1:515). With mu flat, what matters are contrasts: in the eigenvectors of H E H, H the centring matrix, both model and
posterior are diagonal. E itself is estimated: the true variance of contrast i is c_i times the estimated one,
c_i ~ nu / chi-squared(nu) with nu degrees of freedom. Tau and all c_i are integrated over together, since noise that is
thought too small makes true scores seem to lie apart.
"""

from __future__ import annotations

import numpy as np
from scipy.special import chdtri, logsumexp, softmax

from matrices.arrays import Floats

_STEPS = 60
_FARTHEST = 4.0
"""Tau up to so many standard deviations of the scores."""
_SCALES = 30
"""Quantiles that stand for the distribution of c."""


def probabilities_best(
    means: Floats, errors: Floats, freedom: float, random: np.random.Generator, draws: int
) -> Floats:
    """How probable it is that each source has the highest true score [S].

    ``errors`` [S, S] is the covariance E of the errors of ``means`` [S], which rests on so many degrees of ``freedom``.
    """
    sources = len(means)
    if sources == 1:
        return np.ones(1)
    centring = np.eye(sources) - 1 / sources
    noise, basis = np.linalg.eigh(centring @ errors @ centring)
    # The first eigenvector is the mean of all sources, which is no contrast.
    order = np.argsort(np.abs(basis.sum(axis=0)))[: sources - 1]
    noise, basis = np.maximum(noise[order], 0), basis[:, order]
    told = basis.T @ means
    if not told.any():
        return np.full(sources, 1 / sources)
    noise = np.maximum(_shrunk(noise, freedom), 1e-9 * float(told @ told))
    taus = np.linspace(0, _FARTHEST * float(np.sqrt(told @ told / (sources - 1))), _STEPS)
    scales = _scales(freedom)
    likely = _log_likelihood(told, noise, taus, scales)
    of_tau = logsumexp(likely, axis=-1).sum(axis=-1)
    tau_at = random.choice(_STEPS, size=draws, p=softmax(of_tau))
    # Given tau, each contrast has a scale of its own, drawn by inverting its distribution function.
    below = np.cumsum(softmax(likely, axis=-1), axis=-1)
    chance = random.random((draws, sources - 1))
    scale_at = sum((chance > below[tau_at, :, at]).astype(np.int8) for at in range(len(scales) - 1))
    tau, noise = taus[tau_at], scales[scale_at] * noise
    reliability = (tau**2)[:, None] / ((tau**2)[:, None] + noise)
    theta = reliability * told + np.sqrt(reliability * noise) * random.standard_normal((draws, sources - 1))
    # Where true scores do not differ at all, any of them is the best.
    drawn = theta @ basis.T + np.where(tau == 0, 1.0, 0.0)[:, None] * random.standard_normal((draws, sources))
    best: Floats = np.bincount(drawn.argmax(axis=1), minlength=sources) / draws
    return best


def _shrunk(noise: Floats, freedom: float) -> Floats:
    """Eigenvalues of a covariance estimated with so many degrees of freedom, drawn towards their mean.

    Of few clusters the smallest come out too small, and the contrasts they belong to too sure: oracle approximating
    shrinkage (Chen, Wiesel, Eldar and Hero 2010, IEEE Transactions on Signal Processing 58:5016, equation 23).
    """
    size, mean = len(noise), float(noise.mean())
    apart = float((noise**2).sum()) - size * mean**2
    if size == 1 or apart <= 0 or not np.isfinite(freedom):
        return noise
    above = (1 - 2 / size) * float((noise**2).sum()) + (size * mean) ** 2
    share = min(above / ((freedom + 1 - 2 / size) * apart), 1.0)
    return (1 - share) * noise + share * mean


def _scales(freedom: float) -> Floats:
    """Equally probable values of c."""
    if not np.isfinite(freedom):
        return np.ones(1)
    scales: Floats = freedom / chdtri(freedom, (np.arange(_SCALES) + 0.5) / _SCALES)
    return scales


def _log_likelihood(told: Floats, noise: Floats, taus: Floats, scales: Floats) -> Floats:
    """Log likelihood of each tau and c by each contrast [steps, S - 1, scales]."""
    variance = (taus**2)[:, None, None] + noise[:, None] * scales
    likely: Floats = -0.5 * (np.log(variance) + told[:, None] ** 2 / variance)
    return likely
