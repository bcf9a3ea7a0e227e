"""What a target's sources score on average, and how far apart: predicted for a target that nothing was measured on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from matrices.recommend.predicted.bayesian_linear import Products, learn
from matrices.recommend.predicted.design_matrix import Design
from matrices.recommend.predicted.standardise import Columns
from matrices.scores import Floats

_FOLDS = 10


@dataclass(frozen=True, eq=False)
class Line:
    """A regression of one number of targets on what is known of them, drawn to the mean as far as it predicts badly.

    ``left_out`` [T] predict each target without it; ``variance`` is their mean squared error.
    """

    middle: Floats
    mean: float
    slopes: Floats
    left_out: Floats
    variance: float

    def of(self, known: Floats) -> float:
        """Expected number of a target of which ``known`` [K] is known."""
        return self.mean + float((known - self.middle) @ self.slopes)


@dataclass(frozen=True, eq=False)
class Level:
    """Centre and log spread of a target's scores, in the unit of the table.

    Both are predicted from what is known of a target by itself: its place among targets, its pairs' features on
    average, and whether the encoder was ``pretrained`` on it, where that is known.
    """

    design: Design
    pretrained: frozenset[str] | None
    centre: Line
    log_spread: Line

    def of(self, target: str) -> tuple[float, float]:
        """The centre and the spread to expect of a target's scores."""
        known = _known(self.design, self.pretrained, target)
        return self.centre.of(known), float(np.exp(self.log_spread.of(known)))

    def spread_error(self, measured: int) -> float:
        """The standard error of the log of a target's spread, of which so many scores are known, one at least.

        From the spreads of other targets, and from its own scores (of normal ones, 1 / (2 (n - 1)), squared).
        """
        return float((1 / max(self.log_spread.variance, 1e-9) + 2 * (measured - 1)) ** -0.5)


def level(design: Design, columns: Columns, pretrained: frozenset[str] | None) -> Level:
    """Learns both from the targets measured, of which there is at least one."""
    at = np.flatnonzero(np.isfinite(columns.centres))
    known = np.stack([_known(design, pretrained, design.pairs.targets[column]) for column in at])
    groups = ["likeness"] * design.of_targets.places.shape[1] + ["features"] * len(design.pairs.names)
    groups += [] if pretrained is None else ["pretraining"]
    centre, log_spread = (_line(known, values[at], groups) for values in (columns.centres, np.log(columns.spreads)))
    return Level(design, pretrained, centre, log_spread)


def _known(design: Design, pretrained: frozenset[str] | None, target: str) -> Floats:
    """What is known of a target by itself [K]."""
    pair = design.pair(design.sources, target)
    seen = [] if pretrained is None else [float(target in pretrained)]
    return np.concatenate([design.of_targets.of([target])[0], pair.mean(axis=0), seen])


def _line(known: Floats, values: Floats, groups: list[str]) -> Line:
    mean = float(values.mean())
    if len(values) < 3:
        return Line(known.mean(axis=0), mean, np.zeros(known.shape[1]), np.full(len(values), mean), float(values.var()))
    change, means = np.zeros(len(values)), np.zeros(len(values))
    folds = min(_FOLDS, len(values))
    for fold in range(folds):
        inside = np.arange(len(values)) % folds == fold
        middle, means[inside], slopes = _slopes(known[~inside], values[~inside], groups)
        change[inside] = (known[inside] - middle) @ slopes
    # How much of what the regression says beyond the mean has proved true of targets it had not seen.
    trust = float(np.clip(change @ (values - means) / max(float(change @ change), 1e-12), 0, 1))
    middle, _, slopes = _slopes(known, values, groups)
    left_out = means + trust * change
    return Line(middle, mean, trust * slopes, left_out, float(((values - left_out) ** 2).mean()))


def _slopes(known: Floats, values: Floats, groups: list[str]) -> tuple[Floats, float, Floats]:
    middle, mean = known.mean(axis=0), float(values.mean())
    offsets, rest = known - middle, values - mean
    scale = float(rest.std()) or 1.0
    count = max(len(rest) - 1, 1)
    products = Products(offsets.T @ offsets, offsets.T @ rest / scale, float(rest @ rest) / scale**2, count)
    return middle, mean, scale * learn(products, groups).mean
