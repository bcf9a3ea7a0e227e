"""`plan`, `fill` and `pretrain`: jobs that train.

What trains or predicts is imported by the commands themselves: torch and Ray take seconds, which `--help` need not
wait for.
"""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from matrices.logs import configure_logs
from matrices.store import Store, StoreMissingError
from sprachbund.commands.arguments import JsonOption, shown
from sprachbund.commands.rounds import share_of

if TYPE_CHECKING:
    from workers.driver import JobState, Summary, Watch
    from workers.forecast import CostEstimate
    from workers.pending import Work
    from workers.plan import Plan
    from workers.pretraining.run import Tick

JobFile = Annotated[Path, typer.Argument(metavar="JOB.yaml", help="the job file")]
PlanFile = Annotated[
    str, typer.Argument(metavar="JOB.yaml|STORE/MATRIX", help="the job file; with --budget also a matrix of a store")
]
Budget = Annotated[
    int | None, typer.Option("--budget", min=1, help="choose so many cells to measure next, and write a job for them")
]
Address = Annotated[
    str | None,
    typer.Option("--address", help="a Ray cluster to run on; by default that of RAY_ADDRESS, else this machine"),
]
UntilRegret = Annotated[
    str | None,
    typer.Option(
        "--until-regret",
        metavar="SHARE",
        help="measure what matters most, until choosing a source is expected to cost less than this, as in 3%",
    ),
]
MostCells = Annotated[
    int | None, typer.Option("--budget", min=1, help="with --until-regret: the most cells the job has measured in all")
]
LogJson = Annotated[bool, typer.Option("--log-json", help="log a JSON object a line, as SPRACHBUND_LOG_JSON=1 does")]


def plan_command(job: PlanFile, budget: Budget = None, address: Address = None, as_json: JsonOption = False) -> None:
    """Show what a job will train and measure, what is done already, and what it is likely to cost.

    On a machine or a cluster without the GPUs that its workers want it is an error. With a budget: which cells to
    measure next, of the job or of a matrix, and why.
    """
    job_file = Path(job)
    if budget is not None and job_file.suffix not in (".yaml", ".yml"):
        from sprachbund.commands.budget import of_matrix

        of_matrix(job, budget, as_json)
        return
    from workers.job import load_job

    read = load_job(job_file)  # A mistake in it is told before torch is waited for.
    from workers.cluster import machines
    from workers.forecast import forecast
    from workers.pending import pending
    from workers.plan import make_plan

    with Console(stderr=True).status("reading and checking the corpora"):
        plan = make_plan(read, folder=job_file.parent)
    if budget is not None:
        from sprachbund.commands.budget import of_job

        of_job(job_file, plan, budget, as_json)
        return
    try:
        store = Store.open(plan.job.store)
    except StoreMissingError:
        store = None
    work = pending(plan, store)
    takes = forecast(plan, work, machines(address))
    if as_json:
        print(json.dumps(_plan_json(plan, work, takes)))
        return
    console = Console()
    console.print(_plan_table(plan, work))
    _print_notes(console, plan.notes)
    if work.cells:
        for line in _costs(takes, address):
            console.print(line, highlight=False, soft_wrap=True)
        start = f"sprachbund fill {escape(str(job_file))}{f' --address {address}' if address else ''}"
        console.print(f"Start it with [bold]{start}[/]", soft_wrap=True)
    else:
        console.print("Everything is measured already; `sprachbund fill` would train nothing.")


