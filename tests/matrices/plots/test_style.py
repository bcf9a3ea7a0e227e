"""Pictures as files: every format by its ending, whole, and of no use of a network."""

from __future__ import annotations

import re
import struct
from html.parser import HTMLParser
from pathlib import Path

import altair as alt
import pandas as pd
import pytest

from matrices.plots.style import Figure, UnknownPictureError, save, styled

CHART = styled(alt.layer(alt.Chart(pd.DataFrame({"x": [1, 2]})).mark_point().encode(x="x:Q")))


class Loaded(HTMLParser):
    """What a page loads from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [f"{tag} {value}" for name, value in attrs if name in ("src", "href")]


def test_each_ending_gives_its_format(tmp_path: Path) -> None:
    png = save(CHART, tmp_path / "map.png").read_bytes()
    width, height = struct.unpack(">II", png[16:24])
    assert png.startswith(b"\x89PNG")
    assert min(width, height) > 40
    assert save(CHART, tmp_path / "map.svg").read_text().startswith("<svg")
    assert save(CHART, tmp_path / "map.html").read_text().lstrip().startswith("<!DOCTYPE html>")


def test_a_width_is_that_of_the_picture_in_print(tmp_path: Path) -> None:
    eight = Figure(width=8.0)
    svg, pdf, png = (save(CHART, tmp_path / f"map.{ending}", eight).read_bytes() for ending in ("svg", "pdf", "png"))
    assert b'width="8.000cm"' in svg
    assert pdf.startswith(b"%PDF")
    (across,) = re.findall(rb"/MediaBox \[0 0 ([\d.]+) [\d.]+\]", pdf)
    assert float(across) == pytest.approx(8 / 2.54 * 72, abs=1)
    assert struct.unpack(">I", png[16:20])[0] == pytest.approx(8 / 2.54 * 300, abs=1)
    with pytest.raises(UnknownPictureError, match="as wide as its window"):
        save(CHART, tmp_path / "map.html", eight)


def test_a_title_takes_the_place_of_a_picture_s_own_and_leaves_what_stands_below_it(tmp_path: Path) -> None:
    titled = CHART.properties(title=alt.TitleParams("its own", subtitle=["what it shows"]))
    for title, shown, hidden in [
        (None, ["its own", "what it shows"], []),
        ("Ours", ["Ours", "what it shows"], ["its own"]),
        ("", [], ["its own", "what it shows"]),
    ]:
        drawn = save(titled, tmp_path / "map.svg", Figure(title=title)).read_text()
        assert [text in drawn for text in shown + hidden] == [True] * len(shown) + [False] * len(hidden)


def test_a_page_holds_its_scripts_and_loads_nothing(tmp_path: Path) -> None:
    page, loaded = save(CHART, tmp_path / "map.html").read_text(), Loaded()
    loaded.feed(page)
    assert loaded.found == []
    assert len(page) > 500_000


def test_another_ending_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(UnknownPictureError, match=r"cannot draw '.gif'; use .svg, .pdf, .png, .html"):
        save(CHART, tmp_path / "map.gif")
    assert list(tmp_path.iterdir()) == []
