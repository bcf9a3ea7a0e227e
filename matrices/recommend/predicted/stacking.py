"""A plain linear model and a richer one, which has a share in so far as it predicts targets it has not seen better.

Notation: N measured cells, T targets, P columns. References: Wolpert 1992, Breiman 1996 (stacking); James & Stein 1961,
in its positive part (how much of a share is kept).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from matrices.arrays import Indices
from matrices.recommend.predicted.bayesian_linear import Products, Weights, learn
from matrices.scores import Floats

_CHANCE = 2.0


@dataclass(frozen=True, eq=False)
class Cells:
    """Measured cells, target by target: centred ``columns`` [N, P] and ``scores`` [N].

    ``spans`` are where each target's cells begin and end; ``sources`` [N] the rows of their sources in the table.
    """

    columns: Floats
    scores: Floats
    spans: tuple[tuple[int, int], ...]
    sources: Indices

    @cached_property
    def size(self) -> Floats:
        """The number of cells of each cell's target [N]."""
        return np.concatenate([np.full(end - begin, float(end - begin)) for begin, end in self.spans])


@dataclass(frozen=True, eq=False)
class Member:
    """One model of the mixture: which columns it uses, their weights, and its share."""

    uses: Indices
    weights: Weights
    share: float


@dataclass(frozen=True, eq=False)
class LeaveOneOut:
    """Cells [N] predicted without themselves.

    ``mean`` and ``covariances`` (one matrix a target): every target's cells from the other targets' alone; ``linear``
    is what linear models alone say. ``of_sources`` and ``variance_of_sources``: every source's cells from the other
    sources' alone, less the mean of the target's other cells. ``fitted`` is what all cells say of each, and
    ``leverage`` how much of that is its own score.
    """

    mean: Floats
    linear: Floats
    covariances: tuple[Floats, ...]
    fitted: Floats
    leverage: Floats
    of_sources: Floats
    variance_of_sources: Floats


@dataclass(frozen=True, eq=False)
class Mixture:
    """The models that ``mix`` found to have a share."""

    members: tuple[Member, ...]

    @property
    def noise(self) -> float:
        """Variance of a score about the models, by their shares."""
        return sum(member.share * member.weights.noise for member in self.members)

    def mean(self, rows: Floats) -> Floats:
        """Expected scores [n] of rows [n, P]."""
        total: Floats = sum((m.share * (rows[:, m.uses] @ m.weights.mean) for m in self.members), np.zeros(len(rows)))
        return total

    def covariance(self, rows: Floats) -> Floats:
        """Posterior covariance [n, n] of the expected scores of rows [n, P]: the members' own, by their shares."""
        total = np.zeros((len(rows), len(rows)))
        for member in self.members:
            part = rows[:, member.uses]
            total += member.share * (part @ member.weights.covariance @ part.T)
        return total

    def pulls(self, cells: Cells) -> tuple[Floats, ...]:
        """What every target's cells add to the weights of each member [P, T], by the member's share.

        Posterior weights are linear in the scores: their sum over targets is the mean of the weights.
        """
        moments = np.stack(
            [cells.columns[begin:end].T @ cells.scores[begin:end] for begin, end in cells.spans], axis=-1
        )
        return tuple(
            member.share / member.weights.noise * (member.weights.covariance @ moments[member.uses])
            for member in self.members
        )


