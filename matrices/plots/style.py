"""What all pictures have in common: how they look, how languages are named in them, and how they become files."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

import altair as alt
import vl_convert

from matrices.languages import name_of
from matrices.whole_file import whole_file

Format = Literal["svg", "pdf", "png", "html"]
FORMATS: tuple[Format, ...] = ("svg", "pdf", "png", "html")

MISSING, INK, SOFT = "#d4d4d4", "#222", "#555"
HARM, HELP = "#b35806", "#08519c"
"""Orange and blue are told apart by everyone; red and green are not."""
_CHARACTER = 0.53
"""Mean width of a character of a sans-serif font, in font sizes."""

_SIZE = re.compile(r'width="([\d.]+)" height="([\d.]+)"')
_ON_SCREEN = 2
"""Dots of a PNG for a pixel of the screen, where no width is asked for."""
_INCH, _POINTS, _DOTS = 2.54, 72, 300
"""Centimetres; points of a PDF; dots of a PNG that is made for print."""

Chart = alt.LayerChart | alt.VConcatChart
AnyChart = TypeVar("AnyChart", alt.LayerChart, alt.VConcatChart)


class UnknownPictureError(ValueError):
    """A picture that cannot be drawn so: of a file name with another ending, or a page of a width."""


@dataclass(frozen=True, slots=True)
class Figure:
    """How a picture is set: its own ``title`` or another (none, where it is empty), and its width in centimetres.

    All of it is enlarged or reduced alike; without a width it is as large as on screen. ``format`` is that of pictures
    whose files are not named.
    """

    title: str | None = None
    width: float | None = None
    format: Format = "svg"


AS_DRAWN = Figure()


def render(chart: Chart, format: Format, figure: Figure = AS_DRAWN) -> bytes:
    """The picture's file. HTML holds the scripts it needs, and has no width. Raises ``UnknownPictureError``."""
    chart = _titled(chart, figure.title)
    if format == "html":
        if figure.width is not None:
            raise UnknownPictureError("a page is as wide as its window; leave out the width, or draw .svg, .pdf, .png")
        return str(chart.to_html(inline=True)).encode()
    drawn = io.StringIO()
    chart.save(drawn, format="svg")
    return from_svg(drawn.getvalue(), format, figure.width)


def from_svg(svg: str, format: Format, width: float | None = None) -> bytes:
    """A drawing as a file: SVG, PDF or PNG, so many centimetres wide; a pixel of it is a point of a PDF."""
    size = _SIZE.search(svg)
    assert size is not None
    across = float(size[1])
    if format == "png":
        scale = _ON_SCREEN if width is None else width / _INCH * _DOTS / across
        return bytes(vl_convert.svg_to_png(svg, scale=scale))
    if width is not None:
        down = width * float(size[2]) / across
        set_at = (
            f'width="{width / _INCH * _POINTS:.2f}" height="{down / _INCH * _POINTS:.2f}"'
            if format == "pdf"
            else f'width="{width:.3f}cm" height="{down:.3f}cm"'
        )
        svg = _SIZE.sub(set_at, svg, count=1)
    return bytes(vl_convert.svg_to_pdf(svg)) if format == "pdf" else svg.encode()


def save(chart: Chart, out: str | Path, figure: Figure = AS_DRAWN) -> Path:
    """Write the picture to ``out``, whose ending is one of ``FORMATS``. Raises ``UnknownPictureError``."""
    out = Path(out)
    content = render(chart, format_of(out), figure)
    with whole_file(out) as temporary:
        temporary.write_bytes(content)
    return out


def format_of(out: Path) -> Format:
    """The format that a file's ending asks for. Raises ``UnknownPictureError``."""
    for format in FORMATS:
        if out.suffix == f".{format}":
            return format
    ending = out.suffix or "a file without an ending"
    raise UnknownPictureError(f"{out}: cannot draw {ending!r}; use .{', .'.join(FORMATS)}")


def _titled(chart: Chart, title: str | None) -> Chart:
    """The chart under another title, with what its own says below it; under none at all, where that is empty."""
    if title is None:
        return chart
    changed = chart.copy()
    changed.title = alt.Undefined
    if title:
        changed.title = chart.title.copy() if isinstance(chart.title, alt.TitleParams) else alt.TitleParams("")
        changed.title.text = title
    return changed


def styled(chart: AnyChart) -> AnyChart:
    """The chart in the look of all pictures."""
    done: AnyChart = (
        chart.configure(font="sans-serif", background="white")
        .configure_view(stroke=None)
        .configure_axis(
            domain=False, ticks=False, gridColor="#eee", labelColor=INK, titleColor=SOFT, titleFontWeight="normal"
        )
        .configure_title(anchor="start", fontSize=14, subtitleFontSize=11, subtitleColor=SOFT, offset=12)
        .configure_legend(labelColor=INK, titleColor=SOFT, titleFontWeight="normal")
    )
    return done


def label(code: str) -> str:
    """English name and code; the code alone of a language without a name."""
    name = name_of(code)
    return code if name == code else f"{name} {code}"


def text_width(text: str, font_size: float) -> float:
    """About how many pixels wide a text is."""
    return _CHARACTER * font_size * len(text)
