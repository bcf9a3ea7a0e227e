"""What a target's sources score on average, and how far apart: foretold for a target that nothing was measured on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from matrices.recommend.predicted.columns import Columns
from matrices.recommend.predicted.design import Design
from matrices.recommend.predicted.evidence import Products, Weights, learn
from matrices.scores import Floats


@dataclass(frozen=True, eq=False)
class Line:
    """A regression of one number of targets on what is known of them, with predictions of each without itself."""

    middle: Floats
    mean: float
    weights: Weights
    left_out: Floats
    left_out_variance: Floats

    def of(self, known: Floats) -> tuple[float, float]:
        """Mean and predictive variance for a target of which ``known`` [K] is known."""
        offset = known - self.middle
        variance = self.weights.noise * (1 + 1 / len(self.left_out)) + float(offset @ self.weights.covariance @ offset)
        return self.mean + float(offset @ self.weights.mean), variance


@dataclass(frozen=True, eq=False)
class Level:
    """Centre and log spread of a target's scores, in the unit of the table."""

    centre: Line
    log_spread: Line


def level(design: Design, columns: Columns) -> Level:
    """Learns both from the targets measured, of which there is at least one."""
    at = np.flatnonzero(np.isfinite(columns.centres))
    known = np.stack([described(design, design.pairs.targets[column]) for column in at])
    groups = ["likeness"] * design.of_targets.places.shape[1] + design.pairs.groups
    return Level(_line(known, columns.centres[at], groups), _line(known, np.log(columns.spreads[at]), groups))


def described(design: Design, target: str) -> Floats:
    """What is known of a target by itself [K]: its place among targets, and its pairs' features on average."""
    pair, _ = design.pairs.of(design.sources, target)
    return np.concatenate([design.of_targets.of([target])[0], pair.mean(axis=0)])


def _line(known: Floats, values: Floats, groups: list[str]) -> Line:
    middle, mean = known.mean(axis=0), float(values.mean())
    offsets, rest = known - middle, values - mean
    scale = float(rest.std()) or 1.0
    products = Products(
        offsets.T @ offsets, offsets.T @ rest / scale, float(rest @ rest) / scale**2, max(len(rest) - 1, 1)
    )
    found = learn(products, groups)
    weights = Weights(
        found.mean * scale, found.covariance * scale**2, found.variances, found.noise * scale**2, found.evidence
    )
    spread = offsets @ weights.covariance
    leverage = (spread * offsets).sum(axis=1) / weights.noise + 1 / len(rest)
    leverage = np.minimum(leverage, 0.99)
    residual = rest - offsets @ weights.mean
    left_out = values - residual / (1 - leverage)
    return Line(middle, mean, weights, left_out, weights.noise / (1 - leverage))