def fill_command(
    job_file: JobFile,
    address: Address = None,
    until_regret: UntilRegret = None,
    budget: MostCells = None,
    as_json: JsonOption = False,
    log_json: LogJson = False,
) -> None:
    """Run a job, or go on with it: train what is missing, measure what is missing, append cells as they finish.

    With --until-regret only the cells that it takes to choose a good source for every target.
    """
    if budget is not None and until_regret is None:
        raise typer.BadParameter("goes with --until-regret, which chooses the cells", param_hint="--budget")
    bound = None if until_regret is None else share_of(until_regret)
    from workers.job import load_job

    configure_logs(as_json=log_json)

    job = load_job(job_file)
    from workers.driver import fill

    if bound is None:
        with watching(Console(stderr=as_json)) as watch, stopping(job_file):
            summary = fill(job, folder=job_file.parent, address=address, watch=watch)
        if as_json:
            print(json.dumps(dataclasses.asdict(summary)))
            return
        report(Console(), summary, job.store)
        return
    from sprachbund.commands.rounds import say_rounds, say_standing
    from workers.until_regret import Rounds

    rounds = Rounds(bound, budget, say_standing)
    with watching(Console(stderr=as_json)) as watch, stopping(job_file):
        summary = fill(job, folder=job_file.parent, address=address, watch=watch, doing=rounds)
    say_rounds(summary, bound, job.store, as_json)


def pretrain_command(job_file: JobFile, as_json: JsonOption = False) -> None:
    """Train a small multilingual encoder and its tokenizer from corpora, by masked-language modelling."""
    from workers.pretraining import load_pretrain_job, pretrain

    job = load_pretrain_job(job_file)
    with counting(Console(stderr=as_json), "pretraining") as tick:
        made = pretrain(job, tick, folder=job_file.parent)
    folder = shown(made.encoder.folder)
    result = {
        "encoder": str(made.encoder.folder),
        "digest": made.encoder.digest,
        "trained": made.trained,
        "seconds": round(made.seconds, 1),
    }
    if as_json:
        print(json.dumps(result))
    elif made.trained:
        print(f"{folder}: trained in {_duration(made.seconds)}, digest {made.encoder.digest[:8]}")
    else:
        print(f"{folder}: already made by this recipe from this text; nothing trained")


def report(console: Console, summary: Summary, store: str) -> None:
    """Say what a run did and what to do next."""
    _print_notes(console, summary.notes)
    if not summary.trained and not summary.measured and not summary.failed:
        console.print(f"[green]Nothing to do:[/] all {summary.found} cells were measured before; nothing was trained.")
    else:
        console.print(
            f"[green]{summary.measured} cells measured[/], {summary.found} found done, "
            f"{summary.trained} adapters trained, {summary.reused} reused, in {_duration(summary.seconds)}."
        )
    if summary.undefined:
        console.print(
            f"[yellow]{summary.undefined} of them have no score[/]: no span was true or predicted, F1 is not defined."
        )
    if summary.failed:
        console.print(
            f"[red]{summary.failed} cells failed[/]; each is a row with its `error`. "
            "Run the same command again to retry them alone."
        )
    asking = f"sprachbund recommend --store {shown(store)} --task TASK --target LANGUAGE"
    console.print(f"Ask it: [bold]{escape(asking)}[/]", soft_wrap=True)


