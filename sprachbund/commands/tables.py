"""`backtest` and `import`: what can be done with a table of scores that others published."""

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
from matrices.boxed import store_or_box
from matrices.encoders import known_encoder
from matrices.importing import About, import_published
from matrices.published import Columns, read_published, to_scores
from matrices.recommend import related_scores
from matrices.scores import ScoreTable
from sprachbund.texts import CorporaOption, overlaps_in

SourceColumn = Annotated[str | None, typer.Option(help="The column of source languages; left out: guessed.")]
TargetColumn = Annotated[str | None, typer.Option(help="The column of target languages; left out: guessed.")]
ScoreColumn = Annotated[str | None, typer.Option(help="The column of scores, higher is better; left out: guessed.")]
RankColumn = Annotated[str | None, typer.Option(help="The column of ranks, 1 the best, where there are no scores.")]
SeedColumn = Annotated[str | None, typer.Option(help="The column of seeds, where a pair has several.")]
Where = Annotated[
    list[str] | None, typer.Option(metavar="COLUMN=VALUE", help="Keep the lines with this value alone; repeatable.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object, for machines.")]


class NothingToJudgeError(ValueError):
    """A table in which no target has two sources."""


def backtest(
    table: Annotated[
        str,
        typer.Argument(
            metavar="FILE.csv|STORE/MATRIX", help="A table of scores, or a matrix of a store; a name alone: of the box."
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
    encoder: Annotated[
        str | None,
        typer.Option(help="The encoder that the scores of a file are of, so that what it was pretrained on is known."),
    ] = None,
    processes: Annotated[
        int | None, typer.Option(min=1, help="Targets judged at the same time; left out: one a core.")
    ] = None,
    alone: Annotated[
        bool, typer.Option("--alone", help="As if no other matrix of the store had measured a language left out.")
    ] = False,
    corpora: CorporaOption = None,
    as_json: JsonOption = False,
) -> None:
    """How far to trust recommendations on a matrix: leave each target out, rank its sources, look at its scores."""
    columns = Columns(
        source=source_column,
        target=target_column,
        score=score_column,
        rank=rank_column,
        seed=seed_column,
        features=tuple(feature_column) if feature_column else None,
        where=tuple(_pair(one) for one in where or ()),
    )
    notes, scores, ranks_only = _read(table, columns)
    if encoder is not None:
        scores = replace(scores, pretrained=known_encoder(encoder))
    scores = replace(
        scores,
        related={} if alone else scores.related,
        overlaps=overlaps_in(corpora, {*scores.sources, *scores.targets}),
    )
    notes += [f"what {name} know of a language left out is not hidden; --alone hides it" for name in scores.related]
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
    _print_notes(console, notes)
    for one in skipped:
        console.print(f"without {one.method}: {one.reason}", style="dim", markup=False, highlight=False)


def import_table(
    file: Annotated[Path, typer.Argument(metavar="FILE.csv", help="A line for each source and target.")],
    store: Annotated[str, typer.Option(help="Folder, s3:// or gs:// of a store; made where there is none.")],
    matrix: Annotated[str, typer.Option(help="Name of the matrix the table becomes.")],
    task: Annotated[str, typer.Option(help="The task, as questions will name it: pos, topic, parsing.")],
    encoder: Annotated[str, typer.Option(help="The encoder or model the scores are of.")] = "not stated",
    metric: Annotated[str, typer.Option(help="What the score is: accuracy, f1, bleu. Of ranks it is set.")] = "score",
    citation: Annotated[str, typer.Option(help="Where the table was published; kept with every cell.")] = "",
    source_column: SourceColumn = None,
    target_column: TargetColumn = None,
    score_column: ScoreColumn = None,
    rank_column: RankColumn = None,
    seed_column: SeedColumn = None,
    baseline_column: Annotated[
        str | None, typer.Option(help="The column of what a target scores without any transfer, one value a target.")
    ] = None,
    where: Where = None,
    percent: Annotated[
        bool, typer.Option("--percent", help="Scores are in percent; kept as shares in [0, 1].")
    ] = False,
    items: Annotated[int | None, typer.Option(min=1, help="Items each target was scored on, where known.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Bring a published table of scores, or of ranks, into a store: all its lines, or none where one is wrong."""
    columns = Columns(
        source=source_column,
        target=target_column,
        score=score_column,
        rank=rank_column,
        seed=seed_column,
        baseline=baseline_column,
        features=(),
        where=tuple(_pair(one) for one in where or ()),
    )
    published = read_published(file, columns)
    about = About(
        matrix=matrix, task=task, encoder=encoder, metric=metric, citation=citation, percent=percent, items=items
    )
    done = import_published(store, published, about)
    if as_json:
        print(json.dumps({**asdict(done), "notes": published.notes}))
        return
    console = Console()
    there = f", {done.found} were there already" if done.found else ""
    console.print(
        f"[bold]{escape(matrix)}[/]: {done.added} cells added{there}; version {done.version}.", highlight=False
    )
    if published.ranks_only:
        console.print("The table has ranks alone: a cell is the share of the target's other sources it outranks.")
    _print_notes(console, published.notes)
    asking = f"sprachbund recommend --store {store} --task {task} --target LANGUAGE"
    console.print(f"Ask it: [bold]{escape(asking)}[/]", soft_wrap=True, highlight=False)
    console.print(f"How far to trust it: [bold]{escape(f'sprachbund backtest {store}/{matrix}')}[/]", soft_wrap=True)


def _print_notes(console: Console, notes: Iterable[str]) -> None:
    for note in notes:
        console.print(f"[yellow]note:[/] {escape(note)}", highlight=False)


def _read(table: str, columns: Columns) -> tuple[list[str], ScoreTable, bool]:
    """Notes, scores, and whether they were ranks."""
    if Path(table).suffix.casefold() in (".csv", ".tsv") or Path(table).is_file():
        published = read_published(table, columns)
        return list(published.notes), to_scores(published), published.ranks_only
    store, _, matrix = table.rpartition("/")
    reader = store_or_box(store or None)
    return [], related_scores(reader, matrix, reader.version), False


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise typer.BadParameter(f"{text!r}: write COLUMN=VALUE", param_hint="--where")
    return name, value


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
