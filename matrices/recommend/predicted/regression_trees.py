"""Regression trees as plain arrays: what a forest has grown, kept and asked without the library that grew it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from matrices.arrays import Floats, Indices

if TYPE_CHECKING:
    from sklearn.tree import ExtraTreeRegressor

Seen = NDArray[np.float32]
"""What trees see of pairs: rows of columns."""

_LEAF = -1


@dataclass(frozen=True, eq=False)
class Trees:
    """The nodes of all trees in one row, tree after tree; every tree begins at its root.

    ``roots`` [trees] are where they begin. A node goes on to ``below`` where the column ``features`` names is at most
    its ``thresholds`` [nodes], else to ``above``; a leaf has the feature -1. ``cells`` are those that the trees were
    grown on, leaf after leaf, and ``sizes`` [nodes] how many each node has: leaves alone have any. ``scores`` [N] are
    those of all cells.
    """

    roots: Indices
    features: NDArray[np.int16]
    thresholds: NDArray[np.float32]
    below: NDArray[np.int32]
    above: NDArray[np.int32]
    cells: NDArray[np.int32]
    sizes: NDArray[np.int32]
    scores: Floats

    def leaves(self, trees: slice, seen: Seen) -> Indices:
        """The leaf of some trees that every row reaches [trees, rows]."""
        roots = self.roots[trees]
        return self._reached(roots, np.zeros(len(roots), np.int64), seen[None])

    def leaves_by_part(self, seen: NDArray[np.float32]) -> Indices:
        """The leaf of every tree that every row reaches [trees, rows].

        ``seen`` [parts, rows, columns] are what the first, the second ... equal part of the trees sees of the rows.
        """
        return self._reached(self.roots, np.repeat(np.arange(len(seen)), len(self.roots) // len(seen)), seen)

    def _reached(self, roots: Indices, parts: Indices, seen: NDArray[np.float32]) -> Indices:
        _, rows, columns = seen.shape
        node = np.repeat(roots, rows)
        # Where in ``seen``, flattened, the columns of each tree's each row begin.
        begin = ((parts[:, None] * rows + np.arange(rows)) * columns).ravel()
        flat = seen.ravel()
        going = np.arange(len(node))
        while len(going):
            at = node[going]
            features = self.features[at]
            inner = features != _LEAF
            going, at, features = going[inner], at[inner], features[inner]
            is_below = flat[begin[going] + features] <= self.thresholds[at]
            node[going] = np.where(is_below, self.below[at], self.above[at])
        return node.reshape(len(roots), rows)

    @cached_property
    def first(self) -> Indices:
        """Where the cells of every node begin [nodes], and where the last one's end."""
        return np.concatenate([[0], np.cumsum(self.sizes)])

    @cached_property
    def values(self) -> Floats:
        """What a leaf expects, the mean score of its cells [nodes]; 0 of other nodes."""
        begin = np.flatnonzero(self.sizes)
        values = np.zeros(len(self.sizes))
        values[begin] = np.add.reduceat(self.scores[self.cells], self.first[begin]) / self.sizes[begin]
        return values


def joined(grown: Sequence[tuple[ExtraTreeRegressor, Seen, Indices]], scores: Floats) -> Trees:
    """Trees as arrays, from each its regressor, what it saw, and which cells ``[N]`` of all that was."""
    roots = np.cumsum([0, *(tree.tree_.node_count for tree, _, _ in grown)])
    parts = [
        (*_split(tree, int(root)), *_held(tree, seen, inside))
        for (tree, seen, inside), root in zip(grown, roots[:-1], strict=True)
    ]
    features, thresholds, below, above, cells, sizes = (np.concatenate(every) for every in zip(*parts, strict=True))
    return Trees(roots[:-1], features, thresholds, below, above, cells, sizes, scores)


def _split(
    regressor: ExtraTreeRegressor, root: int
) -> tuple[NDArray[np.int16], NDArray[np.float32], NDArray[np.int32], NDArray[np.int32]]:
    tree = regressor.tree_
    inner = tree.children_left >= 0
    # A column is of 32 bits: it is at most the threshold where it is at most the next such number below.
    near = tree.threshold.astype(np.float32)
    thresholds = np.where(near > tree.threshold, np.nextafter(near, np.float32(-np.inf)), near)
    return (
        np.where(inner, tree.feature, _LEAF).astype(np.int16),
        np.where(inner, thresholds, np.float32(0)),
        np.where(inner, tree.children_left + root, 0).astype(np.int32),
        np.where(inner, tree.children_right + root, 0).astype(np.int32),
    )


def _held(regressor: ExtraTreeRegressor, seen: Seen, inside: Indices) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """The cells of one tree in order of their leaves, and how many every node has."""
    leaves = regressor.tree_.apply(seen)
    counts = np.bincount(leaves, minlength=regressor.tree_.node_count)
    return inside[np.argsort(leaves, kind="stable")].astype(np.int32), counts.astype(np.int32)
