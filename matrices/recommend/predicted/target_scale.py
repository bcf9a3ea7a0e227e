"""Scores on one scale: what a target's sources score on average, and how far apart they are.

Measured of a target with scores (``columns``), predicted for one without (``level``).

Notation: S sources, T targets, K numbers known of a target by itself, z standard scores. References: the two-way layout
with shrunk effects, Searle, Casella & McCulloch 1992 (``columns``); shrinkage of regressions by cross-validation, Copas
1983 (``level``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matrices.recommend.predicted.bayesian_linear import Products, learn
from matrices.recommend.predicted.design_matrix import Design
from matrices.scores import Floats

_WORTH = 2.0
"""As many scores as the other targets' spread counts for, where a target has few of its own."""
_ROUNDS = 5
_STRETCH = 0.3
_FLOOR = 0.5
_ROUNDING = 1e-12
"""Of the largest score: what differs by less is alike."""
_FOLDS = 10


@dataclass(frozen=True, slots=True)
class Stretch:
    """Standard scores z on a scale where the best differ most: ``(exp(0.3 z) - mean) / spread``, all about 0 and 1.

    Only the best sources of a target compete for the first place. Unstretched, a model would spend its weights on how
    bad the worst are.
    """

    mean: float
    spread: float

    def of(self, standard: Floats) -> Floats:
        """Standard scores, stretched; NaN stays."""
        return (np.exp(_STRETCH * standard) - self.mean) / self.spread

    def back(self, stretched: Floats) -> tuple[Floats, Floats]:
        """Standard scores of stretched ones, and how fast they change with those."""
        held = np.maximum(self.mean + self.spread * stretched, _FLOOR)
        # Below the floor, which no mean of a target's scores comes near, the scale goes on in a straight line.
        under = np.minimum(self.mean + self.spread * stretched - _FLOOR, 0.0)
        slope = self.spread / (_STRETCH * held)
        return np.log(held) / _STRETCH + under / (_STRETCH * _FLOOR), slope


def stretch(standard: Floats) -> Stretch:
    """The scale for these standard scores, NaN where not measured."""
    grown = np.exp(_STRETCH * standard[np.isfinite(standard)])
    spread = float(grown.std())
    return Stretch(float(grown.mean()), spread if spread > _ROUNDING else 1.0)


@dataclass(frozen=True, eq=False)
class Columns:
    """Centre and spread [T] of the targets' scores, NaN where nothing was measured.

    ``standard`` [S, T] are the scores less the centre, over the spread. ``effects`` [S] are the sources' effects in
    standard scores. ``usual`` is the variance of a target's scores, pooled over all targets.
    """

    centres: Floats
    spreads: Floats
    standard: Floats
    effects: Floats
    usual: float


def columns(scores: Floats) -> Columns:
    """Centres and spreads of ``scores`` [S, T], NaN where not measured.

    Targets are measured with different sources: the centre allows for how good those are, as in a two-way analysis of
    variance. The spread of a target with few scores is shrunk towards the pooled one. Where all scores of the table are
    alike, spreads are 1.
    """
    measured = np.isfinite(scores)
    count = measured.sum(axis=0)
    at = count > 0
    filled = np.where(measured, scores, 0.0)
    effects = np.zeros(len(scores))
    centres = np.divide(filled.sum(axis=0), count, out=np.full(len(count), np.nan), where=at)
    spreads, usual = _spreads(scores, measured, centres)
    for _ in range(_ROUNDS):
        standard = np.where(measured, (filled - np.where(at, centres, 0)) / spreads, 0.0)
        effects = standard.sum(axis=1) / (measured.sum(axis=1) + _WORTH)
        effects -= (effects * measured.any(axis=1)).sum() / max(measured.any(axis=1).sum(), 1)
        rest = np.where(measured, filled - effects[:, None] * spreads, 0.0).sum(axis=0)
        centres = np.divide(rest, count, out=np.full(len(count), np.nan), where=at)
    standard = np.where(measured, (scores - centres) / spreads, np.nan)
    return Columns(centres, np.where(at, spreads, np.nan), standard, effects, usual)


def spread_of(scores: Floats, usual: float) -> float:
    """The spread of a target with these measured scores, shrunk towards the pooled variance ``usual``."""
    prior = _WORTH / len(scores)
    own = (float(((scores - scores.mean()) ** 2).sum()) + prior * usual) / (len(scores) - 1 + prior)
    return float(np.sqrt(own)) if own > 0 else 1.0


