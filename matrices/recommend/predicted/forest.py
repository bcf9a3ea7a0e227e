"""A forest of extremely randomised trees: a second opinion, which takes no feature's effect to be a line.

Geurts, Ernst & Wehenkel 2006 ("Extremely randomized trees"). It sees the features of pairs, and how sources stand on
other targets. Every tree is grown without some of the targets, so that those are foretold by trees that never saw them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from matrices.recommend.predicted.design import Design
from matrices.recommend.predicted.mixture import Cells, Indices
from matrices.recommend.predicted.standing import GROUPS, Standing
from matrices.scores import Floats

if TYPE_CHECKING:
    from sklearn.tree import ExtraTreeRegressor

Seen = NDArray[np.float32]
"""What trees see of pairs: rows of columns."""

_PARTS = 5
_TREES = 20
"""Trees grown without each part of the targets."""
_LEAF = 8
_COLUMNS = 0.5
"""Fewest scores in a leaf, and the share of the columns that are tried at each split."""
_DIGITS = 9


@dataclass(frozen=True, eq=False)
class Grove:
    """Trees grown without some targets, of which ``standing`` knows no score either."""

    standing: Standing
    trees: tuple[ExtraTreeRegressor, ...]

    def mean(self, seen: Seen) -> Floats:
        """What the trees expect [n] of columns [n, P]."""
        found: Floats = np.mean([tree.tree_.predict(seen)[:, 0] for tree in self.trees], axis=0)
        return found


@dataclass(frozen=True, eq=False)
class Nodes:
    """The nodes of all trees in one row, tree after tree, each tree's from ``begin`` [trees] on.

    A node expects a value [nodes]. ``cells`` are those of every node, node after node, each node's from ``first``
    [nodes + 1] on; leaves alone have any.
    """

    begin: Indices
    values: Floats
    cells: Indices
    first: Indices


@dataclass(frozen=True, eq=False)
class Forest:
    """What ``grow`` returns; ``left_out`` [N] foretell each target's cells from trees grown without them.

    ``importance`` is each column's share of the variance that splits explain (mean decrease in impurity).
    """

    design: Design
    groves: tuple[Grove, ...]
    nodes: Nodes
    left_out: Floats
    importance: Floats

    @property
    def groups(self) -> list[str]:
        """The group of every column."""
        return [*self.design.pairs.groups, *GROUPS]

    def mean(self, sources: Sequence[str], target: str) -> Floats:
        """Expected scores [len(sources)], centred as the cells are."""
        found: Floats = self.nodes.values[self._leaves(tuple(sources), target)].mean(axis=0)
        return found

    def parts(self, sources: Sequence[str], target: str, explained: Sequence[str], cells: Cells) -> Floats:
        """What every target's cells add [len(explained), T] to the scores expected of some of the ``sources``.

        A tree expects the mean of the cells in a leaf, so that the forest's mean is a sum over cells.
        """
        leaves = self._leaves(tuple(sources), target)[:, [list(sources).index(code) for code in explained]]
        begin = self.nodes.first[leaves].ravel()
        size = self.nodes.first[leaves + 1].ravel() - begin
        # The cells of one leaf after another's: each counted on from where its leaf's begin.
        cell = self.nodes.cells[np.arange(size.sum()) + np.repeat(begin - np.cumsum(size) + size, size)]
        of_target = np.repeat(np.arange(len(cells.spans)), [end - start for start, end in cells.spans])
        row = np.repeat(np.tile(np.arange(len(explained)), len(leaves)), size)
        added = np.bincount(
            row * len(cells.spans) + of_target[cell],
            cells.scores[cell] / np.repeat(size, size),
            len(explained) * len(cells.spans),
        )
        return added.reshape(len(explained), len(cells.spans)) / len(leaves)

    @cached_property
    def _leaves(self) -> Callable[[tuple[str, ...], str], Indices]:
        """The last leaves reached are kept, as what is said of a prediction needs them too."""
        return lru_cache(maxsize=4)(self._reached)

    def _reached(self, sources: tuple[str, ...], target: str) -> Indices:
        """The node of every tree where each source ends [trees, len(sources)]."""
        features = self.design.pair(sources, target)
        reached = []
        for grove in self.groves:
            standing = grove.standing.of(sources, [target])[:, 0]
            seen = np.concatenate([features, standing], axis=1).astype(np.float32)
            reached += [tree.tree_.apply(seen) for tree in grove.trees]
        return np.stack(reached) + self.nodes.begin[:, None]


def grow(design: Design, standard: Floats, cells: Cells, several: Indices) -> Forest:
    """A forest that explains ``cells``: those of the ``several`` columns of the ``standard`` scores [S, T]. Repeatable.

    Of a single target, nothing can be foretold from others: its cells are then left out at their mean.
    """
    from sklearn.ensemble import ExtraTreesRegressor  # takes a second to import, which not every command has to spare

    targets = [design.pairs.targets[at] for at in several]
    features = design.pair_columns[:, several]
    # In the order of the cells: target by target.
    columns, rows = np.nonzero(np.isfinite(standard[:, several]).T)
    parts = min(_PARTS, len(targets))
    left_out, importance, groves, held = np.zeros(len(cells.scores)), 0.0, [], []
    for part in range(parts):
        unseen = (np.arange(len(targets)) % parts == part) & (parts > 1)
        shown = standard.copy()
        shown[:, several[unseen]] = np.nan
        standing = Standing(design.sources, design.pairs.targets, shown)
        shown_to = np.concatenate([features, standing.of(design.sources, targets)], axis=-1)[rows, columns]
        seen = shown_to.astype(np.float32)
        inside = ~unseen[columns]
        forest = ExtraTreesRegressor(_TREES, min_samples_leaf=_LEAF, max_features=_COLUMNS, random_state=part)
        # Rounded: the unit of the scores moves their last digits, which would settle which of two equal splits is best.
        forest.fit(seen[inside], np.round(cells.scores[inside], _DIGITS))
        groves.append(Grove(standing, tuple(forest.estimators_)))
        held += [_held(tree, seen, np.flatnonzero(inside)) for tree in groves[-1].trees]
        left_out[~inside] = groves[-1].mean(seen[~inside]) if parts > 1 else 0.0
        importance = importance + forest.feature_importances_ / parts
    return Forest(design, tuple(groves), _nodes(held), left_out, np.asarray(importance))


def _held(tree: ExtraTreeRegressor, seen: Seen, inside: Indices) -> tuple[Floats, Indices, Indices]:
    """Of one tree: what its nodes expect, its cells in order of their leaves, and how many every node has."""
    leaves = tree.tree_.apply(seen[inside])
    counts = np.bincount(leaves, minlength=tree.tree_.node_count)
    return tree.tree_.value[:, 0, 0], inside[np.argsort(leaves, kind="stable")], counts


def _nodes(held: Sequence[tuple[Floats, Indices, Indices]]) -> Nodes:
    values, cells, counts = (np.concatenate(every) for every in zip(*held, strict=True))
    sizes = [len(one) for one, _, _ in held]
    return Nodes(np.cumsum([0, *sizes[:-1]]), values, cells, np.concatenate([[0], np.cumsum(counts)]))
