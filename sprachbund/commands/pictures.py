"""`plot`: a matrix as a picture."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import pyarrow as pa
import typer
from rich.console import Console
from rich.markup import escape

from matrices.grid import Place, grid
from matrices.measures.catalogue import MeasureSettings
from matrices.measures.registry import measure
from matrices.plots import Chart, Figure, Order, donor_map, format_of, heat_map, save
from matrices.view import NARROW, MeasureError
from sprachbund.commands.arguments import Composition, Selection, StoreOption, Title, Where, Width, reader_of


def plot(
    where: Where,
    out: Annotated[Path, typer.Option(help="File to draw: .svg, .pdf, .png or .html (which needs no network).")],
    what: Annotated[
        Literal["heat", "donors"], typer.Option(help="A heat map, or donor scores against recipient scores.")
    ] = "heat",
    store: StoreOption = None,
    composition: Composition = None,
    selection: Selection = None,
    order: Annotated[
        Order, typer.Option(help="Languages of a heat map: alike ones side by side (cluster), or by family.")
    ] = "cluster",
    version: Annotated[int | None, typer.Option(min=0, help="A version; left out: the newest.")] = None,
    title: Title = None,
    width: Width = None,
) -> None:
    """Draw a matrix: what every source does to every target, or which languages give and which take."""
    format_of(out)
    reader, matrix = reader_of(where, store)
    settings = MeasureSettings(composition=composition, selection=selection)
    measured = partial(measure, reader, matrix, settings=settings, version=version)
    if what == "donors":
        chart: Chart = donor_map(measured("donors"))
    else:
        cells = reader.cells(matrix, version=version, columns=NARROW)
        drawn = grid(cells, composition=composition, selection=selection)
        verdicts = _verdicts(measured) if drawn.kind == "interference" else None
        chart = heat_map(drawn, order=order, verdicts=verdicts)
    written = save(chart, out, Figure(title, width))
    Console().print(f"[bold]{escape(str(written))}[/] ({written.stat().st_size:,} bytes)", highlight=False)


def _verdicts(measured: Callable[[str], pa.Table]) -> dict[Place, str] | None:
    """Which changes the measure `pairs` finds in the whole matrix; None, and a word about why, where it cannot tell."""
    try:
        found = measured("pairs")
    except MeasureError as error:
        Console(stderr=True).print(f"without marks of what is beyond doubt: {error}", markup=False, highlight=False)
        return None
    columns = (found[name].to_pylist() for name in ("source", "target", "label"))
    return {(source, target): label for source, target, label in zip(*columns, strict=True)}