def _spreads(scores: Floats, measured: NDArray[np.bool_], centres: Floats) -> tuple[Floats, float]:
    count = measured.sum(axis=0)
    squares = np.where(measured, (scores - centres) ** 2, 0.0).sum(axis=0)
    freedom = np.maximum(count - 1, 0)
    usual = squares.sum() / max(int(freedom.sum()), 1)
    # The more scores of its own, the less another target's spread says.
    prior = _WORTH / np.maximum(count, 1)
    own = (squares + prior * usual) / (freedom + prior)
    # Where all scores of the table are alike but for rounding, any spread will do.
    rounding = (_ROUNDING * np.abs(scores, where=measured, out=np.zeros_like(scores)).max(initial=0.0)) ** 2
    return np.sqrt(np.where(own > rounding, own, 1.0)), float(usual)


@dataclass(frozen=True, eq=False)
class ShrunkRegression:
    """A regression of one number of targets on what is known of them.

    Slopes are shrunk to 0 as far as they predict left-out targets badly. ``left_out`` [T] predict each target without
    it; ``variance`` is their mean squared error.
    """

    middle: Floats
    mean: float
    slopes: Floats
    left_out: Floats
    variance: float

    def of(self, features: Floats) -> float:
        """The number expected of a target with ``features`` [K]."""
        return self.mean + float((features - self.middle) @ self.slopes)


@dataclass(frozen=True, eq=False)
class Level:
    """Regressions of the centre and the log spread of a target's scores, in the unit of the table.

    Both are predicted from what is known of a target by itself: its place among targets, its pairs' features on
    average, and whether the encoder was ``pretrained`` on it, where that is known.
    """

    design: Design
    pretrained: frozenset[str] | None
    centre: ShrunkRegression
    log_spread: ShrunkRegression

    def of(self, target: str) -> tuple[float, float]:
        """The centre and the spread to expect of a target's scores."""
        features = _known(self.design, self.pretrained, target)
        return self.centre.of(features), float(np.exp(self.log_spread.of(features)))

    def spread_error(self, measured: int) -> float:
        """The standard error of the log spread of a target with ``measured`` scores, at least one.

        It combines the spreads of other targets with the target's own n scores (variance 1 / (2 (n - 1)) if normal).
        """
        return float((1 / max(self.log_spread.variance, 1e-9) + 2 * (measured - 1)) ** -0.5)


def level(design: Design, columns: Columns, pretrained: frozenset[str] | None) -> Level:
    """Learns both from the targets measured, of which there is at least one."""
    at = np.flatnonzero(np.isfinite(columns.centres))
    features = np.stack([_known(design, pretrained, design.pairs.targets[column]) for column in at])
    groups = ["likeness"] * design.of_targets.places.shape[1] + ["features"] * len(design.pairs.names)
    groups += [] if pretrained is None else ["pretraining"]
    centre, log_spread = (_line(features, values[at], groups) for values in (columns.centres, np.log(columns.spreads)))
    return Level(design, pretrained, centre, log_spread)


def _known(design: Design, pretrained: frozenset[str] | None, target: str) -> Floats:
    """What is known of a target by itself [K]."""
    pair = design.pair(design.sources, target)
    seen = [] if pretrained is None else [float(target in pretrained)]
    return np.concatenate([design.of_targets.of([target])[0], pair.mean(axis=0), seen])


def _line(features: Floats, values: Floats, groups: list[str]) -> ShrunkRegression:
    mean = float(values.mean())
    if len(values) < 3:
        return ShrunkRegression(
            features.mean(axis=0), mean, np.zeros(features.shape[1]), np.full(len(values), mean), float(values.var())
        )
    change, means = np.zeros(len(values)), np.zeros(len(values))
    folds = min(_FOLDS, len(values))
    for fold in range(folds):
        inside = np.arange(len(values)) % folds == fold
        middle, means[inside], slopes = _slopes(features[~inside], values[~inside], groups)
        change[inside] = (features[inside] - middle) @ slopes
    # How much of what the regression says beyond the mean has proved true of targets it had not seen.
    trust = float(np.clip(change @ (values - means) / max(float(change @ change), 1e-12), 0, 1))
    middle, _, slopes = _slopes(features, values, groups)
    left_out = means + trust * change
    return ShrunkRegression(middle, mean, trust * slopes, left_out, float(((values - left_out) ** 2).mean()))


def _slopes(features: Floats, values: Floats, groups: list[str]) -> tuple[Floats, float, Floats]:
    middle, mean = features.mean(axis=0), float(values.mean())
    offsets, rest = features - middle, values - mean
    scale = float(rest.std()) or 1.0
    count = max(len(rest) - 1, 1)
    products = Products(offsets.T @ offsets, offsets.T @ rest / scale, float(rest @ rest) / scale**2, count)
    return middle, mean, scale * learn(products, groups).mean
