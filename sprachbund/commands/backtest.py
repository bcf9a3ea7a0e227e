"""`backtest`: how far to trust recommendations on a table of scores, or on a matrix."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from matrices.backtest import MethodReport, Skipped, judge_all, judged_targets, methods_for, report
from matrices.bundled import store_or_box
from matrices.encoders import known_encoder
from matrices.files import holds_matrices, read_file
from matrices.published.lines import TableColumns
from matrices.published.reading import read_published
from matrices.published.scores import to_scores
from matrices.scores import ScoreTable, scores_of
from sprachbund.commands.arguments import JsonOption
from sprachbund.commands.columns import (
    Differences,
    LowerIsBetter,
    RankColumn,
    Ranks,
    RowsAre,
    ScoreColumn,
    SeedColumn,
    Sheet,
    SkipUnknown,
    SourceColumn,
    TargetColumn,
    Where,
    columns_of,
    print_notes,
)
from sprachbund.text_overlaps import CorporaOption, overlaps_in


class NothingToJudgeError(ValueError):
    """A table in which no target has two sources."""


def backtest(
    table: Annotated[
        str,
        typer.Argument(
            metavar="FILE|STORE/MATRIX",
            help="A table of scores, an exported matrix, or a matrix of a store; a name alone: of the box.",
        ),
    ],
    source_column: SourceColumn = None,
    target_column: TargetColumn = None,
    score_column: ScoreColumn = None,
    rank_column: RankColumn = None,
    seed_column: SeedColumn = None,
    feature_column: Annotated[
        list[str] | None,
        typer.Option(help="A column of features of pairs, repeatable; left out: URIEL's and LangRank's."),
    ] = None,
    where: Where = None,
    rows_are: RowsAre = None,
    ranks: Ranks = False,
    lower_is_better: LowerIsBetter = False,
    differences: Differences = False,
    skip_unknown: SkipUnknown = False,
    sheet: Sheet = None,
    encoder: Annotated[
        str | None,
        typer.Option(help="The encoder that the scores of a file are of, so that what it was pretrained on is known."),
    ] = None,
    processes: Annotated[
        int | None, typer.Option(min=1, help="Targets judged at the same time; left out: one a core.")
    ] = None,
    corpora: CorporaOption = None,
    as_json: JsonOption = False,
) -> None:
    """How far to trust recommendations on a matrix: leave each target out, rank its sources, look at its scores."""
    columns = columns_of(
        source=source_column,
        target=target_column,
        scores=score_column,
        rank=rank_column,
        seed=seed_column,
        features=tuple(feature_column) if feature_column else None,
        where=where,
        rows_are=rows_are,
        ranks=ranks,
        lower_is_better=lower_is_better,
        differences=differences,
        skip_unknown=skip_unknown,
        sheet=sheet,
    )
    notes, scores, ranks_only = _read(table, columns)
    if encoder is not None:
        scores = replace(scores, pretrained=known_encoder(encoder))
    scores = replace(scores, overlaps=overlaps_in(corpora, {*scores.sources, *scores.targets}))
    targets = judged_targets(scores)
    if not targets:
        raise NothingToJudgeError(f"{table}: no target has two sources other than itself; there is nothing to rank")
    methods, skipped = methods_for(scores)
    at_once = min(processes or len(os.sched_getaffinity(0)), len(targets))
    progress = Progress(
        TextColumn("targets left out"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    with progress:
        task = progress.add_task("targets", total=len(targets))
        judgements = judge_all(
            scores, methods, processes=at_once, tick=lambda done, total: progress.update(task, completed=done)
        )
    lines = report(judgements)
    if as_json:
        print(json.dumps(_object(table, scores, lines, skipped, notes)))
        return
    console = Console()
    console.print(_table(table, scores, lines))
    for line in _sureness(lines):
        console.print(line, highlight=False)
    if ranks_only:
        console.print("The table has ranks alone: regret is in shares of the sources outranked, not of a score.")
    print_notes(console, notes)
    for one in skipped:
        console.print(f"without {one.method}: {one.reason}", style="dim", markup=False, highlight=False)


def _read(table: str, columns: TableColumns) -> tuple[list[str], ScoreTable, bool]:
    """Notes, scores, and whether they were ranks."""
    if holds_matrices(table):
        snapshot = read_file(table)
        names = [info.matrix for info in snapshot.matrices()]
        if len(names) > 1:
            raise typer.BadParameter(f"{table} holds several matrices; name one: {table}/{names[0]}")
        return [], scores_of(snapshot, names[0]), False
    if Path(table).is_file() or (Path(table).suffix and not Path(table).parent.is_dir()):
        published = read_published(table, columns)
        return list(published.notes), to_scores(published), published.ranks_only
    store, _, matrix = table.rpartition("/")
    reader = store_or_box(store or None)
    return [], scores_of(reader, matrix), False


def _object(
    table: str, scores: ScoreTable, lines: list[MethodReport], skipped: list[Skipped], notes: list[str]
) -> dict[str, object]:
    return {
        "table": table,
        "sources": len(scores.sources),
        "targets": len(scores.targets),
        "methods": [asdict(line) for line in lines],
        "skipped": [asdict(one) for one in skipped],
        "notes": notes,
    }


def _table(name: str, scores: ScoreTable, lines: list[MethodReport]) -> Table:
    size = f"{len(scores.sources)} sources; {lines[0].targets} targets, each left out as source and target"
    table = Table(
        box=SIMPLE, padding=(0, 1), title=f"{escape(name)}\n{size}", caption="In %: mean over targets (95% interval)."
    )
    table.add_column("method", no_wrap=True)
    for heading in ("NDCG@3", "linear", "regret@1", "regret@3"):
        table.add_column(heading, justify="right", no_wrap=True)
    figures = {"ndcg_at_3": max, "ndcg_at_3_linear": max, "regret_at_1": min, "regret_at_3": min}
    best = {
        name: choose(_known(getattr(line, name) for line in lines), default=None) for name, choose in figures.items()
    }
    for line in lines:
        table.add_row(line.method, *(_figure(line, name, best[name]) for name in figures))
    return table


def _known(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def _figure(line: MethodReport, name: str, best: float | None) -> str:
    value: float | None = getattr(line, name)
    if value is None:
        return "-"
    shown = f"[bold]{100 * value:.1f}[/]" if value == best else f"{100 * value:.1f}"
    if name in ("ndcg_at_3_linear", "regret_at_3"):
        return shown
    low, high = line.intervals[name]
    around = f"({100 * low:.0f}–{100 * high:.0f})"
    return f"{shown} [dim]{around:>7}[/]"


def _sureness(lines: list[MethodReport]) -> list[str]:
    said = []
    for line in lines:
        if line.score_error is not None and line.interval_width is not None and line.interval_coverage is not None:
            said.append(
                f"{line.method}: its scores were {line.score_error:.3g} off on average; its 90% intervals, "
                f"{line.interval_width:.3g} wide, held {100 * line.interval_coverage:.1f}% of the scores left out."
            )
        if line.shortlist_coverage is not None and line.shortlist_size is not None:
            said.append(
                f"{line.method}: its 90% shortlists, {line.shortlist_size:.1f} sources on average, held the best "
                f"source {100 * line.shortlist_coverage:.1f}% of the time."
            )
    return said
