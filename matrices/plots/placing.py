"""Where the labels of a scatter stand: off each other and off the points, as far as there is room."""

from __future__ import annotations

import numpy as np

from matrices.arrays import Floats

_RADII = (7.0, 16.0, 28.0, 42.0)
"""How far a label may stand from its point, in pixels: the nearest place that is free is taken."""
_DIRECTIONS = [(0.7, -0.7), (-0.7, -0.7), (0.7, 0.7), (-0.7, 0.7), (1, 0), (-1, 0), (0, -1), (0, 1)]
"""Slanting ones first: to the sides, and above and below, are the bars of intervals."""
_SWEEPS = 4
_OF_POINT, _OF_DISTANCE, _OUTSIDE = 30.0, 0.5, 1e4
"""What covering a point, a pixel of distance and a pixel beyond the edge cost, in square pixels of label covered."""


def place_labels(points: Floats, sizes: Floats, room: tuple[float, float]) -> Floats:
    """The centre of each label [n, 2] in pixels, of ``points`` [n, 2] and the labels' ``sizes`` [n, 2] (width, height).

    Every label takes the cheapest of 32 places around its point, one after the other, the most crowded first, until
    none would move: a local optimum, the same for the same points. ``room`` is the width and height to stay within.
    """
    if not len(points):
        return points
    places = _candidates(points, sizes)
    fixed = _fixed_costs(places, points, sizes, np.array(room))
    distances = np.linalg.norm(points[:, None] - points[None], axis=2)
    crowded = np.argsort(-(distances < 4 * _RADII[-1]).sum(axis=1), kind="stable")
    chosen = fixed.argmin(axis=1)
    for _ in range(_SWEEPS):
        before = chosen.copy()
        for label in crowded:
            others = np.arange(len(points)) != label
            rest = places[np.arange(len(points)), chosen][others]
            reach = (sizes[others] + sizes[label]) / 2
            covered = np.prod(np.clip(reach - np.abs(places[label][:, None] - rest), 0, None), axis=2).sum(axis=1)
            chosen[label] = (fixed[label] + covered).argmin()
        if (chosen == before).all():
            break
    standing: Floats = places[np.arange(len(points)), chosen]
    return standing


def _candidates(points: Floats, sizes: Floats) -> Floats:
    """Centres of the places a label may take [n, places, 2], the nearest first."""
    directions = np.array([[radius, x, y] for radius in _RADII for x, y in _DIRECTIONS])
    steps = directions[:, :1] * directions[:, 1:]
    # A label to the side of its point ends there; one above or below is centred on it.
    away = np.sign(np.round(directions[:, 1:]))
    found: Floats = points[:, None] + steps[None] + away[None] * sizes[:, None] / 2
    return found


def _fixed_costs(places: Floats, points: Floats, sizes: Floats, room: Floats) -> Floats:
    """What a place costs whatever the other labels do [n, places]."""
    half = sizes[:, None] / 2
    over = np.clip(half - places, 0, None) + np.clip(places + half - room, 0, None)
    covers = (np.abs(places[:, :, None] - points) < half[:, :, None] + 2).all(axis=3).sum(axis=2)
    distance = np.repeat(_RADII, len(_DIRECTIONS))
    costs: Floats = _OUTSIDE * over.sum(axis=2) + _OF_POINT * covers + _OF_DISTANCE * distance
    return costs