@contextmanager
def stopping(job_file: Path) -> Iterator[None]:
    """Let SIGTERM, as a cluster sends it at a time limit, and Ctrl-C end a run as it ends by itself, and say what next.

    Cells are kept as each column ends, and claims are given back, so that nothing is lost but work that was going on.
    """

    received: list[int] = []

    def stop(number: int, frame: object) -> None:
        received.append(number)
        raise SystemExit(number)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    except (SystemExit, KeyboardInterrupt) as stopped:
        # What is raised in a call of Ray's may come back with another code.
        number = signal.SIGINT if isinstance(stopped, KeyboardInterrupt) else next(iter(received), None)
        if number is None:
            raise
        said = "stopped. What was measured is in the store; the same command goes on: sprachbund fill"
        Console(stderr=True).print(f"{said} {shown(job_file)}", markup=False, highlight=False, soft_wrap=True)
        # All that a run cleans up is done. Ray aborts a process that had a signal as the interpreter ends.
        sys.stderr.flush()
        os._exit(128 + int(number))
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def watching(console: Console) -> Iterator[Watch]:
    """Progress of a fill: adapters and cells, and the time it still takes; a line a change where nobody sees a bar."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[left]}"))
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        adapters = progress.add_task("adapters", total=None, left="")
        cells = progress.add_task("cells", total=None, left="reading corpora")
        told: set[tuple[int, int]] = set()

        def watch(state: JobState) -> None:
            done = state.adapters[0], state.cells[0]
            left = "" if state.seconds_left is None else f"about {_duration(state.seconds_left)} left"
            progress.update(adapters, completed=done[0], total=state.adapters[1])
            progress.update(cells, completed=done[1], total=state.cells[1], left=left)
            if not console.is_terminal and done not in told:
                told.add(done)
                counts = f"adapters {done[0]}/{state.adapters[1]}, cells {done[1]}/{state.cells[1]}"
                typer.echo(f"{counts}, {left}" if left else counts, err=True)

        yield watch


@contextmanager
def counting(console: Console, what: str) -> Iterator[Tick]:
    """Progress of steps with a loss; a line a twentieth of them where nobody sees a bar."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(what, total=None, note="reading corpora")
        first: list[tuple[int, float]] = []
        told = {0}

        def tick(done: int, total: int, loss: float) -> None:
            now = time.monotonic()
            first[:] = first or [(done, now)]
            start, then = first[0]
            left = (now - then) / (done - start) * (total - done) if done > start else None
            note = f"loss {loss:.2f}" + ("" if left is None else f", about {_duration(left)} left")
            progress.update(task, completed=done, total=total, note=note)
            if not console.is_terminal and (part := done * 20 // total) not in told:
                told.add(part)
                typer.echo(f"{what} {done}/{total}, {note}", err=True)

        yield tick


def _print_notes(console: Console, notes: Iterable[str]) -> None:
    for note in notes:
        console.print(f"[yellow]note:[/] {escape(note)}", highlight=False)


def _costs(takes: CostEstimate, address: str | None) -> Iterator[str]:
    crew = takes.crew
    each = f"{crew.threads} core{'s' if crew.threads > 1 else ''}"
    each += f" and {crew.gpus:g} of a GPU" if crew.gpus else ""
    where = f"on the cluster at {address}" if address else "on this machine"
    yield f"Workers: {crew.workers} of {each} each, {where}."
    if takes.seconds is None or takes.gpu_hours is None:
        yield "Time: not known; there is no GPU at hand to measure."
    else:
        gpus = f", {takes.gpu_hours:.2g} GPU hours" if takes.gpu_hours else ""
        yield f"Time: about {_duration(takes.seconds)}{gpus}."
    yield f"Disk: about {_size(takes.adapters)} of adapters in the zoo, {_size(takes.cells)} of cells in the store."


def _plan_json(plan: Plan, work: Work, takes: CostEstimate) -> dict[str, object]:
    return {
        "encoder": plan.encoder.label,
        "revision": plan.encoder.revision,
        "precision": plan.precision,
        "matrices": list(dict.fromkeys(column.matrix for column in plan.columns)),
        "adapters": {"to_train": len(work.adapters), "reused": work.reused},
        "cells": {"to_measure": work.cells, "done": work.measured},
        "workers": dataclasses.asdict(takes.crew),
        "estimated_seconds": None if takes.seconds is None else round(takes.seconds, 1),
        "estimated_gpu_hours": None if takes.gpu_hours is None else round(takes.gpu_hours, 3),
        "estimated_bytes": {"adapters": takes.adapters, "cells": takes.cells},
        "notes": list(plan.notes),
    }


def _plan_table(plan: Plan, work: Work) -> Table:
    table = Table(title=f"{plan.job.kind} on {plan.encoder.label} ({plan.precision})")
    for name in ("matrix", "targets", "cells", "to measure"):
        table.add_column(name, justify="left" if name == "matrix" else "right")
    missing = Counter({column.matrix: 0 for column in plan.columns})
    for column in work.columns:
        missing[column.matrix] += len(column.cells)
    for matrix in missing:
        columns = [column for column in plan.columns if column.matrix == matrix]
        total = sum(len(column.cells) for column in columns)
        table.add_row(matrix, str(len(columns)), str(total), str(missing[matrix]))
    table.caption = f"adapters: {len(work.adapters)} to train, {work.reused} in the zoo"
    return table


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def _size(count: int) -> str:
    for unit in ("KB", "MB"):
        count //= 1000
        if count < 1000:
            return f"{max(1, count)} {unit}"
    return f"{count / 1000:.1f} GB"
