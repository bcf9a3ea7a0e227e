"""A measure as a table in the terminal: what matters most first, numbers a person can read, and what columns mean."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import TypeGuard

import pyarrow as pa
import pyarrow.compute as pc
from rich.box import SIMPLE
from rich.console import Console
from rich.markup import escape
from rich.measure import Measurement
from rich.table import Table

from matrices.measures.registry import ABOUT, answer
from matrices.recommend import named
from sprachbund.commands.arguments import COLOURS

_SHOWN = {
    "interference": ("baseline", "delta", "q", "label"),
    "pairs": ("baseline", "delta", "q", "label"),
    "donors": ("donor", "recipient", "type"),
    "hat_r": ("hat_r", "extrapolated", "refused"),
}
"""What a person reads of measures with many columns; of others all."""
_FIRST = {"interference": ("q", "ascending"), "donors": ("donor", "descending")}
"""What decides which rows stand first; those of a measure that is not named here stay as computed."""
_LANGUAGES = ("source", "target", "language")
_MOST_LISTED = 6


def show(console: Console, table: pa.Table, lines: int) -> None:
    """Prints the ``lines`` rows that matter most of a measure's table, how many there are, and what columns mean."""
    about, total = answer(table.slice(0, 0)), table.num_rows
    labels = Counter(table["label"].to_pylist() if "label" in table.column_names else [])
    first = _FIRST.get(about.measure)
    if first is not None:
        table = table.take(pc.sort_indices(table, sort_keys=[first]))
    table = table.slice(0, lines)
    explained = [name for name in about.columns if name in table.column_names]
    columns = [name for name in _SHOWN.get(about.measure, explained) if not _owner(table, name)]
    shown, columns = _that_fits(console, table, columns)
    console.print(
        f"[bold]{escape(about.title)}[/]\n{escape(about.matrix)}, version {about.version}; "
        f"{about.composition}, {about.selection}",
        highlight=False,
    )
    console.print(shown)
    if total > lines:
        by = f", the {'smallest' if first[1] == 'ascending' else 'largest'} {first[0]} first" if first else ""
        console.print(f"{lines} of {total:,} rows{by}; --lines N shows more.", highlight=False)
    if labels:
        console.print(", ".join(f"{count} {label}" for label, count in labels.most_common()), highlight=False)
    for name in columns:
        console.print(f"{name}: {about.columns[name]}", style="dim", markup=False, highlight=False)
    if rest := [name for name in explained if name not in columns]:
        console.print(f"--json and --out FILE.parquet also have {', '.join(rest)}.", style="dim", highlight=False)


def _that_fits(console: Console, table: pa.Table, columns: Sequence[str]) -> tuple[Table, list[str]]:
    """The rows with names of languages, else with codes, else without the last columns of numbers; and its columns."""
    kept = list(columns)
    for spelt in (True, False):
        shown = _rows(table, kept, spelt=spelt)
        if _fits(console, shown):
            return shown, kept
    while not _fits(console, shown) and (numbers := [name for name in kept[1:] if not _is_text(table, name)]):
        kept.remove(numbers[-1])
        shown = _rows(table, kept, spelt=False)
    return shown, kept


def _fits(console: Console, shown: Table) -> bool:
    unbounded = console.options.update(max_width=10 * console.width)
    return Measurement.get(console, unbounded, shown).maximum <= console.width


def _rows(table: pa.Table, columns: Sequence[str], *, spelt: bool) -> Table:
    shown = Table(box=SIMPLE, padding=(0, 1), pad_edge=False)
    keys = [name for name in table.column_names if _is_text(table, name) and name not in (*ABOUT, *columns)]
    for name in keys:
        shown.add_column(name, overflow="fold")
    for name in columns:
        shown.add_column(name, justify="left" if _is_text(table, name) else "right", overflow="fold")
        if _known_bounds(table, name):
            shown.add_column("95% interval", justify="right", overflow="fold")
    texts = [[_key(name, value, spelt) for value in table[name].to_pylist()] for name in keys]
    texts += [column for name in columns for column in _texts(table, name)]
    for row in zip(*texts, strict=True):
        shown.add_row(*row)
    return shown


def _texts(table: pa.Table, name: str) -> list[list[str]]:
    """A column as text, and its intervals where it has them."""
    values, *ends = (table[of].to_pylist() for of in (name, *_known_bounds(table, name)))
    sign = "+" if any(_is_number(value) and value < 0 for column in (values, *ends) for value in column) else ""
    found = [[_text(value, name, sign) for value in values]]
    if ends:
        pairs = zip(*ends, strict=True)
        found.append(
            [
                f"{_text(low, name, sign)} to {_text(high, name, sign)}" if _is_number(low) else "-"
                for low, high in pairs
            ]
        )
    return found


def _text(value: object, name: str, sign: str) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return f"[{COLOURS[value]}]{value}[/]" if value in COLOURS else escape(value)
    if isinstance(value, list):
        more = f" and {len(value) - _MOST_LISTED} more" if len(value) > _MOST_LISTED else ""
        return escape(", ".join(map(str, value[:_MOST_LISTED]))) + more
    if not _is_number(value):
        return "-"
    if isinstance(value, int):
        return f"{value:,}"
    if name in ("p", "q") and value < 0.001:
        return "<0.001"
    return f"{value:{sign}z.3f}"


def _key(name: str, value: str, spelt: bool) -> str:
    if not spelt or name not in _LANGUAGES or named(value).name == value:
        return escape(value)
    return f"{escape(named(value).name)} ({value})"


def _is_text(table: pa.Table, name: str) -> bool:
    return bool(pa.types.is_string(table[name].type))


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and math.isfinite(value)


def _bounds(table: pa.Table, name: str) -> tuple[str, ...]:
    """The columns of the interval of a column: named after it, or plain ``low`` and ``high`` that stand beside it."""
    names = table.column_names
    if f"{name}_low" in names:
        return f"{name}_low", f"{name}_high"
    beside = names.index(name) + 1
    return ("low", "high") if names[beside : beside + 2] == ["low", "high"] else ()


def _known_bounds(table: pa.Table, name: str) -> tuple[str, ...]:
    """The same, none where no interval is known."""
    bounds = _bounds(table, name)
    return bounds if any(_is_number(value) for of in bounds for value in table[of].to_pylist()) else ()


def _owner(table: pa.Table, name: str) -> str | None:
    """The column that this one is an end of the interval of."""
    return next((of for of in table.column_names if name in _bounds(table, of)), None)
