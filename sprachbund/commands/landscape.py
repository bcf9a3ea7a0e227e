"""`landscape`: between a solution of one language and one of two.

What trains is imported by the command itself: torch takes seconds, which `--help` need not wait for.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars
from rich.table import Table

from sprachbund.commands.arguments import Drawing, JsonOption, Title, Width, shown
from sprachbund.commands.jobs import JobFile

if TYPE_CHECKING:
    from workers.landscape.run import LandscapeProgress, Watch
    from workers.landscape.statistics import LandscapeSummary


def landscape(
    job_file: JobFile,
    drawing: Drawing = "svg",
    title: Title = None,
    width: Width = None,
    as_json: JsonOption = False,
) -> None:
    """Measure the line from a model of one language to one of two: how flat, how straight, how steep."""
    console = Console(stderr=as_json)
    from matrices.plots import Figure
    from workers.landscape.job import load_landscape_job
    from workers.landscape.pictures import draw
    from workers.landscape.plan import make_landscape_plan
    from workers.landscape.run import NUMBERS, conduct
    from workers.landscape.statistics import summarise

    job = load_landscape_job(job_file)
    with console.status("reading corpora"):
        plan = make_landscape_plan(job, folder=job_file.parent)
    with _watching(console) as watch:
        numbers = conduct(plan, watch)
    summary = summarise(numbers)
    with console.status("drawing"):
        pictures = draw(summary, job.out / "pictures", Figure(title, width, drawing))
    files = [job.out / NUMBERS, *pictures]
    if as_json:
        print(json.dumps({"curves": summary.to_json(), "files": [str(file) for file in files]}))
        return
    for measure in ("error", "loss"):
        console.print(_table(summary, measure))
    console.print(f"\nAll numbers: {shown(files[0])}; pictures: {shown(pictures[0].parent)}", soft_wrap=True)


def _table(summary: LandscapeSummary, measure: str) -> Table:
    """A row a pair: the target's curve, the slope of the control's, and the barrier of the source's."""
    seeds = summary.curves["seed"].nunique()
    table = Table(
        title=f"{measure.capitalize()} from the source's solution (0) to that of both languages (1), {summary.method}",
        caption=f"{seeds} seeds, means with 95% intervals" if seeds > 1 else "one seed, so no intervals",
        box=None,
    )
    table.add_column("pair")
    for name in ("target at 0", "target at 1", "slope at 0", "of the control", "R2", "barrier", "source's barrier"):
        table.add_column(name, justify="right")
    for source, target in summary.pairs:
        of_target = [(target, target, name) for name in ("at_0", "at_1", "slope")]
        told = [*of_target, (source, target, "slope"), (target, target, "r2"), (target, target, "barrier")]
        told.append((target, source, "barrier"))
        estimates = [summary.estimate(source, toward, code, measure, name) for toward, code, name in told]
        table.add_row(f"{source} {target}", *("" if one is None else str(one) for one in estimates))
    return table


@contextmanager
def _watching(console: Console) -> Iterator[Watch]:
    """Progress in lines and steps; a line a line measured where nobody sees a bar."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Bars(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        whole, part = bars.add_task("lines and surfaces", total=None), bars.add_task("", total=None)
        told: set[int] = set()

        def watch(progress: LandscapeProgress) -> None:
            bars.update(whole, completed=progress.done, total=progress.total)
            bars.update(part, description=progress.at, completed=progress.steps[0], total=progress.steps[1])
            if not console.is_terminal and progress.done not in told:
                told.add(progress.done)
                typer.echo(f"lines and surfaces {progress.done}/{progress.total}", err=True)

        yield watch
