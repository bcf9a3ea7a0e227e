"""`import`: what others published, or this project exported, into a store."""

from __future__ import annotations

import json
import tempfile
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from matrices.files import holds_matrices, read_cells
from matrices.published.catalogue import CataloguedMatrix, catalogued_matrix, fetch
from matrices.published.importing import UNNAMED, About, Imported, import_cells, import_published
from matrices.published.reading import Published, read_published
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

_UNSAID = "not stated"


def import_table(
    store: Annotated[str, typer.Option(help="Folder, s3:// or gs:// of a store; made where there is none.")],
    file: Annotated[
        Path | None,
        typer.Argument(help="A line for each source and target, or a grid; or an exported or downloaded matrix."),
    ] = None,
    known: Annotated[
        str | None, typer.Option(help="Fetch this published matrix of the catalogue (docs/published.md) in its place.")
    ] = None,
    mirror: Annotated[
        Path | None, typer.Option(help="A folder that has a catalogued matrix at OWNER/REPOSITORY/COMMIT/PATH.")
    ] = None,
    matrix: Annotated[str | None, typer.Option(help="Name of the matrix the table becomes.")] = None,
    task: Annotated[str | None, typer.Option(help="The task, as questions will name it: pos, topic, parsing.")] = None,
    encoder: Annotated[str, typer.Option(help="The encoder or model the scores are of.")] = _UNSAID,
    metric: Annotated[str, typer.Option(help="What the score is: accuracy, f1, bleu. Of ranks it is set.")] = UNNAMED,
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
    rows_are: RowsAre = None,
    ranks: Ranks = False,
    lower_is_better: LowerIsBetter = False,
    differences: Differences = False,
    skip_unknown: SkipUnknown = False,
    sheet: Sheet = None,
    percent: Annotated[
        bool, typer.Option("--percent", help="Scores are in percent; kept as shares in [0, 1].")
    ] = False,
    items: Annotated[int | None, typer.Option(min=1, help="Items each target was scored on, where known.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Bring a published table, or an exported matrix, into a store: all its lines, or none where one is wrong."""
    if (file is None) == (known is None):
        raise typer.BadParameter("name a file, or a published matrix with --known", param_hint="FILE")
    if file is not None and holds_matrices(file):
        _say(import_cells(store, read_cells(file), matrix=matrix), store, None, None, as_json)
        return
    columns = columns_of(
        source=source_column,
        target=target_column,
        scores=score_column,
        rank=rank_column,
        seed=seed_column,
        baseline=baseline_column,
        features=(),
        where=where,
        rows_are=rows_are,
        ranks=ranks,
        lower_is_better=lower_is_better,
        differences=differences,
        skip_unknown=skip_unknown,
        sheet=sheet,
    )
    if known is not None:
        listed = catalogued_matrix(known)
        published = _fetched(listed, mirror)
        about = _about(listed, matrix)
    else:
        if matrix is None or task is None:
            raise typer.BadParameter("a published table needs a name and a task", param_hint="--matrix, --task")
        assert file is not None
        published = read_published(file, columns)
        about = About(
            matrix=matrix,
            task=task,
            encoder=encoder,
            metric=metric,
            citation=citation,
            percent=percent,
            items=items,
        )
    _say(import_published(store, published, about), store, about.task, published, as_json)


def _fetched(listed: CataloguedMatrix, mirror: Path | None) -> Published:
    with tempfile.TemporaryDirectory() as folder, Console(stderr=True).status(f"fetching {listed.place}"):
        return read_published(fetch(listed, Path(folder), mirror), replace(listed.columns, features=()))


def _about(listed: CataloguedMatrix, matrix: str | None) -> About:
    licence = f"licence {listed.licence}" if listed.licence else "no licence stated"
    return About(
        matrix=matrix or listed.name,
        task=listed.task,
        encoder=listed.encoder,
        metric=listed.metric,
        citation=f"{listed.citation}; {listed.address}; {licence}",
        percent=listed.percent,
    )


def _say(done: Imported, store: str, task: str | None, published: Published | None, as_json: bool) -> None:
    notes = () if published is None else published.notes
    if as_json:
        print(json.dumps({**asdict(done), "notes": notes}))
        return
    console = Console()
    there = f", {done.found} were there already" if done.found else ""
    said = f"[bold]{escape(done.matrix)}[/]: {done.added} cells added{there}; version {done.version}."
    console.print(said, highlight=False)
    if published is not None and published.ranks_only:
        console.print("The table has ranks alone: a cell is the share of the target's other sources it outranks.")
    print_notes(console, notes)
    asking = f"sprachbund recommend --store {store} --task {task or 'TASK'} --target LANGUAGE"
    console.print(f"Ask it: [bold]{escape(asking)}[/]", soft_wrap=True, highlight=False)
    trust = f"sprachbund backtest {store}/{done.matrix}"
    console.print(f"How far to trust it: [bold]{escape(trust)}[/]", soft_wrap=True)
