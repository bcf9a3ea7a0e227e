"""Predictions of scores that nobody measured, from those that were: for any source and target, with how sure they are.

A target's scores, standardised, are what two models of unlike kinds expect on average (``ensemble``): a Gaussian
process with a product kernel over sources and targets, in a form whose cost grows with the number of cells, not its
cube (``bayesian_linear``, ``stacking``), and a forest of randomised trees (``forest``). This module puts them on the
table's scale, and says how sure they are.

Notation: S sources, T targets, N measured cells, n sources asked about. References: MacKay 1992 (evidence), Geurts,
Ernst and Wehenkel 2006 (forest), Barber et al. 2021 (widths), Efron and Morris 1975 (drawing scores to predictions).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import compress

import numpy as np
from numpy.typing import NDArray

from matrices.arrays import Indices, places
from matrices.recommend.predicted.calibration import (
    LeftOutErrors,
    Widths,
    Without,
    cost_of,
    draws,
    mass,
    mass_needed,
    proved,
    shares_of,
    shortlist,
    without,
)
from matrices.recommend.predicted.design_matrix import design
from matrices.recommend.predicted.ensemble import Learned, learn
from matrices.recommend.predicted.stacking import LeaveOneOut
from matrices.recommend.predicted.target_scale import Columns, Level, Stretch, columns, level, stretch
from matrices.recommend.prediction import CONFIDENCE, NothingToPredictError
from matrices.scores import Floats, ScoreTable

_NORMAL = 1.6449
"""Of a normal distribution, 90% is within so many standard deviations."""


UNKNOWN_NOISE = 0.25
"""Of a measured score whose noise nobody states: the share of the table's residual variance that is taken for noise."""


@dataclass(frozen=True, eq=False)
class Predicted:
    """Scores of n sources on one target, in the unit of the table.

    A measured score is shrunk towards its prediction from the model and the target's other scores: ``mean`` weighs the
    two by their precisions (Efron & Morris 1975).

    ``own_sd`` [n] leaves out of ``sd`` [n] the uncertainty that all sources share, which no choice depends on.
    ``intervals`` [n, 2] are of 90%. ``best`` [n] is the probability that a source scores highest of these;
    ``shortlist`` contains the best source with 90% confidence, the most probable first. ``regret`` is the expected cost
    of choosing the highest mean, as a share of the best score. ``drawn`` [D, n] are joint draws of all scores.
    """

    sources: tuple[str, ...]
    mean: Floats
    sd: Floats
    own_sd: Floats
    intervals: Floats
    measured: NDArray[np.bool_]
    best: Floats
    shortlist: tuple[str, ...]
    regret: float
    drawn: Floats


