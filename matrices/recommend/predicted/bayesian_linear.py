"""Bayesian linear regression with a prior variance for each group of weights (automatic relevance determination).

It is a Gaussian process whose cost does not grow with the cube of the cells. A group that explains nothing gets a
variance near 0 and drops out. Variances and noise maximise the evidence (type-II maximum likelihood), by updates that
need only the cross-products of the columns.

Notation: X [N, P] centred columns, y [N] scores, w [P] weights; w ~ N(0, variance of its group), y ~ N(Xw, noise).
References: MacKay 1992, "Bayesian interpolation", equation 4.8; Bishop 2006, section 3.5.2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import lapack

from matrices.arrays import Floats, Indices

_START = 0.05
_GONE = 1e-7
"""A variance under this has left the model: scores are standardised, so that it can no longer move any."""
_NOISE_AT_LEAST = 1e-4


@dataclass(frozen=True, eq=False)
class Products:
    """Cross-products of centred columns X [N, P] and scores y [N]: ``gram`` X'X, ``moment`` X'y, ``square`` y'y.

    ``count`` is the number of scores less those spent on centring.
    """

    gram: Floats
    moment: Floats
    square: float
    count: int

    def only(self, columns: Indices) -> Products:
        """The cross-products of some columns."""
        return Products(self.gram[np.ix_(columns, columns)], self.moment[columns], self.square, self.count)


@dataclass(frozen=True, eq=False)
class Weights:
    """The posterior of the weights: ``mean`` [P] and ``covariance`` [P, P], with the fitted variances and noise."""

    mean: Floats
    covariance: Floats
    variances: dict[str, float]
    """Prior variance of a weight, by group."""
    noise: float
    """Variance of a score about the model."""
    evidence: float
    """Log marginal likelihood of the scores, but for a constant of their number."""


def learn(products: Products, groups: Sequence[str], *, rounds: int = 40, tolerance: float = 0.05) -> Weights:
    """Fit variances and noise by maximising the evidence, until a round gains less than ``tolerance`` nats."""
    names = list(dict.fromkeys(groups))
    member = np.array([names.index(group) for group in groups])
    variance = np.full(len(names), _START)
    noise = max(0.5 * products.square / max(products.count, 1), _NOISE_AT_LEAST)
    before = -np.inf
    for _ in range(rounds):
        posterior = _posterior(products, variance[member], noise)
        if posterior.evidence - before < tolerance:
            break
        before = posterior.evidence
        # How many weights of each group the data determine, against those that stay at their prior.
        determined = np.bincount(member, weights=posterior.determined, minlength=len(names))
        power = np.bincount(member, weights=posterior.mean**2, minlength=len(names))
        variance = np.where(determined > 1e-9, power / np.maximum(determined, 1e-9), 0.0)
        variance = np.where(variance > _GONE, variance, 0.0)
        noise = max(posterior.residual / max(products.count - determined.sum(), 1.0), _NOISE_AT_LEAST)
    return weights(products, groups, dict(zip(names, variance.tolist(), strict=True)), noise)


def weights(products: Products, groups: Sequence[str], variances: Mapping[str, float], noise: float) -> Weights:
    """The posterior of the weights, given prior ``variances`` by group and the ``noise`` of a score."""
    posterior = _posterior(products, np.array([variances[group] for group in groups]), noise)
    return Weights(
        mean=posterior.mean,
        covariance=posterior.covariance,
        variances=dict(variances),
        noise=noise,
        evidence=posterior.evidence,
    )


@dataclass(frozen=True, eq=False)
class _Posterior:
    mean: Floats
    covariance: Floats
    determined: Floats
    residual: float
    evidence: float


def _posterior(products: Products, variance: Floats, noise: float) -> _Posterior:
    live = np.flatnonzero(variance)
    count = len(variance)
    mean, determined, covariance = np.zeros(count), np.zeros(count), np.zeros((count, count))
    if not len(live):
        evidence = -0.5 * (products.count * np.log(noise) + products.square / noise)
        return _Posterior(mean, covariance, determined, products.square, float(evidence))
    size = np.sqrt(variance[live])
    gram = products.gram[np.ix_(live, live)]
    moment = products.moment[live]
    scaled = size[:, None] * gram * size / noise + np.eye(len(live))
    factor, failed = lapack.dpotrf(scaled, lower=1, clean=1)
    if failed:
        raise ArithmeticError("the columns' cross-products are not finite; a feature holds infinities")
    inverse, _ = lapack.dpotri(factor, lower=1)
    inverse = np.tril(inverse) + np.tril(inverse, -1).T
    live_mean = size * (inverse @ (size * moment)) / noise
    mean[live], determined[live] = live_mean, 1 - np.diag(inverse)
    covariance[np.ix_(live, live)] = size[:, None] * inverse * size
    residual = float(products.square - 2 * live_mean @ moment + live_mean @ gram @ live_mean)
    fit = (products.square - moment @ live_mean) / noise
    evidence = -float(np.log(np.diag(factor)).sum()) - 0.5 * (products.count * np.log(noise) + fit)
    return _Posterior(mean, covariance, determined, max(residual, 0.0), float(evidence))
