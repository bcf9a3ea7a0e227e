"""Predictions of scores that nobody measured, from those that were: for any source and target, with how sure they are.

A target's scores, standardised, are a linear function of what is known of a pair, its source and its target, with
weights grouped and sized by marginal likelihood (``evidence``), of two models mixed (``mixture``): a Gaussian process
with a product kernel over sources and targets, in a form whose cost grows with the number of cells, not its cube.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matrices.recommend.outlook import CONFIDENCE, NothingToPredictError
from matrices.recommend.predicted.calibration import best_shares, mass, mass_needed, shortlist, width
from matrices.recommend.predicted.columns import Columns, Stretch, columns, stretch
from matrices.recommend.predicted.design import OWN, SOURCE, TOGETHER, Design, design
from matrices.recommend.predicted.level import Level, described, level
from matrices.recommend.predicted.mixture import Cells, Indices, Mixture, mix
from matrices.scores import Floats, ScoreTable

_NORMAL = 1.6449
"""Of a normal distribution, 90% is within so many standard deviations."""


@dataclass(frozen=True, eq=False)
class Predicted:
    """Scores of n sources on one target, in the unit of the table; a measured score stands as measured.

    ``mean`` and ``sd`` [n]; ``own_sd`` [n] leaves out what is uncertain of all of them alike, and so of no choice;
    ``intervals`` [n, 2] of 90%; ``measured`` [n]; ``best`` [n] is the probability that the source scores highest of
    these; ``shortlist`` holds the one that does with 90% confidence, most probable first.
    """

    sources: tuple[str, ...]
    mean: Floats
    sd: Floats
    own_sd: Floats
    intervals: Floats
    measured: NDArray[np.bool_]
    best: Floats
    shortlist: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Model:
    """What ``fit`` learned of a table. ``table`` is without any language's score on itself."""

    table: ScoreTable
    columns: Columns
    stretch: Stretch
    design: Design
    cells: Cells
    mixture: Mixture
    level: Level
    new_target_width: float
    cell_width: float
    shortlist_mass: float

    def predict(self, target: str, sources: Sequence[str] | None = None) -> Predicted:
        """What to expect of ``sources`` on ``target``: of all the table's but the target itself, if none are named.

        None of them need be in the table.
        """
        asked = tuple(self.table.sources if sources is None else dict.fromkeys(sources))
        asked = tuple(code for code in asked if code != target)
        raw = self._scores(asked, target)
        stated, errors = self._stated(asked, target)
        known = np.isfinite(stated)
        mean = np.where(known, stated, raw.mean)
        covariance = np.where(known[:, None] | known, 0.0, raw.covariance) + np.diag(np.where(known, errors**2, 0.0))
        noise = np.where(known, 0.0, raw.noise)
        own = np.diag(covariance) + noise
        sd = np.sqrt(own + np.where(known, 0.0, raw.shared))
        half = np.where(known, _NORMAL, raw.width) * sd
        shares = best_shares(mean, covariance, noise)
        return Predicted(
            sources=asked,
            mean=mean,
            sd=sd,
            own_sd=np.sqrt(own),
            intervals=np.stack([mean - half, mean + half], axis=-1),
            measured=known,
            best=shares,
            shortlist=tuple(asked[at] for at in shortlist(shares, mean, self.shortlist_mass)),
        )

    @property
    def measured_sources(self) -> tuple[str, ...]:
        """The sources that have a score on another language."""
        counts = np.isfinite(self.table.scores).sum(axis=1).tolist()
        return tuple(code for code, count in zip(self.table.sources, counts, strict=True) if count)

    @property
    def cell_targets(self) -> tuple[str, ...]:
        """The target of each of the cells' spans."""
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
        rows = self.design.rows(asked, target)
        at = self.table.targets.index(target) if target in self.table.targets else -1
        if at >= 0 and (known := np.isfinite(self.columns.standard[:, at])).any():
            measured = [code for code, there in zip(self.table.sources, known.tolist(), strict=True) if there]
            centred = rows - self.design.rows(measured, target).mean(axis=0)
            spread = float(self.columns.spreads[at])
            centre = float(self.columns.centres[at])
            middle = float(self.stretch.of(self.columns.standard[known, at]).mean())
            standard, slope = self.stretch.back(middle + self.mixture.mean(centred))
            shared = np.full(len(asked), spread**2 * self.mixture.noise / known.sum())
            wide = self.cell_width
        else:
            centred = rows - self._middle(target, asked, rows)
            known_of_it = described(self.design, target)
            centre, spread = self.level.centre.of(known_of_it), float(np.exp(self.level.log_spread.of(known_of_it)))
            standard, slope = self.stretch.back(self.mixture.mean(centred))
            shared = self.level.centre.variance + (spread * standard) ** 2 * self.level.log_spread.variance
            wide = self.new_target_width
        covariance = self.mixture.covariance(centred) + np.diag(self._unmeasured(asked, target))
        return Raw(
            mean=centre + spread * standard,
            covariance=spread**2 * slope[:, None] * covariance * slope,
            noise=(spread * slope) ** 2 * self.mixture.noise,
            shared=shared,
            width=wide,
        )

    def _middle(self, target: str, asked: Sequence[str], rows: Floats) -> Floats:
        """The mean row of the sources that were measured at all: what the centre of a target's scores stands for.

        ``rows`` are those of the sources ``asked``, which as a rule are the same.
        """
        names = tuple(code for code in self.measured_sources if code != target)
        middle: Floats = (rows if names == tuple(asked) else self.design.rows(names, target)).mean(axis=0)
        return middle

    def _unmeasured(self, asked: Sequence[str], target: str) -> Floats:
        """Variance of the effects that a source outside the table has of its own, standardised [n]."""
        outside = np.array([code not in self.table.sources for code in asked])
        own = (self.design.own.of([target]) - self.design.own_centre)[0]
        variance = sum(
            member.share
            * (member.weights.variances.get(SOURCE, 0.0) + member.weights.variances.get(OWN, 0.0) * float(own @ own))
            for member in self.mixture.members
        )
        return np.where(outside, variance, 0.0)

    def _stated(self, asked: Sequence[str], target: str) -> tuple[Floats, Floats]:
        """What was measured of the pairs, NaN where nothing was, and the standard errors, 0 where not known."""
        if target not in self.table.targets:
            return np.full(len(asked), np.nan), np.zeros(len(asked))
        column = self.table.targets.index(target)
        at = {code: row for row, code in enumerate(self.table.sources)}
        errors = np.zeros(self.table.scores.shape) if self.table.errors is None else self.table.errors
        pairs = [(self.table.scores[at[code], column], errors[at[code], column]) for code in asked if code in at]
        found = dict(zip([code for code in asked if code in at], pairs, strict=True))
        stated = np.array([found.get(code, (np.nan, 0.0)) for code in asked]).reshape(len(asked), 2)
        return stated[:, 0], np.nan_to_num(stated[:, 1])


