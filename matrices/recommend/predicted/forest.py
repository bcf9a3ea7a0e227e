"""A forest of extremely randomised trees: a second model, in which no feature's effect has to be linear.

Its columns are the features of pairs and the sources' average scores on other targets (``SourceAverages``). Every tree
is grown without some of the targets, and predicts those as new ones.

Notation: S sources, T targets, N measured cells.
Reference: Geurts, Ernst & Wehenkel 2006, "Extremely randomized trees".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from matrices.arrays import Bools, Indices
from matrices.likeness.similarity import kernel, similarities
from matrices.recommend.predicted.design_matrix import Design
from matrices.recommend.predicted.regression_trees import Trees, joined
from matrices.recommend.predicted.stacking import Cells
from matrices.scores import Floats

_PARTS = 5
_TREES = 20
"""Trees grown without each part of the targets."""
_LEAF = 8
_COLUMNS = 0.5
"""Fewest scores in a leaf, and the share of the columns that are tried at each split."""
GROUPS = ("source", "source on like targets", "source on like targets")
"""What the columns say: a source's mean over all other targets, over those of the family, over those of the genus."""
_PRIOR = 0.5
"""So many scores of 0, the average of a target's sources, are added to every mean: few scores make lucky means."""
_DIGITS = 9
"""Decimals kept when rounding, so that a model is the same whatever unit the scores are in."""


@dataclass(frozen=True, eq=False)
class Forest:
    """What ``grow`` returns; ``left_out`` [N] predict each target's cells from trees grown without them.

    ``averages`` are what the trees of each part know of sources, ``trees`` those of one part after another's.
    ``importance`` is each column's share of the variance that splits explain (mean decrease in impurity).
    """

    design: Design
    averages: tuple[SourceAverages, ...]
    trees: Trees
    left_out: Floats
    importance: Floats

    @property
    def groups(self) -> list[str]:
        """The group of every column."""
        return [*self.design.pairs.groups, *GROUPS]

    def mean(self, sources: Sequence[str], target: str) -> Floats:
        """Expected scores [len(sources)], centred as the cells are."""
        mean: Floats = self.trees.values[self._leaves(sources, target)].mean(axis=0)
        return mean

    def parts(self, sources: Sequence[str], target: str, explained: Sequence[str], cells: Cells) -> Floats:
        """What every target's cells add [len(explained), T] to the scores expected of some of the ``sources``.

        A tree expects the mean of the cells in a leaf, so that the forest's mean is a sum over cells.
        """
        leaves = self._leaves(sources, target)[:, [list(sources).index(code) for code in explained]]
        begin = self.trees.first[leaves].ravel()
        size = self.trees.first[leaves + 1].ravel() - begin
        # The cells of one leaf after another's: each counted on from where its leaf's begin.
        cell = self.trees.cells[np.arange(size.sum()) + np.repeat(begin - np.cumsum(size) + size, size)]
        of_target = np.repeat(np.arange(len(cells.spans)), [end - start for start, end in cells.spans])
        row = np.repeat(np.tile(np.arange(len(explained)), len(leaves)), size)
        added = np.bincount(
            row * len(cells.spans) + of_target[cell],
            cells.scores[cell] / np.repeat(size, size),
            len(explained) * len(cells.spans),
        )
        return added.reshape(len(explained), len(cells.spans)) / len(leaves)

    def _leaves(self, sources: Sequence[str], target: str) -> Indices:
        """The leaf of every tree where each source ends [trees, len(sources)]."""
        own = {code: at for at, code in enumerate(self.design.sources)}
        others = tuple(code for code in sources if code not in own)
        reached = self._kept(self.design.sources, target)
        if others:
            reached = np.concatenate([reached, self._kept(others, target)], axis=1)
            own |= {code: len(own) + at for at, code in enumerate(others)}
        return reached[:, [own[code] for code in sources]]

    @cached_property
    def _kept(self) -> Callable[[tuple[str, ...], str], Indices]:
        """The last leaves reached: what is said of a prediction needs them too, and so do further sources."""
        return lru_cache(maxsize=8)(self._reached)

    def _reached(self, sources: tuple[str, ...], target: str) -> Indices:
        features = self.design.pair(sources, target)
        averages = [average.of(sources, [target])[:, 0] for average in self.averages]
        seen = np.stack([np.concatenate([features, average], axis=1) for average in averages])
        return self.trees.leaves_by_part(seen.astype(np.float32))


