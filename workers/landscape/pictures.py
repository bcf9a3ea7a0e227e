"""Pictures of a landscape: curves between solutions with their intervals, and surfaces around them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

import altair as alt
import pandas as pd

from matrices.languages import name_of
from matrices.plots import AS_DRAWN, Figure, save
from matrices.plots.style import HARM, HELP, INK, styled
from workers.estimates import Estimate
from workers.landscape.job import RANDOM
from workers.landscape.statistics import LandscapeSummary

_UNITS = {"error": "error", "loss": "loss (nats an answer)"}
_CONTROL = "#777"
_WIDE = 3
"""Panels in a row."""


def draw(summary: LandscapeSummary, folder: Path, figure: Figure = AS_DRAWN) -> list[Path]:
    """All pictures of a job: curves of error and of loss, and each surface."""
    ending = figure.format
    made = [
        save(curves(summary, measure), folder / f"{summary.method}-{measure}.{ending}", figure) for measure in _UNITS
    ]
    frame = summary.frame[summary.frame["point"] == "surface"]
    for (source, target, axis), part in frame.groupby(["source", "toward", "axis"], sort=False):
        name = f"{summary.method}-surface-{source}-{target}-{axis}.{ending}"
        loss = part[part["measure"] == "loss"]
        made.append(save(surface(loss, str(source), str(target), str(axis)), folder / name, figure))
    return made


def curves(summary: LandscapeSummary, measure: str) -> alt.VConcatChart:
    """A panel a pair: source and target along the line, and the target on the way to another run of the source alone.

    Bands are 95% intervals over seeds.
    """
    panels = [_panel(summary, measure, *pair, first=not at) for at, pair in enumerate(summary.pairs)]
    rows = [alt.hconcat(*panels[at : at + _WIDE]) for at in range(0, len(panels), _WIDE)]
    seeds = summary.curves["seed"].nunique()
    title = alt.TitleParams(
        f"From a model of the source alone (0) to one of both languages (1): {_UNITS[measure].partition(' ')[0]}",
        subtitle=[
            f"{summary.method}, {seeds} seeds; bands: 95% intervals over seeds"
            if seeds > 1
            else f"{summary.method}, one seed, so no intervals",
            "dashed: the target on the line to another run of the source alone, in another order",
        ],
    )
    return styled(alt.vconcat(*rows, title=title))


def _panel(summary: LandscapeSummary, measure: str, source: str, target: str, *, first: bool) -> alt.LayerChart:
    lines = summary.frame[(summary.frame["point"] == "line") & (summary.frame["measure"] == measure)]
    lines = lines[(lines["source"] == source) & lines["alpha"].notna()]
    named = {
        "source": lines[(lines["toward"] == target) & (lines["language"] == source)],
        "target": lines[(lines["toward"] == target) & (lines["language"] == target)],
        "target, control": lines[(lines["toward"] == source) & (lines["language"] == target)],
    }
    frame = pd.concat([_spread(part, name) for name, part in named.items()])
    scale = alt.Scale(domain=list(named), range=[HELP, HARM, _CONTROL])
    legend = alt.Legend(title=None, orient="top", symbolType="circle", symbolOpacity=1) if first else None
    base = alt.Chart(frame).encode(
        x=alt.X("alpha:Q", title="alpha"),
        color=alt.Color("of:N", scale=scale, legend=legend, sort=None),
    )
    y = alt.Y("mean:Q", title=_UNITS[measure], scale=alt.Scale(zero=False, nice=True))
    dashes = alt.StrokeDash("of:N", scale=alt.Scale(domain=list(named), range=[[1, 0], [1, 0], [5, 3]]), legend=None)
    ends = alt.Chart(pd.DataFrame({"alpha": [0.0, 1.0]})).mark_rule(color="#bbb", strokeWidth=1).encode(x="alpha:Q")
    layers = alt.layer(
        ends,
        base.mark_area(opacity=0.18).encode(y=alt.Y("low:Q", title=_UNITS[measure]), y2="high:Q"),
        base.mark_line(strokeWidth=2).encode(y=y, strokeDash=dashes),
        base.mark_circle(size=22, opacity=1).encode(y=y),
        width=210,
        height=170,
        title=alt.TitleParams(f"{name_of(source)} to {name_of(target)}", fontSize=12),
    )
    return cast(alt.LayerChart, layers)


def _spread(rows: pd.DataFrame, name: str) -> pd.DataFrame:
    """Mean and interval by alpha; an interval of nothing where there is one seed."""
    found = []
    for alpha, values in rows.groupby("alpha")["value"]:
        estimate = Estimate.of(list(values.dropna())) if values.notna().any() else None
        if estimate is not None:
            low = estimate.mean if estimate.low is None else estimate.low
            high = estimate.mean if estimate.high is None else estimate.high
            found.append({"of": name, "alpha": alpha, "mean": estimate.mean, "low": low, "high": high})
    return pd.DataFrame(found, columns=["of", "alpha", "mean", "low", "high"])


def surface(frame: pd.DataFrame, source: str, target: str, axis: str) -> alt.VConcatChart:
    """Loss of each language over the plane, a panel a language, its contours by colour; ends of the axes marked."""
    languages = list(dict.fromkeys(frame["language"]))
    second = "a random direction, every filter as long as the first axis's" if axis == RANDOM else f"to {name_of(axis)}"
    marks = [(0.0, 0.0, source), (1.0, 0.0, f"{source}+{target}")]
    if axis != RANDOM:
        marks.append((0.0, 1.0, f"{source}+{axis}"))
    panels = [_plane(frame[frame["language"] == code], code, marks, target, second) for code in languages]
    title = alt.TitleParams(
        f"Loss around the solution of {name_of(source)} alone",
        subtitle=f"seed {frame['seed'].iloc[0]}; across: to {name_of(target)}; up: {second}",
    )
    row = alt.hconcat(*panels).resolve_scale(color="independent")
    return styled(alt.vconcat(row, title=title))


def _plane(
    frame: pd.DataFrame, language: str, marks: Iterable[tuple[float, float, str]], target: str, second: str
) -> alt.LayerChart:
    x = alt.X("alpha:O", title=f"to {name_of(target)}", axis=alt.Axis(labelAngle=0, format=".2f"))
    y = alt.Y("beta:O", title=second.partition(",")[0], sort="descending", axis=alt.Axis(format=".2f"))
    colour = alt.Color("value:Q", title="nats", scale=alt.Scale(scheme="viridis", reverse=True))
    squares: Any = alt.Chart(frame).mark_rect().encode(x=x, y=y, color=colour)
    points = pd.DataFrame(marks, columns=["alpha", "beta", "name"])
    places = alt.Chart(points).encode(x=x, y=y)
    layers = alt.layer(
        squares,
        places.mark_point(shape="cross", size=50, color="white", filled=True, stroke=INK),
        places.mark_text(dy=-10, fontSize=10, color="white", fontWeight="bold").encode(text="name:N"),
        width=230,
        height=230,
        title=alt.TitleParams(f"loss in {name_of(language)}", fontSize=12),
    )
    return cast(alt.LayerChart, layers)
