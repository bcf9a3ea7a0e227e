"""Donors and recipients: every language by how much it gives to others and takes from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import altair as alt
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from matrices.arrays import Floats
from matrices.languages import name_of
from matrices.measures.donors import TYPES
from matrices.plots.style import HARM, HELP, INK, styled, text_width

_FONT = 11
_NAMED = 24
"""Up to so many languages stand with their names, more with their codes alone."""
_FAR = 12.0
"""Pixels from which a label is tied to its point by a line."""
_COLOURS = {(True, True): HELP, (True, False): "#6a51a3", (False, True): "#238b45", (False, False): HARM}
_NUMBERS = ("donor", "donor_low", "donor_high", "recipient", "recipient_low", "recipient_high")
_RADII = (7.0, 16.0, 28.0, 42.0)
"""How far a label may stand from its point, in pixels: the nearest place that is free is taken."""
_DIRECTIONS = [(0.7, -0.7), (-0.7, -0.7), (0.7, 0.7), (-0.7, 0.7), (1, 0), (-1, 0), (0, -1), (0, 1)]
"""Slanting ones first: to the sides, and above and below, are the bars of intervals."""
_SWEEPS = 4
_OF_POINT, _OF_DISTANCE, _OUTSIDE = 30.0, 0.5, 1e4
"""What covering a point, a pixel of distance and a pixel beyond the edge cost, in square pixels of label covered."""


class NothingToPlaceError(LookupError):
    """No language that was measured both as a source and as a target."""


def donor_map(table: pa.Table) -> alt.LayerChart:
    """Donor score across, recipient score up, of the measure ``donors``; its quadrants named, 95% intervals as bars.

    Languages of one role alone have no place in it, and are counted. Raises ``NothingToPlaceError``.
    """
    both = table.filter(pc.and_(pc.is_valid(table["donor"]), pc.is_valid(table["recipient"])))
    if not both.num_rows:
        raise NothingToPlaceError("no language was measured both as a source and as a target, so none has both scores")
    frame = both.select(["language", *_NUMBERS, "type"]).to_pandas()
    frame["name"] = [name_of(code) for code in frame["language"]]
    plane = _Plane.around(frame)
    dot = 46 if len(frame) <= _NAMED else 26
    kinds = alt.Scale(domain=list(TYPES.values()), range=[_COLOURS[signs] for signs in TYPES])
    points = alt.Chart(frame).encode(color=alt.Color("type:N", legend=None, scale=kinds))
    bars = points.mark_rule(strokeWidth=1, opacity=0.35)
    x, y = plane.x("donor"), plane.y("recipient")
    told = ["name", "language", *(alt.Tooltip(name, format="+.3f") for name in _NUMBERS), "type"]
    chart = alt.layer(
        *_quadrants(plane),
        *_zeros(plane),
        bars.encode(x=plane.x("donor_low"), x2="donor_high", y=y),
        bars.encode(y=plane.y("recipient_low"), y2="recipient_high", x=x),
        points.mark_circle(size=dot, opacity=1).encode(x=x, y=y, tooltip=told),
        *_labels(frame, plane),
        width=plane.size[0],
        height=plane.size[1],
        title=_title(table, frame),
    )
    return styled(cast(alt.LayerChart, chart))


@dataclass(frozen=True, slots=True)
class _Plane:
    """What part of the plane is drawn, the lower and the upper end of both axes in scores, and its size in pixels."""

    low: Floats
    high: Floats
    size: tuple[int, int]

    @staticmethod
    def around(frame: pd.DataFrame) -> _Plane:
        """All points and their bars, with a margin; and 0 too, unless it is so far that points would crowd."""
        ends = frame[list(_NUMBERS)].to_numpy(np.float64).reshape(len(frame), 2, 3)
        low, high = np.nanmin(ends, axis=(0, 2)), np.nanmax(ends, axis=(0, 2))
        size = np.maximum(high - low, 1e-3)
        low = np.where((low > 0) & (low < size / 3), 0, low)
        high = np.where((high < 0) & (-high < size / 3), 0, high)
        margin = 0.08 * np.maximum(high - low, size)
        return _Plane(low - margin, high + margin, (640, 520) if len(frame) <= _NAMED else (900, 740))

    def x(self, field: str) -> alt.X:
        # Layers that share an axis must agree on its title, or it has all of theirs.
        return alt.X(f"{field}:Q", scale=self._scale(0), title="donor score: what others gain (+) or lose (−) by it")

    def y(self, field: str) -> alt.Y:
        title = "recipient score: what it gains (+) or loses (−) by others"
        return alt.Y(f"{field}:Q", scale=self._scale(1), title=title)

    def _scale(self, axis: int) -> alt.Scale:
        return alt.Scale(domain=[float(self.low[axis]), float(self.high[axis])], nice=False, zero=False)

    def has(self, gives: bool, takes: bool) -> bool:
        """Whether a quadrant is in the picture."""
        return bool(
            (self.high[0] > 0 if gives else self.low[0] < 0) and (self.high[1] > 0 if takes else self.low[1] < 0)
        )

    def pixels(self, scores: Floats) -> Floats:
        """Places in the picture [n, 2], the origin above on the left, of scores [n, 2]."""
        shares = (scores - self.low) / (self.high - self.low)
        return np.column_stack([shares[:, 0], 1 - shares[:, 1]]) * self.size

    def scores(self, pixels: Floats) -> Floats:
        """The inverse of ``pixels``."""
        shares = pixels / self.size
        return self.low + np.column_stack([shares[:, 0], 1 - shares[:, 1]]) * (self.high - self.low)


def _zeros(plane: _Plane) -> list[Any]:
    """Where nothing is given, and where nothing is taken."""
    zero = alt.Chart(pd.DataFrame({"zero": [0.0]})).mark_rule(color="#999", strokeDash=[4, 3])
    lines = zero.encode(x=plane.x("zero")), zero.encode(y=plane.y("zero"))
    return [line for at, line in enumerate(lines) if plane.low[at] < 0 < plane.high[at]]


def _quadrants(plane: _Plane) -> list[Any]:
    """The name of every quadrant that is in the picture, in its outer corner."""
    corners = []
    for (gives, takes), name in TYPES.items():
        if plane.has(gives, takes):
            text = alt.Chart(pd.DataFrame({"name": [name]})).mark_text(
                align="right" if gives else "left",
                baseline="top" if takes else "bottom",
                fontSize=13,
                fontStyle="italic",
                color="#888",
            )
            x, y = plane.size[0] - 6 if gives else 6, 6 if takes else plane.size[1] - 6
            corners.append(text.encode(text="name:N", x=alt.value(x), y=alt.value(y)))
    return corners


def _labels(frame: pd.DataFrame, plane: _Plane) -> list[Any]:
    """The languages, and thin lines to those that had to stand away from their points."""
    texts = list(frame["name"] if len(frame) <= _NAMED else frame["language"])
    points = plane.pixels(frame[["donor", "recipient"]].to_numpy(np.float64))
    sizes = np.array([(text_width(text, _FONT) + 2, _FONT + 2) for text in texts])
    centres = place_labels(points, sizes, plane.size)
    nearest = np.clip(points, centres - sizes / 2, centres + sizes / 2)
    far = np.linalg.norm(nearest - points, axis=1) > _FAR
    ends = np.hstack([plane.scores(points), plane.scores(nearest)])[far]
    lines = pd.DataFrame(ends, columns=["x", "y", "x2", "y2"])
    labels = pd.DataFrame(plane.scores(centres), columns=["x", "y"]).assign(text=texts)
    x, y = plane.x("x"), plane.y("y")
    return [
        alt.Chart(lines).mark_rule(color="#aaa", strokeWidth=0.7).encode(x=x, y=y, x2="x2", y2="y2"),
        alt.Chart(labels).mark_text(fontSize=_FONT, color=INK).encode(x=x, y=y, text="text:N"),
    ]


def _title(table: pa.Table, drawn: pd.DataFrame) -> alt.TitleParams:
    about = {name.decode(): value.decode() for name, value in table.schema.metadata.items()}
    how = ", ".join(dict.fromkeys([about["composition"], about["selection"]]))
    known = drawn["donor_low"].notna().any()
    bars = "bars: 95% intervals" if known else "no intervals: outcomes of items were not kept"
    apart = table.num_rows - len(drawn)
    left_out = f"; {apart} of one role alone not shown" if apart else ""
    return alt.TitleParams(
        f"Donors and recipients: {about['task']}",
        subtitle=[f"encoder {about['encoder'][:40]}, {how}", f"{len(drawn)} languages{left_out}; {bars}"],
    )


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