def grow(design: Design, standard: Floats, cells: Cells, several: Indices) -> tuple[Forest, Floats]:
    """A forest that explains ``cells``: those of the ``several`` columns of the ``standard`` scores [S, T]. Repeatable.

    Returned with it: predictions of each cell [N] by trees that saw neither its target nor its source's other scores.
    A single target cannot be predicted from others: its cells are predicted at their mean.
    """
    from sklearn.ensemble import ExtraTreesRegressor  # takes a second to import, which not every command has to spare

    targets = [design.pairs.targets[at] for at in several]
    features = design.pair_columns[:, several]
    # In the order of the cells: target by target.
    columns, rows = np.nonzero(np.isfinite(standard[:, several]).T)
    left_out, as_new = np.zeros(len(cells.scores)), np.zeros(len(cells.scores))
    importance, grown, unseen = 0.0, [], []
    parts = list(_parts(design, standard, several))
    for part, (hidden, average) in enumerate(parts):
        shown_to = np.concatenate([features, average.of(design.sources, targets)], axis=-1)[rows, columns]
        seen = shown_to.astype(np.float32)
        inside = np.flatnonzero(~hidden[columns])
        forest = ExtraTreesRegressor(_TREES, min_samples_leaf=_LEAF, max_features=_COLUMNS, random_state=part)
        # Rounded: the unit of the scores moves their last digits, which would settle which of two equal splits is best.
        forest.fit(seen[inside], np.round(cells.scores[inside], _DIGITS))
        grown += [(tree, seen[inside], inside) for tree in forest.estimators_]
        outside = hidden[columns]
        strange = np.concatenate([features, average.as_new(targets)], axis=-1)[rows[outside], columns[outside]]
        unseen.append((outside, seen[outside], strange.astype(np.float32)))
        importance = importance + forest.feature_importances_ / len(parts)
    trees = joined(grown, cells.scores)
    for part, (outside, seen, strange) in enumerate(unseen):
        left_out[outside] = trees.values[trees.leaves(_of_part(part), seen)].mean(axis=0)
        as_new[outside] = trees.values[trees.leaves(_of_part(part), strange)].mean(axis=0)
    averages = tuple(average for _, average in parts)
    return Forest(design, averages, trees, left_out, np.asarray(importance)), as_new


def replanted(
    design: Design, standard: Floats, several: Indices, trees: Trees, left_out: Floats, importance: Floats
) -> Forest:
    """The forest that ``grow`` made of the same scores, from what it grew."""
    averages = tuple(average for _, average in _parts(design, standard, several))
    return Forest(design, averages, trees, left_out, importance)


def _parts(design: Design, standard: Floats, several: Indices) -> Iterator[tuple[Bools, SourceAverages]]:
    """Which of the ``several`` targets each part's trees are grown without, and what they then know of sources."""
    parts = min(_PARTS, len(several))
    for part in range(parts):
        hidden = (np.arange(len(several)) % parts == part) & (parts > 1)
        shown = standard.copy()
        shown[:, several[hidden]] = np.nan
        yield hidden, SourceAverages(design.sources, design.pairs.targets, shown)


def _of_part(part: int) -> slice:
    return slice(part * _TREES, (part + 1) * _TREES)


@dataclass(frozen=True, eq=False)
class SourceAverages:
    """Standard scores [S, T] of sources on targets, NaN where not measured, and what they say of other targets."""

    sources: tuple[str, ...]
    targets: tuple[str, ...]
    standard: Floats

    def of(self, sources: Sequence[str], targets: Sequence[str]) -> Floats:
        """Means [len(sources), len(targets), 3], in the order of ``GROUPS``; of every target, over the others only.

        A source that was not measured stands as the mean of those like it, weighed by ``kernel``.
        """
        means = self._means(targets)
        averages = means[[self._measured.get(code, 0) for code in sources]]
        if strangers := [at for at, code in enumerate(sources) if code not in self._measured]:
            like = kernel([sources[at] for at in strangers], self.sources) * self._known.any(axis=1)
            likely = like / np.maximum(like.sum(axis=1, keepdims=True), 1e-9)
            averages[strangers] = np.tensordot(likely, means, 1)
        return averages.round(_DIGITS)

    def as_new(self, targets: Sequence[str]) -> Floats:
        """As ``of`` for all the sources [S, len(targets), 3], each as if it had not been measured itself."""
        means = self._means(targets)
        like = kernel(self.sources, self.sources) * self._known.any(axis=1)
        np.fill_diagonal(like, 0)
        likely = like / np.maximum(like.sum(axis=1, keepdims=True), 1e-9)
        imputed: Floats = np.tensordot(likely, means, 1).round(_DIGITS)
        return imputed

    def _means(self, targets: Sequence[str]) -> Floats:
        weights = _weights(self.targets, tuple(targets))
        return np.stack([self._scores @ weight / (self._known @ weight + _PRIOR) for weight in weights], axis=-1)

    @cached_property
    def _known(self) -> Floats:
        """1 where a score is known, else 0: as numbers, which multiply faster than truth."""
        return np.isfinite(self.standard).astype(np.float64)

    @cached_property
    def _scores(self) -> Floats:
        return np.nan_to_num(self.standard)

    @cached_property
    def _measured(self) -> dict[str, int]:
        """The rows of the sources that have a score."""
        return {self.sources[row]: row for row in np.flatnonzero(self._known.any(axis=1)).tolist()}


@lru_cache(maxsize=64)
def _weights(targets: tuple[str, ...], asked: tuple[str, ...]) -> Floats:
    """What each target counts for in each mean for those asked for [3, T, len(asked)]."""
    like = similarities(targets, asked)
    other = np.array(targets, dtype=object)[:, None] != np.array(asked, dtype=object)
    return np.stack([other, other & (like["family"] == 1), other & (like["genus"] == 1)]).astype(np.float64)
