"""The columns of the linear model: what is known of a pair, of its source, of its target, and of the two together.

Notation: S sources, T targets, P columns, W random frequencies. Reference: Rahimi & Recht 2007, "Random features for
large-scale kernel machines".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from matrices.likeness.similarity import Space, space
from matrices.recommend.predicted.pair_features import Pairs, pairs
from matrices.scores import Floats, ScoreTable

SOURCE = "source"
"""The group of each source's own effect: how well it transfers on average, whatever is known of it."""
OWN, TOGETHER = "source on like targets", "features together"

_SOURCE_RANK, _TARGET_RANK = 12, 8
_OWN_COLUMNS, _OWN_RANK = 200, 6
"""Sources respond to targets each in a way of its own, in as many dimensions as keep that to so many columns."""
_WAVES = 40
_BINS = 8


@dataclass(frozen=True, eq=False)
class Design:
    """How any pair of languages becomes a row of P columns, each in one of ``groups``."""

    sources: tuple[str, ...]
    pairs: Pairs
    of_sources: Space
    of_targets: Space
    own: Space
    centre: Floats
    own_centre: Floats
    pair_columns: Floats
    """[S, T, P pairs] of the table's own pairs, worked out once."""
    waves: Floats
    """[P pairs, W] frequencies of the smooth functions of all pair features together."""

    @property
    def groups(self) -> list[str]:
        """The group of every column, in order."""
        k, m, own = (axes.places.shape[1] for axes in (self.of_sources, self.of_targets, self.own))
        waves = 2 * self.waves.shape[1]
        sizes = {
            SOURCE: len(self.sources),
            "like sources": k,
            "like sources on like targets": k * m,
            OWN: len(self.sources) * own,
            TOGETHER: waves,
        }
        return [*self.pairs.groups, *(name for name, size in sizes.items() for _ in range(size))]

    def pair(self, sources: Sequence[str], target: str) -> Floats:
        """The columns [len(sources), P pairs] that say how alike the two are, and what is stated of them."""
        if tuple(sources) == self.sources and target in self.pairs.targets:
            return self.pair_columns[:, self.pairs.targets.index(target)]
        return self.rows(sources, target)[:, : self.pair_columns.shape[-1]]

    def rows(self, sources: Sequence[str], target: str) -> Floats:
        """Rows [len(sources), P]; neither sources nor target need be of the table. Not to be written to."""
        return self._kept(tuple(sources), target)

    @cached_property
    def _kept(self) -> Callable[[tuple[str, ...], str], Floats]:
        """The last rows, as a prediction and what is said of it are made of the same."""
        return lru_cache(maxsize=4)(self._made)

    def _made(self, sources: Sequence[str], target: str) -> Floats:
        own_pairs = tuple(sources) == self.sources and target in self.pairs.targets
        pair = self.pair(sources, target) if own_pairs else self.pairs.of(sources, target)
        like_sources = self.of_sources.of(sources)
        like_targets = (self.of_targets.of([target]) - self.centre)[0]
        own = (self.own.of([target]) - self.own_centre)[0]
        place = {code: at for at, code in enumerate(self.sources)}
        of_source = np.zeros((len(sources), len(self.sources)))
        for row, code in enumerate(sources):
            if code in place:
                of_source[row, place[code]] = 1
        angles = pair @ self.waves
        parts = [
            pair,
            of_source,
            like_sources,
            (like_sources[:, :, None] * like_targets).reshape(len(sources), -1),
            (of_source[:, :, None] * own).reshape(len(sources), -1),
            np.cos(angles) / np.sqrt(max(angles.shape[1], 1)),
            np.sin(angles) / np.sqrt(max(angles.shape[1], 1)),
        ]
        return np.concatenate(parts, axis=1)


def design(table: ScoreTable, standard: Floats) -> Design:
    """The design for a table, its features weighed by how they go with the ``standard`` scores [S, T]."""
    pair_features = pairs(table)
    columns = np.stack([pair_features.of(pair_features.sources, target) for target in pair_features.targets], axis=1)
    own_rank = int(np.clip(_OWN_COLUMNS // max(len(table.sources), 1), 1, _OWN_RANK))
    of_targets = space(table.targets, max(_TARGET_RANK, _OWN_RANK))
    narrow, own = (_first(of_targets, rank) for rank in (_TARGET_RANK, own_rank))
    return Design(
        sources=table.sources,
        pairs=pair_features,
        of_sources=space(table.sources, _SOURCE_RANK),
        of_targets=narrow,
        own=own,
        centre=narrow.places.mean(axis=0),
        own_centre=own.places.mean(axis=0),
        pair_columns=columns,
        waves=_waves(columns, standard),
    )


def _first(axes: Space, rank: int) -> Space:
    return Space(axes.codes, axes.places[:, :rank], axes.lift[:, :rank])


def _waves(columns: Floats, standard: Floats) -> Floats:
    """Frequencies of random Fourier features (Rahimi & Recht 2007) of a Gaussian kernel of all pair features.

    A feature counts for as much as it explains by itself: the root of the share of variance between its bins, less what
    chance would explain. The draw has a fixed seed, so that equal tables have equal features.
    """
    measured = np.isfinite(standard)
    scores = standard[measured]
    relevance = np.array([_explained(columns[measured][:, at], scores) for at in range(columns.shape[2])])
    length = np.sqrt(relevance.sum())
    weights = np.sqrt(relevance) / length if length > 0 else relevance
    waves: Floats = np.random.default_rng(0).normal(size=(columns.shape[2], _WAVES)) * weights[:, None]
    return waves


def _explained(column: Floats, scores: Floats) -> float:
    edges = np.unique(np.quantile(column, np.linspace(0, 1, _BINS + 1)[1:-1]))
    place = np.searchsorted(edges, column)
    count = np.bincount(place, minlength=_BINS)
    mean = np.bincount(place, weights=scores, minlength=_BINS) / np.maximum(count, 1)
    total = float(((scores - scores.mean()) ** 2).sum())
    between = float((count * (mean - scores.mean()) ** 2).sum())
    return max(between / total - (_BINS - 1) / len(scores), 0.0) if total > 0 else 0.0
