"""How `backtest` and `import` are told what stands where in a published table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from matrices.published.lines import TableColumns


class Side(StrEnum):
    """What the rows of a grid are."""

    sources = "sources"
    targets = "targets"


SourceColumn = Annotated[str | None, typer.Option(help="The column of source languages; left out: guessed.")]
TargetColumn = Annotated[str | None, typer.Option(help="The column of target languages; left out: guessed.")]
ScoreColumn = Annotated[
    list[str] | None,
    typer.Option(help="The column of scores; left out: guessed. Given several times: one a seed."),
]
RankColumn = Annotated[str | None, typer.Option(help="The column of ranks, 1 the best, where there are no scores.")]
SeedColumn = Annotated[str | None, typer.Option(help="The column of seeds, where a pair has several lines.")]
Where = Annotated[
    list[str] | None, typer.Option(metavar="COLUMN=VALUE", help="Keep the lines with this value alone; repeatable.")
]
RowsAre = Annotated[Side | None, typer.Option(help="What the rows of a grid are; left out: as its corner says.")]
Ranks = Annotated[bool, typer.Option("--ranks", help="The numbers of a grid are ranks, 1 the best.")]
LowerIsBetter = Annotated[
    bool, typer.Option("--lower-is-better", help="Scores are errors, as WER; a score is what one is short of 1.")
]
Differences = Annotated[bool, typer.Option("--differences", help="Scores are differences, and may lie below 0.")]
SkipUnknown = Annotated[
    bool, typer.Option("--skip-unknown", help="Leave out lines that are no pair of two languages, as averages.")
]
Sheet = Annotated[str | None, typer.Option(help="The sheet of a spreadsheet that has several.")]


def columns_of(
    *,
    source: str | None,
    target: str | None,
    scores: Sequence[str] | None,
    rank: str | None,
    seed: str | None,
    where: Sequence[str] | None,
    rows_are: Side | None,
    ranks: bool,
    lower_is_better: bool,
    differences: bool,
    skip_unknown: bool,
    sheet: str | None,
    baseline: str | None = None,
    features: tuple[str, ...] | None = None,
) -> TableColumns:
    """What the options say of a table's columns."""
    several = tuple(scores or ())
    return TableColumns(
        source=source,
        target=target,
        score=several[0] if len(several) == 1 else None,
        seeds=several if len(several) > 1 else (),
        rank=rank,
        seed=seed,
        baseline=baseline,
        features=features,
        where=tuple(_pair(one) for one in where or ()),
        rows_are=None if rows_are is None else rows_are.value,
        ranks=ranks,
        lower_is_better=lower_is_better,
        differences=differences,
        skip_unknown=skip_unknown,
        sheet=sheet,
    )


def print_notes(console: Console, notes: Iterable[str]) -> None:
    """What was assumed, or left out, of a table."""
    for note in notes:
        console.print(f"[yellow]note:[/] {escape(note)}", highlight=False)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise typer.BadParameter(f"{text!r}: write COLUMN=VALUE", param_hint="--where")
    return name, value