@dataclass(frozen=True, eq=False)
class Raw:
    """Scores of n sources on a target in the unit of the table, before what was measured is put in place.

    ``shared`` [n] is variance that moves all of them together, and so tells none from another; ``width`` is the
    multiple of a standard deviation that holds 90%.
    """

    mean: Floats
    covariance: Floats
    noise: Floats
    shared: Floats
    width: float


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
    cells = _cells(made, stretched, several)
    groups = made.groups
    mixture = mix(cells, [None if group == TOGETHER else group for group in groups], groups)
    levels = level(made, scaled)
    ratios, needed = _left_out(table, scaled, scale, cells, mixture, levels, several)
    return Model(
        table=table,
        columns=scaled,
        stretch=scale,
        design=made,
        cells=cells,
        mixture=mixture,
        level=levels,
        new_target_width=width(ratios, CONFIDENCE),
        cell_width=_cell_width(cells, mixture),
        shortlist_mass=mass(needed, CONFIDENCE),
    )


def _cells(made: Design, stretched: Floats, several: Indices) -> Cells:
    rows, scores, spans = [], [], []
    begin = 0
    for at in several:
        known = np.flatnonzero(np.isfinite(stretched[:, at]))
        row = made.rows(made.sources, made.pairs.targets[at])[known]
        score = stretched[known, at]
        rows.append(row - row.mean(axis=0))
        scores.append(score - score.mean())
        spans.append((begin, begin + len(known)))
        begin += len(known)
    return Cells(np.concatenate(rows), np.concatenate(scores), tuple(spans))


def _left_out(
    table: ScoreTable, scaled: Columns, scale: Stretch, cells: Cells, mixture: Mixture, levels: Level, several: Indices
) -> tuple[list[Floats], list[float]]:
    """For every target foretold from the others: its errors over their standard deviations; and the probability that
    a shortlist would have needed to name its best source."""
    ratios, needed = [], []
    measured = np.flatnonzero(np.isfinite(scaled.centres))
    for at, (begin, end) in zip(several, cells.spans, strict=True):
        line = int(np.searchsorted(measured, at))
        spread = float(np.exp(levels.log_spread.left_out[line]))
        expected = mixture.left_out[begin:end]
        standard, slope = scale.back(expected)
        covariance = mixture.covariance_without(cells, begin, end)
        shared = levels.centre.variance + (spread * standard) ** 2 * levels.log_spread.variance
        sd = np.sqrt(shared + (spread * slope) ** 2 * (np.diag(covariance) + mixture.noise))
        truth = table.scores[np.isfinite(table.scores[:, at]), at]
        ratios.append(np.abs(truth - levels.centre.left_out[line] - spread * standard) / sd)
        shares = best_shares(expected, covariance, np.full(end - begin, mixture.noise))
        needed.append(mass_needed(shares, expected, int(truth.argmax())))
    return ratios, needed


def _cell_width(cells: Cells, mixture: Mixture) -> float:
    """As ``width``, for a cell of a target of which others were measured: every cell foretold from all others."""
    member = max(mixture.members, key=lambda one: one.share)
    used = cells.columns[:, member.uses]
    leverage = ((used @ member.weights.covariance) * used).sum(axis=1) / member.weights.noise
    size = np.concatenate([np.full(end - begin, 1 / (end - begin)) for begin, end in cells.spans])
    # The target's mean is one more number learned from its cells.
    kept = np.maximum(1 - leverage - size, 0.05)
    residual = np.abs(cells.scores - used @ member.weights.mean) / kept
    sd = np.sqrt(member.weights.noise / kept)
    ratios = residual / sd
    return width([ratios[begin:end] for begin, end in cells.spans], CONFIDENCE)