def mix(cells: Cells, plain: Sequence[str | None], rich: Sequence[str | None]) -> tuple[Mixture, LeaveOneOut]:
    """Fit a plain and a rich linear model, and the share of each in the mixture.

    ``plain`` and ``rich`` name the group of every column, None where the model leaves it out; variances of groups
    maximise the evidence. The rich model's share is as large as it predicts left-out targets better ("stacking",
    Wolpert 1992; Breiman 1996). Leaving out is exact, except that the groups' variances saw every target.
    """
    products = products_of(cells)
    members: list[tuple[Indices, Weights]] = []
    for grouping in (plain, rich):
        uses = np.flatnonzero([group is not None for group in grouping])
        members.append((uses, learn(products.only(uses), [group for group in grouping if group is not None])))
    without = [_left_out(cells, uses, weights) for uses, weights in members]
    share = _share(cells, *(member.mean for member in without))
    shares = np.array([1 - share, share])
    mixture = Mixture(
        members=tuple(
            Member(uses, weights, float(share))
            for (uses, weights), share in zip(members, shares, strict=True)
            if share > 0
        )
    )
    return mixture, LeaveOneOut(
        mean=(mean := shares @ np.stack([member.mean for member in without])),
        linear=mean,
        covariances=tuple(
            (1 - share) * of_plain + share * of_rich
            for of_plain, of_rich in zip(without[0].covariances, without[1].covariances, strict=True)
        ),
        fitted=shares @ np.stack([member.fitted for member in without]),
        leverage=shares @ np.stack([member.leverage for member in without]),
        of_sources=shares @ np.stack([member.of_sources for member in without]),
        variance_of_sources=shares @ np.stack([member.variance_of_sources for member in without]),
    )


def products_of(cells: Cells) -> Products:
    """The cross-products of all columns of the cells. Centring spent one degree of freedom a target."""
    count = len(cells.scores) - len(cells.spans)
    square = float(cells.scores @ cells.scores)
    return Products(cells.columns.T @ cells.columns, cells.columns.T @ cells.scores, square, count)


def _left_out(cells: Cells, uses: Indices, weights: Weights) -> LeaveOneOut:
    """From the posterior with all cells (block leave-one-out; exact, of the weights' prior as it is)."""
    columns = cells.columns[:, uses]
    fitted = columns @ weights.mean
    residual = cells.scores - fitted
    spread = columns @ weights.covariance
    mean, leverage, covariances = np.empty(len(residual)), np.empty(len(residual)), []
    for begin, end in cells.spans:
        inside = spread[begin:end] @ columns[begin:end].T
        identity_less_hat = np.eye(end - begin) - inside / weights.noise
        without = np.linalg.solve(identity_less_hat, np.column_stack([residual[begin:end], inside]))
        mean[begin:end] = cells.scores[begin:end] - without[:, 0]
        covariances.append(inside + inside @ without[:, 1:] / weights.noise)
        leverage[begin:end] = np.diag(inside) / weights.noise
    # A target's mean is one more number learned from its cells; without one of them it is that of the others.
    own = 1 - 1 / cells.size
    of_sources, variance = np.empty(len(residual)), np.empty(len(residual))
    for source in np.unique(cells.sources):
        at = np.flatnonzero(cells.sources == source)
        inside = spread[at] @ columns[at].T
        identity_less_hat = np.diag(own[at]) - inside / weights.noise
        without = np.linalg.solve(identity_less_hat, np.column_stack([residual[at], inside]))
        of_sources[at] = cells.scores[at] / own[at] - without[:, 0]
        variance[at] = np.diag(inside + inside @ without[:, 1:] / weights.noise) / own[at] ** 2
    return LeaveOneOut(mean, mean, tuple(covariances), fitted, leverage, of_sources, variance)


def _share(cells: Cells, plain: Floats, rich: Floats) -> float:
    """What the rich model earns beyond chance, given what both predict [N].

    Its share makes the squared error least, kept in the measure of the positive-part James-Stein estimate of its gain,
    with two standard errors over targets in place of one: of few targets, more weights seem better half the time.
    """
    size = np.concatenate([np.full(end - begin, 1 / (end - begin)) for begin, end in cells.spans])
    errors, change = cells.scores - plain, rich - plain
    share = float(np.clip((size * errors) @ change / max(float((size * change) @ change), 1e-12), 0, 1))
    gains = np.array(
        [(errors[at] ** 2 - (errors - share * change)[at] ** 2).mean() for at in (slice(*span) for span in cells.spans)]
    )
    chance = _CHANCE * gains.std(ddof=1) / np.sqrt(len(gains)) if len(gains) > 1 else np.inf
    return share * float(1 - (chance / gains.mean()) ** 2 if gains.mean() > chance else 0.0)
