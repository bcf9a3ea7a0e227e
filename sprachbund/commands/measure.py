"""`measure`: what the cells of a matrix say, with formulas and tests, as a table, an object or a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from matrices.export import must_be_writable, write_table
from matrices.measures.catalogue import DEFAULTS, MEASURES, MeasureSettings
from matrices.measures.registry import answer, to_json
from matrices.measures.registry import measure as compute
from matrices.recommend import code_of
from sprachbund.commands.arguments import Composition, JsonOption, Selection, StoreOption, Where, reader_of
from sprachbund.measure_table import show


def measure(
    where: Where,
    what: Annotated[str, typer.Option(metavar="MEASURE", help=f"One of: {', '.join(MEASURES)}.")],
    store: StoreOption = None,
    composition: Composition = None,
    selection: Selection = None,
    version: Annotated[int | None, typer.Option(min=0, help="A version; left out: the newest.")] = None,
    resamples: Annotated[int, typer.Option(min=100, help="How often items and seeds are resampled.")] = (
        DEFAULTS.resamples
    ),
    unseen: Annotated[
        list[str] | None,
        typer.Option(
            help="A language the encoder was not pretrained on, marked in `interference`; repeatable. "
            "Left out: as is known of the encoder."
        ),
    ] = None,
    solved: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Share of an item that must be right, in `hat_r` and `consistency`."),
    ] = None,
    lines: Annotated[int, typer.Option(min=1, help="How many lines to print.")] = 30,
    out: Annotated[
        Path | None, typer.Option(help="Write the whole table to this file: .parquet, .csv or .arrow.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Measure interference, donors and recipients, transfer adjusted for hardness, and more, with intervals."""
    if out is not None:
        must_be_writable(out)
    reader, matrix = reader_of(where, store)
    settings = MeasureSettings(
        composition=composition,
        selection=selection,
        resamples=resamples,
        unseen=tuple(code_of(code, ()) for code in unseen or ()) or None,
        solved=solved,
    )
    with Console(stderr=True).status("resampling items and seeds"):
        table = compute(reader, matrix, what, settings, version=version)
    if out is not None:
        write_table(table, out)
    if as_json:
        print(to_json(answer(table)).decode())
        return
    console = Console()
    if out is None:
        show(console, table, lines)
    else:
        console.print(f"[bold]{escape(str(out))}[/] ({table.num_rows:,} rows)", highlight=False)
