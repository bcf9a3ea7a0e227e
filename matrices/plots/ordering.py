"""In which order the languages of a heat map stand."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, get_args

import numpy as np
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.spatial.distance import squareform

from matrices.arrays import Floats
from matrices.grid import Grid

Order = Literal["cluster", "family"]
ORDERS: tuple[Order, ...] = get_args(Order)


def ordered(grid: Grid, order: Order) -> Grid:
    """The grid with its languages by family, as they come, or with sources that act alike, and targets, side by side.

    ``cluster``: average linkage with optimal leaf order (Bar-Joseph et al. 2001), rows and columns apart. Two rows are
    as far apart as their root mean squared difference over the places both have; in-language cells, which stand out
    of every row, do not count.
    """
    if order == "family":
        return grid
    values = np.full((len(grid.sources), len(grid.targets)), np.nan)
    rows, columns = ({code: at for at, code in enumerate(codes)} for codes in (grid.sources, grid.targets))
    for (source, target), value in grid.values.items():
        if source != target:
            values[rows[source], columns[target]] = value
    return replace(
        grid,
        sources=tuple(grid.sources[at] for at in _leaves(values)),
        targets=tuple(grid.targets[at] for at in _leaves(values.T)),
    )


def _leaves(rows: Floats) -> list[int]:
    if len(rows) < 3:
        return list(range(len(rows)))
    clusters = linkage(squareform(_distances(rows), checks=False), method="average", optimal_ordering=True)
    return [int(at) for at in leaves_list(clusters)]


def _distances(rows: Floats) -> Floats:
    """Root mean squared differences [n, n]; of rows that share no place the largest there is."""
    known = np.isfinite(rows).astype(float)
    filled = np.nan_to_num(rows)
    shared = known @ known.T
    squares = filled**2 @ known.T
    total = np.maximum(squares + squares.T - 2 * filled @ filled.T, 0)
    found = np.sqrt(np.divide(total, shared, out=np.zeros_like(total), where=shared > 0))
    distances: Floats = np.where(shared > 0, found, found.max())
    np.fill_diagonal(distances, 0)
    return distances
