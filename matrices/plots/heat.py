"""Heat maps of matrices: sources down, targets across, by family or clustered."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import altair as alt
import numpy as np
import pandas as pd
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.spatial.distance import squareform

from matrices.arrays import Floats
from matrices.grid import Place, ScoreGrid, family
from matrices.plots.style import HARM, HELP, INK, MISSING, label, styled, text_width

_CLAMPED = 98
"""Percentile of the changes' sizes where colours end: one outlier would leave all others pale."""
_ROW_FONT = 10


def heat_map(
    grid: ScoreGrid, *, order: Order = "family", verdicts: Mapping[Place, str] | None = None
) -> alt.VConcatChart:
    """The grid as a chart: in per cent, in points where the values are changes from the baseline (diverging, about 0).

    Values are printed where they fit, places not measured are grey, in-language cells have a frame, and the baseline
    of every target stands below. ``verdicts`` of an interference matrix: places of which it says ``helps`` or
    ``harms`` have a triangle that points up or down; others have none. ``order`` as ``ordered`` says.
    """
    grid = ordered(grid, order)
    look = _Look.of(grid)
    marks = {place: verdict for place, verdict in (verdicts or {}).items() if verdict in _SHAPES}
    parts: list[Any] = [_matrix(grid, look, marks, with_families=order == "family")]
    # Of changes the baseline has no colour: without numbers it would say nothing.
    if grid.baseline and not (look.diverging and look.digits is None):
        parts.append(_baseline(grid, look))
    title = _title(grid, look, order, None if verdicts is None else len(marks))
    # Legends of the same chart stand below each other.
    chart: alt.VConcatChart = alt.vconcat(*parts, spacing=6, title=title).resolve_scale(
        color="independent" if look.diverging else "shared", shape="independent"
    )
    return styled(chart)


_SHAPES = {"helps": "triangle-up", "harms": "triangle-down"}


@dataclass(frozen=True, slots=True)
class _Look:
    """What depends on how large the matrix is, and on what it holds."""

    cell: int
    digits: int | None
    diverging: bool
    ends: tuple[float, float]
    """Where colours end; values beyond have the colour of the end."""

    @staticmethod
    def of(grid: ScoreGrid) -> _Look:
        wide = max(len(grid.sources), len(grid.targets))
        cell = 44 if wide <= 12 else 34 if wide <= 24 else 24 if wide <= 40 else 15
        digits = 1 if cell >= 34 else 0 if cell >= 24 else None
        diverging = grid.kind == "interference"
        shown = [100 * value for value in grid.values.values()] or [0.0]
        if diverging:
            most = max(1.0, float(np.percentile(np.abs(shown), _CLAMPED)))
            return _Look(cell, digits, True, (-most, most))
        shown += [100 * value for value in grid.baseline.values()]
        return _Look(cell, digits, False, (min(shown), max(*shown, min(shown) + 1.0)))

    @property
    def font(self) -> int:
        return 11 if self.cell >= 44 else 9

    def text(self, share: float, *, signed: bool) -> str:
        return "" if self.digits is None else f"{100 * share:{'+' if signed else ''}z.{self.digits}f}"

    def bright(self, share: float) -> bool:
        """Whether white text reads better than black on the colour of this value."""
        low, high = self.ends
        place = (100 * share - low) / (high - low)
        return abs(place - 0.5) > 0.36 if self.diverging else place < 0.6


def _matrix(grid: ScoreGrid, look: _Look, marks: Mapping[Place, str], *, with_families: bool) -> Any:
    rows = [
        {
            "source": source,
            "target": target,
            "value": 100 * value,
            "text": look.text(value, signed=look.diverging),
            "bright": look.bright(value),
            "in_language": source == target,
            "score": 100 * grid.scores[source, target],
            "verdict": marks.get((source, target), ""),
        }
        for (source, target), value in grid.values.items()
    ]
    names = ["source", "target", "value", "text", "bright", "in_language", "score", "verdict"]
    frame = pd.DataFrame(rows, columns=names)
    base = alt.Chart(frame).encode(x=_x(grid, look, axis=True), y=_y("source", grid.sources, "source"))
    change = alt.Tooltip("value", format="+.2f" if look.diverging else ".2f")
    told = ["source", "target", change, alt.Tooltip("score", format=".2f"), *(["verdict"] if marks else [])]
    squares = base.mark_rect(stroke="white", strokeWidth=0.5).encode(color=_colour(grid, look), tooltip=told)
    frames = base.transform_filter("datum.in_language").mark_rect(fill=None, stroke="#111", strokeWidth=1.5)
    layers = [
        squares,
        *(_families(grid) if with_families else []),
        frames,
        _numbers(base, look),
        *([_marks(base, look)] if marks else []),
    ]
    return alt.layer(*layers).properties(**_size(grid.targets, grid.sources, look), view=alt.ViewConfig(fill=MISSING))


def _marks(base: alt.Chart, look: _Look) -> Any:
    """A triangle in the upper right corner of a place, or in its middle where no number is."""
    offset = 0 if look.digits is None else look.cell / 2 - 6
    shape = alt.Shape(
        "verdict:N",
        scale=alt.Scale(domain=list(_SHAPES), range=list(_SHAPES.values())),
        legend=alt.Legend(title="beyond doubt", symbolFillColor=INK, symbolStrokeWidth=0, symbolSize=50),
    )
    colour = alt.condition("datum.bright", alt.value("white"), alt.value(INK))
    triangles = base.transform_filter("datum.verdict != ''").mark_point(
        filled=True, opacity=1, size=20 if look.digits is not None else 26, xOffset=offset, yOffset=-offset
    )
    return triangles.encode(shape=shape, color=colour)


