"""What all pictures have in common: how they look, how languages are named in them, and how they become files."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, Literal, TypeVar

import altair as alt

from matrices import languages
from matrices.export import whole_file

Format = Literal["svg", "png", "html"]
FORMATS: tuple[Format, ...] = ("svg", "png", "html")

MISSING, INK, SOFT = "#d4d4d4", "#222", "#555"
HARM, HELP = "#b35806", "#08519c"
"""Orange and blue are told apart by everyone; red and green are not."""
_CHARACTER = 0.53
"""Mean width of a character of a sans-serif font, in font sizes."""

Chart = alt.LayerChart | alt.VConcatChart
AnyChart = TypeVar("AnyChart", alt.LayerChart, alt.VConcatChart)


class UnknownPictureError(ValueError):
    """A file name whose ending is none of those that can be drawn."""

    def __init__(self, out: Path) -> None:
        super().__init__(f"{out}: cannot draw {out.suffix or 'a file without an ending'!r}; use .{', .'.join(FORMATS)}")


def render(chart: Chart, format: Format) -> bytes:
    """The picture's file. PNG is drawn at twice its size on screen; HTML holds the scripts it needs."""
    if format == "html":
        return str(chart.to_html(inline=True)).encode()
    out: Any = io.StringIO() if format == "svg" else io.BytesIO()
    chart.save(out, format=format, scale_factor=1 if format == "svg" else 2)
    content = out.getvalue()
    return content.encode() if isinstance(content, str) else bytes(content)


def save(chart: Chart, out: str | Path) -> Path:
    """Write the picture to ``out``, whose ending is one of ``FORMATS``. Raises ``UnknownPictureError``."""
    out = Path(out)
    content = render(chart, format_of(out))
    with whole_file(out) as temporary:
        temporary.write_bytes(content)
    return out


def format_of(out: Path) -> Format:
    """The format that a file's ending asks for. Raises ``UnknownPictureError``."""
    for format in FORMATS:
        if out.suffix == f".{format}":
            return format
    raise UnknownPictureError(out)


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


def name_of(code: str) -> str:
    """English name, or names; the code of a language without one."""
    return languages.name_of(code)


def label(code: str) -> str:
    """English name and code; the code alone of a language without a name."""
    name = name_of(code)
    return code if name == code else f"{name} {code}"


def text_width(text: str, font_size: float) -> float:
    """About how many pixels wide a text is."""
    return _CHARACTER * font_size * len(text)
