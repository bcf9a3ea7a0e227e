"""`compare`: whether two matrices, of two methods say, choose the same sources."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from matrices.agreement import Agreement, agreement
from matrices.arrays import Interval
from matrices.bundled import store_or_box
from matrices.uncertainty.resampling import RESAMPLES
from matrices.view import NARROW, view
from sprachbund.commands.arguments import Composition, JsonOption, Selection

Matrix = Annotated[
    str, typer.Argument(metavar="STORE/MATRIX", help="A matrix of a store; a name alone: one of the box.")
]


def compare(
    first: Matrix,
    second: Matrix,
    composition: Composition = None,
    second_composition: Annotated[
        str | None, typer.Option(help="That of the second matrix, where it is another.")
    ] = None,
    selection: Selection = None,
    resamples: Annotated[int, typer.Option(min=100, help="How often sources and targets are resampled.")] = RESAMPLES,
    as_json: JsonOption = False,
) -> None:
    """Hold two matrices together, of two methods say: do they choose the same sources, and at what cost?"""
    views = []
    for place, under in ((first, composition), (second, second_composition or composition)):
        store, _, matrix = place.rpartition("/")
        cells = store_or_box(store or None).cells(matrix, columns=NARROW)
        views.append(view(cells, composition=under, selection=selection))
    with Console(stderr=True).status("resampling sources and targets"):
        found = agreement(*views, resamples=resamples)
    if as_json:
        print(json.dumps({"first": first, "second": second, **asdict(found)}))
        return
    console = Console()
    console.print(_table(found))
    for line in _summary(first, second, found):
        console.print(line, highlight=False, soft_wrap=True)


def _table(found: Agreement) -> Table:
    table = Table(
        box=SIMPLE, caption="Spearman's correlation of sources (95% interval); regret in points of the score."
    )
    for name in ("target", "sources", "agreement", "first chooses", "second chooses", "regret"):
        table.add_column(name, justify="left" if name in ("target", "first chooses", "second chooses") else "right")
    for one in found.targets:
        shown = "-" if one.agreement is None else f"{one.agreement:.2f} {_around(one.interval)}"
        figures = (str(one.sources), shown, one.first_chooses, one.second_chooses, f"{100 * one.regret:.1f}")
        table.add_row(one.target, *figures)
    return table


def _summary(first: str, second: str, found: Agreement) -> list[str]:
    lines = [
        f"[bold]{escape(first)}[/] and [bold]{escape(second)}[/], {len(found.targets)} targets: rank agreement "
        f"{found.agreement:.2f} {_around(found.interval)}.",
        f"The same source is best for {100 * found.same_choice:.0f}% of targets; choosing by the first costs "
        f"{100 * found.regret:.1f} points of the second {_around(found.regret_interval, 100)}.",
    ]
    if found.between_seeds is not None:
        lines.append(
            f"Of single seeds: {found.single_seeds:.2f}, where seeds of the second agree with one another by "
            f"{found.between_seeds:.2f}."
        )
    return lines


def _around(interval: Interval | None, times: float = 1) -> str:
    return "" if interval is None else f"({times * interval[0]:.2f} to {times * interval[1]:.2f})"
