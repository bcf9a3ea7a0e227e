"""A matrix as a coloured table in the terminal: sources down, targets across."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from matrices.grid import ScoreGrid
from matrices.languages import name_of

Colour = tuple[int, int, int]

_SCORES: tuple[Colour, ...] = ((68, 1, 84), (59, 82, 139), (33, 145, 140), (94, 201, 98), (253, 231, 37))
"""Viridis, from the lowest score to the highest."""
_CHANGES: tuple[Colour, ...] = ((179, 88, 6), (241, 163, 64), (247, 247, 247), (107, 174, 214), (8, 81, 156))
"""Orange for harm, white for no change, blue for help."""
_CELL = 8
"""Characters of a column: a sign, four figures, the frame of an in-language cell."""
_MISSING = "·"


def matrix_table(grid: ScoreGrid, *, width: int) -> RenderableType:
    """The grid for a terminal ``width`` characters wide; a matrix too wide for it goes on in a further table below.

    Values are per cent, or points where they are changes from the baseline; both are means over seeds. In-language
    cells stand in square brackets and the baseline below, so that nothing is said by colour alone.
    """
    labels = max(len(_label(code)) for code in (*grid.sources, "baseline"))
    room = max(1, (width - labels - 1) // _CELL)
    blocks = [grid.targets[at : at + room] for at in range(0, len(grid.targets), room)]
    parts = [part for targets in blocks for part in (_block(grid, targets, labels), Text())]
    return Group(_title(grid), Text(), *parts, _legend(grid))


def _block(grid: ScoreGrid, targets: Sequence[str], labels: int) -> Table:
    table = Table(box=None, padding=0, pad_edge=False, collapse_padding=True)
    table.add_column("", width=labels + 1, no_wrap=True)
    for target in targets:
        # Cells are padded here: a column that is justified right would drop the space that a frame's end takes.
        table.add_column(Text(f"{target} ".rjust(_CELL), style="bold"), width=_CELL, no_wrap=True)
    for source in grid.sources:
        table.add_row(_label(source), *(_cell(grid, source, target) for target in targets))
    if grid.baseline:
        table.add_row("baseline", *(_baseline(grid, target) for target in targets), style="dim")
    return table


def _cell(grid: ScoreGrid, source: str, target: str) -> Text:
    value = grid.values.get((source, target))
    if value is None:
        return Text(f"{_MISSING}  ".rjust(_CELL), style="dim")
    number = f"{100 * value:{'+' if grid.kind == 'interference' else ''}z.1f}"
    text = f"[{number}]" if source == target else f"{number} "
    return Text(text.rjust(_CELL), style=_style(_colour(grid, value), bold=source == target))


def _baseline(grid: ScoreGrid, target: str) -> str:
    score = grid.baseline.get(target)
    return (f"{_MISSING}  " if score is None else f"{100 * score:.1f} ").rjust(_CELL)


def _style(colour: Colour, *, bold: bool = False) -> str:
    red, green, blue = colour
    bright = 0.299 * red + 0.587 * green + 0.114 * blue  # ITU-R BT.601 luma.
    return f"{'bold ' if bold else ''}{'#000000' if bright > 140 else '#ffffff'} on rgb({red},{green},{blue})"


def _colour(grid: ScoreGrid, value: float) -> Colour:
    low, high = _range(grid)
    return _between(_CHANGES if grid.kind == "interference" else _SCORES, (value - low) / (high - low))


def _range(grid: ScoreGrid) -> tuple[float, float]:
    values = grid.values.values()
    if grid.kind == "interference":
        most = max((abs(value) for value in values), default=0) or 1.0
        return -most, most
    low, high = min(values), max(values)
    return low, high if high > low else low + 1.0


def _between(ramp: Sequence[Colour], share: float) -> Colour:
    """The colour at ``share`` of the way along a ramp."""
    place = share * (len(ramp) - 1)
    at = min(int(place), len(ramp) - 2)
    red, green, blue = (round(a + (b - a) * (place - at)) for a, b in zip(ramp[at], ramp[at + 1], strict=True))
    return red, green, blue


def _title(grid: ScoreGrid) -> Text:
    what = "change from the baseline, points of" if grid.kind == "interference" else "zero-shot transfer, % of"
    return Text.assemble((f"{grid.task}", "bold"), f": {what} {grid.metric} (row: source, column: target)")


def _legend(grid: ScoreGrid) -> Text:
    interference = grid.kind == "interference"
    steps = [_between(_CHANGES if interference else _SCORES, step / 11) for step in range(12)]
    low, high = (f"{100 * end:{'+' if interference else ''}z.1f}" for end in _range(grid))
    fewest, most = grid.items
    items = str(fewest) if fewest == most else f"{fewest} to {most}"
    missing = f", {_MISSING} not measured" if len(grid.values) < len(grid.sources) * len(grid.targets) else ""
    seeds = "one seed" if grid.seeds == 1 else f"mean of {grid.seeds} seeds"
    baseline = "the same task adapter with nothing added" if interference else "the constant answer"
    ramp = [Text(" ", style=_style(colour)) for colour in steps]
    return Text.assemble(
        f"{low} ",
        *ramp,
        f" {high}",
        (f"   {seeds}, {items} items; [in-language]{missing}; baseline: {baseline}", "dim"),
    )


def _label(code: str) -> str:
    if code == "baseline":
        return code
    name = name_of(code)
    return code if name == code else f"{name[:20]} {code}"