def _baseline(grid: ScoreGrid, look: _Look) -> Any:
    rows = [
        {
            "source": "baseline",
            "target": target,
            "value": 100 * score,
            "text": look.text(score, signed=False),
            "bright": look.bright(score) and not look.diverging,
        }
        for target, score in grid.baseline.items()
    ]
    base = alt.Chart(pd.DataFrame(rows)).encode(x=_x(grid, look, axis=False), y=_y("source", ("baseline",), None))
    squares = base.mark_rect(stroke="white", strokeWidth=0.5)
    # A score has no colour on a scale of changes.
    squares = squares.encode(color=alt.value("#eee")) if look.diverging else squares.encode(color=_colour(grid, look))
    return alt.layer(squares, _numbers(base, look)).properties(**_size(grid.targets, ("baseline",), look))


def _numbers(base: alt.Chart, look: _Look) -> Any:
    colour = alt.condition("datum.bright", alt.value("white"), alt.value("black"))
    return base.mark_text(fontSize=look.font).encode(text="text:N", color=colour)


def _families(grid: ScoreGrid) -> list[Any]:
    """The name of each family left of its first language, and a line above it."""
    names = [family(code) for code in grid.sources]
    begins = [at for at, name in enumerate(names) if at == 0 or name != names[at - 1]]
    frame = pd.DataFrame(
        {"family": [names[at] for at in begins], "source": [grid.sources[at] for at in begins]}, dtype=str
    )
    margin = 16 + max(text_width(label(code), _ROW_FONT + 1) for code in grid.sources)
    texts = alt.Chart(frame).mark_text(align="right", fontSize=10, fontStyle="italic", color="#777")
    lines = alt.Chart(frame.iloc[1:]).mark_rule(color="#111", strokeWidth=0.8)
    top = _y("source", grid.sources, "source").bandPosition(0)
    return [
        texts.encode(text="family:N", x=alt.value(-margin), y=_y("source", grid.sources, "source")),
        lines.encode(y=top),
    ]


def _x(grid: ScoreGrid, look: _Look, *, axis: bool) -> alt.X:
    upright = look.cell < 34
    labels = alt.Axis(orient="top", labelAngle=-90 if upright else 0, title="target", labelOverlap=False)
    return alt.X(
        "target:N", sort=list(grid.targets), scale=alt.Scale(domain=list(grid.targets)), axis=labels if axis else None
    )


def _y(field: str, codes: Sequence[str], title: str | None) -> alt.Y:
    names = {code: label(code) for code in codes} if title else {code: code for code in codes}
    axis = alt.Axis(labelExpr=f"{json.dumps(names)}[datum.value]", title=None, labelOverlap=False, labelLimit=400)
    return alt.Y(f"{field}:N", sort=list(codes), scale=alt.Scale(domain=list(codes)), axis=axis)


def _colour(grid: ScoreGrid, look: _Look) -> alt.Color:
    scale = (
        alt.Scale(range=[HARM, "#f1a340", "#f7f7f7", "#6baed6", HELP], domain=_steps(look.ends), clamp=True)
        if look.diverging
        else alt.Scale(scheme="viridis", domain=list(look.ends))
    )
    title = f"change of {grid.metric}, points" if look.diverging else f"{grid.metric}, %"
    legend = alt.Legend(title=title, gradientLength=min(200, look.cell * max(3, len(grid.sources))), titleLimit=300)
    return alt.Color("value:Q", scale=scale, legend=legend)


def _steps(ends: tuple[float, float]) -> list[float]:
    return [float(value) for value in np.linspace(*ends, 5)]


def _size(targets: Sequence[str], sources: Sequence[str], look: _Look) -> dict[str, int]:
    return {"width": look.cell * len(targets), "height": look.cell * len(sources)}


def _title(grid: ScoreGrid, look: _Look, order: Order, marked: int | None) -> alt.TitleParams:
    what = "Change from the baseline" if grid.kind == "interference" else "Zero-shot transfer"
    fewest, most = grid.items
    items = f"{fewest}" if fewest == most else f"{fewest}-{most}"
    seeds = f"mean of {grid.seeds} seeds" if grid.seeds > 1 else "one seed"
    measured = f"{seeds}, {items} items a target" if most else seeds
    how = ", ".join(dict.fromkeys([grid.composition, grid.selection]))
    arranged = {"cluster": "languages alike stand side by side", "family": "by family"}[order]
    return alt.TitleParams(
        f"{what}: {grid.task}",
        subtitle=[
            f"encoder {grid.encoder[:40]}, {how}; {measured}",
            "; ".join([f"rows: source, columns: target, {arranged}", *_legend(grid, look, marked)]),
        ],
    )


def _legend(grid: ScoreGrid, look: _Look, marked: int | None) -> Iterator[str]:
    if any(source == target for source, target in grid.values):
        yield "framed: in-language"
    if len(grid.values) < len(grid.sources) * len(grid.targets):
        yield "grey: not measured"
    if look.diverging and any(100 * abs(value) > look.ends[1] for value in grid.values.values()):
        yield f"colours end at {look.ends[1]:.1f} points"
    if marked == 0:
        yield "no change is beyond doubt"


Order = Literal["cluster", "family"]
ORDERS: tuple[Order, ...] = get_args(Order)


def ordered(grid: ScoreGrid, order: Order) -> ScoreGrid:
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