@dataclass(frozen=True, eq=False)
class Model:
    """What ``fit`` learned of a table. ``table`` is without any language's score on itself."""

    table: ScoreTable
    columns: Columns
    stretch: Stretch
    learned: Learned
    level: Level
    without: Without
    widths: Widths
    shortlist_mass: float
    cost_scale: float

    def predict(self, target: str, sources: Sequence[str] | None = None) -> Predicted:
        """Predict ``sources`` on ``target``; without ``sources``, all the table's but the target itself.

        Neither has to be in the table.
        """
        asked = tuple(self.table.sources if sources is None else dict.fromkeys(sources))
        asked = tuple(code for code in asked if code != target)
        raw = self._scores(asked, target)
        stated, errors = self._stated(asked, target)
        measured = np.isfinite(stated)
        drawn, variance = self._drawn(asked, target, stated, errors)
        mean = np.where(measured, drawn, raw.mean)
        covariance = np.where(measured[:, None] | measured, 0.0, raw.covariance) + np.diag(
            np.where(measured, variance, 0.0)
        )
        noise = np.where(measured, 0.0, raw.noise)
        own = np.diag(covariance) + noise
        sd = np.sqrt(own + np.where(measured, 0.0, raw.shared))
        half = np.where(measured, _NORMAL, raw.width) * sd
        drawn = draws(mean, covariance, noise)
        shares = shares_of(drawn)
        return Predicted(
            sources=asked,
            mean=mean,
            sd=sd,
            own_sd=np.sqrt(own),
            intervals=np.stack([mean - half, mean + half], axis=-1),
            measured=measured,
            best=shares,
            shortlist=tuple(asked[at] for at in shortlist(shares, mean, self.shortlist_mass)),
            regret=self._regret(mean, drawn),
            drawn=drawn,
        )

    def _regret(self, mean: Floats, drawn: Floats) -> float:
        """What choosing the highest mean [n] is expected to cost, as a share of the best score; NaN of none above 0."""
        if not len(mean):
            return 0.0
        best = float(mean.max())
        cost = self.cost_scale * cost_of(drawn, int(mean.argmax()))
        return cost / (best + cost) if best + cost > 0 else float("nan")

    @property
    def measured_sources(self) -> tuple[str, ...]:
        """The sources that have a score on another language."""
        counts = np.isfinite(self.table.scores).sum(axis=1).tolist()
        return tuple(code for code, count in zip(self.table.sources, counts, strict=True) if count)

    @cached_property
    def _measured(self) -> frozenset[str]:
        return frozenset(self.measured_sources)

    @cached_property
    def cell_targets(self) -> tuple[str, ...]:
        """The targets of the cells, in the order of their spans."""
        several = np.isfinite(self.table.scores).sum(axis=0) > 1
        return tuple(code for code, enough in zip(self.table.targets, several, strict=True) if enough)

    def measured_score(self, source: str, target: str) -> float | None:
        """The score of a pair, None where it was not measured."""
        if source not in self.table.sources or target not in self.table.targets:
            return None
        score = float(self.table.scores[self.table.sources.index(source), self.table.targets.index(target)])
        return score if np.isfinite(score) else None

    def _scores(self, asked: Sequence[str], target: str) -> Raw:
        """As if none of them had been measured on the target; where others were, in line with those."""
        at = self.table.targets.index(target) if target in self.table.targets else -1
        if at >= 0 and (measured := np.isfinite(self.columns.standard[:, at])).any():
            on_target = list(compress(self.table.sources, measured.tolist()))
            expected, covariance = self.learned.expected(asked, target, on_target)
            spread = float(self.columns.spreads[at])
            centre = float(self.columns.centres[at])
            middle = float(self.stretch.of(self.columns.standard[measured, at]).mean())
            standard, slope = self.stretch.back(middle + expected)
            count = int(measured.sum())
            # Errors of mean and spread move all predictions, but no measured score: they count between the two.
            of_mean = np.full(len(asked), np.sqrt(self.learned.noise / count))
            of_spread = standard / slope * self.level.spread_error(count)
            covariance = covariance + np.outer(of_mean, of_mean) + np.outer(of_spread, of_spread)
            shared = np.zeros(len(asked))
        else:
            others = [code for code in self.measured_sources if code != target]
            expected, covariance = self.learned.expected(asked, target, others)
            centre, spread = self.level.of(target)
            standard, slope = self.stretch.back(expected)
            shared = self.level.centre.variance + (spread * standard) ** 2 * self.level.log_spread.variance
            count = 0
        return Raw(
            mean=centre + spread * standard,
            covariance=spread**2 * slope[:, None] * covariance * slope,
            noise=(spread * slope) ** 2 * self.learned.noise,
            shared=shared,
            width=self.widths.of(count, np.array([code in self._measured for code in asked])),
        )

    def _stated(self, asked: Sequence[str], target: str) -> tuple[Floats, Floats]:
        """What was measured of the pairs, NaN where nothing was, and the standard errors, NaN where not known."""
        stated, errors = np.full(len(asked), np.nan), np.full(len(asked), np.nan)
        if target in self.table.targets:
            column = self.table.targets.index(target)
            rows, asked_places = self._rows(asked)
            stated[asked_places] = self.table.scores[rows, column]
            if self.table.errors is not None:
                errors[asked_places] = self.table.errors[rows, column]
        return stated, errors

    def _rows(self, asked: Sequence[str]) -> tuple[list[int], list[int]]:
        """The rows of those asked that are sources of the table, and their places among those asked."""
        at = places(self.table.sources)
        asked_places = [place for place, code in enumerate(asked) if code in at]
        return [at[asked[place]] for place in asked_places], asked_places

    def _drawn(self, asked: Sequence[str], target: str, stated: Floats, errors: Floats) -> tuple[Floats, Floats]:
        """The measured scores drawn towards what is predicted of each without it, and their variances; NaN elsewhere.

        A target's only score says what its sources score, and nothing else does: it stands as it is.
        """
        predicted, variance = self._predicted(asked, target)
        own = np.where(np.isfinite(errors), errors**2, UNKNOWN_NOISE * variance)
        alone = np.isnan(predicted)
        weight = np.divide(variance, variance + own, out=np.ones(len(asked)), where=~alone & (variance + own > 0))
        drawn = np.where(alone, stated, predicted + weight * (stated - predicted))
        return drawn, np.where(alone, np.nan_to_num(own), weight * own)

    def _predicted(self, asked: Sequence[str], target: str) -> tuple[Floats, Floats]:
        """What is predicted of measured scores from the target's others and the model, with its variance [len(asked)].

        NaN of a score that was not measured, and of a target's only one.
        """
        mean, variance = np.full(len(asked), np.nan), np.full(len(asked), np.nan)
        if target not in self.cell_targets:
            return mean, variance
        column = self.table.targets.index(target)
        begin, end = self.learned.cells.spans[self.cell_targets.index(target)]
        measured = np.flatnonzero(np.isfinite(self.table.scores[:, column]))
        middle = float(self.stretch.of(self.columns.standard[measured, column]).mean())
        standard, slope = self.stretch.back(middle + self.without.mean[begin:end])
        spread = float(self.columns.spreads[column])
        by_row = np.full((2, len(self.table.sources)), np.nan)
        by_row[0, measured] = float(self.columns.centres[column]) + spread * standard
        by_row[1, measured] = (spread * slope) ** 2 * self.learned.noise / self.without.kept[begin:end]
        rows, asked_places = self._rows(asked)
        mean[asked_places], variance[asked_places] = by_row[:, rows]
        return mean, variance


