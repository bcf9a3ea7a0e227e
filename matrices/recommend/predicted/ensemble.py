"""The model of standardised scores: the plain mean of a linear model's and a forest's predictions.

The two err independently, and so their mean errs less than either ("ensemble"; Dietterich 2000). The mean has no
weights: a matrix has too few targets to tell by how much one of the two is better.

Notation: S sources, T targets, N measured cells, n sources asked about.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from matrices.arrays import Indices
from matrices.recommend.predicted.design_matrix import OWN, SOURCE, TOGETHER, Design
from matrices.recommend.predicted.forest import Forest, grow
from matrices.recommend.predicted.stacking import Cells, LeaveOneOut, Mixture, mix
from matrices.scores import Floats

_LEAST = 0.25
"""The least share of what is not predicted that is noise: the posterior's covariance explains at most 3/4."""


@dataclass(frozen=True, eq=False)
class Learned:
    """Both models, and the cells [N] they were learned from.

    ``left_out`` [N] predict each target's cells from the other targets' alone. ``noise`` is the variance of a score
    about what is expected of it, beyond the linear model's posterior covariance.
    """

    design: Design
    cells: Cells
    mixture: Mixture
    forest: Forest
    left_out: Floats
    noise: float

    def expected(self, asked: Sequence[str], target: str, against: Sequence[str]) -> tuple[Floats, Floats]:
        """Scores [n] of the sources ``asked`` less the mean of those of ``against``, and their covariance [n, n]."""
        rows = self.design.rows(asked, target) - self.design.rows(against, target).mean(axis=0)
        both = tuple(dict.fromkeys([*asked, *against]))
        grown = dict(zip(both, self.forest.mean(both, target).tolist(), strict=True))
        middle = np.mean([grown[code] for code in against])
        mean = (self.mixture.mean(rows) + [grown[code] for code in asked] - middle) / 2
        return mean, self.mixture.covariance(rows) + np.diag(self._unmeasured(asked, target))

    def parts(self, sources: Sequence[str], target: str, explained: Sequence[str]) -> Floats:
        """What every target's cells add [len(explained), T] to what is expected of the sources ``explained``.

        All is linear in the cells' scores. What they add to all the ``sources`` alike, and so sets none apart, is left
        out; of the forest that is next to nothing, as the scores of its cells are centred.
        """
        rows = self.design.rows(sources, target)
        rows = (rows - rows.mean(axis=0))[[list(sources).index(code) for code in explained]]
        parts = self.forest.parts(sources, target, explained, self.cells)
        for member, pulls in zip(self.mixture.members, self._pulls, strict=True):
            parts = parts + rows[:, member.uses] @ pulls
        return parts / 2

    @cached_property
    def moved(self) -> dict[str, float]:
        """The standard deviation of each group's contribution to the predictions of the cells, by group."""
        groups = np.array(self.design.groups, dtype=object)
        moved: dict[str, float] = {}
        for name in dict.fromkeys(groups):
            part = np.zeros(len(self.cells.scores))
            for member in self.mixture.members:
                inside = (groups == name)[member.uses]
                part += member.share * (self.cells.columns[:, member.uses[inside]] @ member.weights.mean[inside])
            moved[name] = float(part.std()) / 2
        # A forest has no parts to add up: a group has its share of what splits explain.
        spread = float(self.forest.left_out.std()) / 2
        for name, share in zip(self.forest.groups, self.forest.importance, strict=True):
            moved[name] = moved.get(name, 0.0) + spread * float(share)
        return moved

    @cached_property
    def _pulls(self) -> tuple[Floats, ...]:
        return self.mixture.pulls(self.cells)

    def _unmeasured(self, asked: Sequence[str], target: str) -> Floats:
        """Variance of the effects that a source outside the table has of its own [n]."""
        outside = np.array([code not in self.design.sources for code in asked])
        own = (self.design.own.of([target]) - self.design.own_centre)[0]
        variance = sum(
            member.share
            * (member.weights.variances.get(SOURCE, 0.0) + member.weights.variances.get(OWN, 0.0) * float(own @ own))
            for member in self.mixture.members
        )
        return np.where(outside, variance, 0.0)


def learn(design: Design, standard: Floats, stretched: Floats, several: Indices) -> tuple[Learned, LeaveOneOut]:
    """Learned from the ``several`` columns of scores [S, T] that have two or more, ``standard`` and ``stretched``.

    What both predict of targets left out is returned beside it.
    """
    cells = cells_of(design, stretched, several)
    groups = design.groups
    mixture, left_out = mix(cells, plain_groups(groups), groups)
    forest, as_new = grow(design, standard, cells, several)
    mean = (left_out.mean + _centred(forest.left_out, cells)) / 2
    explained = np.concatenate([np.diag(covariance) for covariance in left_out.covariances])
    error = float(((cells.scores - mean) ** 2).mean())
    noise = max(error - float(explained.mean()), _LEAST * error, 1e-4)
    others = (_sums(forest.left_out, cells) - forest.left_out) / (cells.size - 1)
    return Learned(design, cells, mixture, forest, mean, noise), LeaveOneOut(
        mean=mean,
        linear=left_out.linear,
        covariances=left_out.covariances,
        fitted=(left_out.fitted + mean) / 2,
        leverage=left_out.leverage / 2,
        of_sources=(left_out.of_sources + as_new - others) / 2,
        variance_of_sources=left_out.variance_of_sources,
    )


def plain_groups(groups: Sequence[str]) -> list[str | None]:
    """The group of every column of the plain linear model, None of those that it is without."""
    return [None if group == TOGETHER else group for group in groups]


def cells_of(design: Design, stretched: Floats, several: Indices) -> Cells:
    """The cells of the ``several`` columns of ``stretched`` scores [S, T], columns and scores less a target's mean."""
    rows, scores, spans, sources = [], [], [], []
    begin = 0
    for at in several:
        measured = np.flatnonzero(np.isfinite(stretched[:, at]))
        row = design.rows(design.sources, design.pairs.targets[at])[measured]
        score = stretched[measured, at]
        rows.append(row - row.mean(axis=0))
        scores.append(score - score.mean())
        sources.append(measured)
        spans.append((begin, begin + len(measured)))
        begin += len(measured)
    return Cells(np.concatenate(rows), np.concatenate(scores), tuple(spans), np.concatenate(sources))


def _centred(values: Floats, cells: Cells) -> Floats:
    """``values`` [N] less each target's mean."""
    return values - _sums(values, cells) / cells.size


def _sums(values: Floats, cells: Cells) -> Floats:
    """The sum of the ``values`` [N] of each one's target [N]."""
    return np.concatenate([np.full(end - begin, values[begin:end].sum()) for begin, end in cells.spans])
