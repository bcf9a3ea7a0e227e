"""What to measure next: the cells whose scores are expected to improve the choice of a source most."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from matrices.likeness.similarity import kernel
from matrices.recommend.outlook import NothingToPredictError
from matrices.recommend.predicted.model import Predicted, fit
from matrices.scores import Floats, ScoreTable

Cell = tuple[str, str]
"""Source and target."""


def next_cells(table: ScoreTable, budget: int) -> list[Cell]:
    """Up to ``budget`` cells of ``table`` that have no score, the most useful first; no language on itself. Repeatable.

    A cell is worth what knowing its score is expected to add to the score of the source chosen for its target, as a
    share of that ("knowledge gradient", Frazier et al. 2008, of scores taken one at a time). What it tells of other
    cells is not counted: measure a part of a budget, then ask again. While no target has two scores, there is nothing
    to expect: targets are then taken in turn, each with the sources most like it.
    """
    open_cells = ~np.isfinite(table.scores)
    open_cells &= np.array(table.sources, dtype=object)[:, None] != np.array(table.targets, dtype=object)
    try:
        worth = _worth(table)
    except NothingToPredictError:
        worth = kernel(table.sources, table.targets)
    return _taken(table, np.where(open_cells, worth, -np.inf), budget)


def _worth(table: ScoreTable) -> Floats:
    model = fit(table)
    worth = np.full(table.scores.shape, -np.inf)
    for column, target in enumerate(table.targets):
        found = model.predict(target)
        rows = [table.sources.index(source) for source in found.sources]
        worth[rows, column] = gain(found)
    return worth


def gain(found: Predicted) -> Floats:
    """What knowing each score [n] is expected to add to the score of the best choice, as a share of that.

    Of a normal score with mean m and deviation s against the best other mean b: ``E[max(x, b)] - max(m, b)``.
    """
    if len(found.mean) < 2:
        return np.zeros(len(found.mean))
    best, second = np.sort(found.mean)[::-1][:2]
    other = np.where(found.mean == best, second, best)
    spread = np.where(found.measured, 0.0, found.own_sd)
    behind = -np.abs(found.mean - other)
    ratio = np.divide(behind, spread, out=np.full(len(spread), -np.inf), where=spread > 0)
    density = np.exp(-0.5 * ratio**2) / np.sqrt(2 * np.pi)
    value: Floats = np.where(spread > 0, spread * density + np.where(spread > 0, behind, 0.0) * ndtr(ratio), 0.0)
    return value / max(abs(float(best)), 1e-12)


def _taken(table: ScoreTable, worth: Floats, budget: int) -> list[Cell]:
    """Cells in order of worth, a target's second counting half of its worth, its third a third, and so on."""
    order = np.argsort(-worth, axis=0, kind="stable")
    place = np.empty_like(order)
    np.put_along_axis(place, order, np.arange(len(worth))[:, None], axis=0)
    shared = np.where(np.isfinite(worth), np.maximum(worth, 0) / (1 + place), -np.inf)
    # Where nothing is worth anything any more, targets with the fewest cells asked for come first.
    ranked = np.lexsort((np.arange(worth.size), place.ravel(), -shared.ravel()))
    rows, columns = np.unravel_index(ranked[:budget], worth.shape)
    cells = zip(rows.tolist(), columns.tolist(), strict=True)
    return [(table.sources[row], table.targets[column]) for row, column in cells if np.isfinite(worth[row, column])]