@dataclass(frozen=True, eq=False)
class Raw:
    """Predicted scores of n sources on a target, in the unit of the table, as if none of them had been measured.

    ``shared`` [n] is the variance that all of them share; ``width`` [n] is the multiple of a standard deviation that
    holds 90%.
    """

    mean: Floats
    covariance: Floats
    noise: Floats
    shared: Floats
    width: Floats


def fit(table: ScoreTable) -> Model:
    """Learns from every score of ``table`` that is not a language's on itself. Deterministic.

    Raises ``NothingToPredictError`` where no target has scores of two sources.
    """
    table = table.without_selves()
    scaled = columns(table.scores)
    several = np.flatnonzero(np.isfinite(table.scores).sum(axis=0) > 1)
    if not len(several):
        raise NothingToPredictError("no target has scores of two sources or more; measure some, then ask again")
    scale = stretch(scaled.standard)
    stretched = scale.of(scaled.standard)
    made = design(table, stretched)
    learned, left_out = learn(made, scaled.standard, stretched, several)
    levels = level(made, scaled, table.pretrained)
    ratios, needed, scale_of_cost = _left_out(table, scaled, scale, learned, left_out, levels, several)
    each = without(learned, left_out)
    errors = LeftOutErrors(table.scores, several, scaled, scale, learned, left_out, levels)
    return Model(
        table=table,
        columns=scaled,
        stretch=scale,
        learned=learned,
        level=levels,
        without=each,
        widths=errors.widths(ratios, each),
        shortlist_mass=mass(needed, CONFIDENCE),
        cost_scale=scale_of_cost,
    )


def _left_out(
    table: ScoreTable,
    scaled: Columns,
    scale: Stretch,
    learned: Learned,
    left_out: LeaveOneOut,
    levels: Level,
    several: Indices,
) -> tuple[list[Floats], list[float], float]:
    """For every target predicted from the others: its errors over their standard deviations; and the probability that
    a shortlist would have needed to name its best source. What choices cost, over what was expected, of all together.
    """
    ratios, needed, costs, lost = [], [], [], []
    measured = np.flatnonzero(np.isfinite(scaled.centres))
    for at, (begin, end), covariance in zip(several, learned.cells.spans, left_out.covariances, strict=True):
        line = int(np.searchsorted(measured, at))
        spread = float(np.exp(levels.log_spread.left_out[line]))
        expected = left_out.mean[begin:end]
        standard, slope = scale.back(expected)
        shared = levels.centre.variance + (spread * standard) ** 2 * levels.log_spread.variance
        sd = np.sqrt(shared + (spread * slope) ** 2 * (np.diag(covariance) + learned.noise))
        truth = table.scores[np.isfinite(table.scores[:, at]), at]
        ratios.append(np.abs(truth - levels.centre.left_out[line] - spread * standard) / sd)
        drawn = draws(expected, covariance, np.full(end - begin, learned.noise))
        needed.append(mass_needed(shares_of(drawn), expected, int(truth.argmax())))
        scores, chosen = learned.cells.scores[begin:end], int(expected.argmax())
        costs.append(cost_of(drawn, chosen))
        lost.append(float(scores.max() - scores[chosen]))
    return ratios, needed, proved(costs, lost)
