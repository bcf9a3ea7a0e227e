"""`othello`: the multilingual Othello laboratory.

What trains is imported by the command itself: torch and Ray take seconds, which `--help` need not wait for.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from sprachbund.commands.arguments import Drawing, JsonOption, Title, Width, shown
from sprachbund.commands.jobs import Address

if TYPE_CHECKING:
    from workers.othello.cost import Cost
    from workers.othello.findings import Finding
    from workers.othello.job import LaboratoryJob
    from workers.othello.laboratory import State, Watch
    from workers.othello.summary import OthelloSummary


class Preset(StrEnum):
    """A job that needs no file."""

    mini = "mini"
    paper = "paper"


class NoJobError(ValueError):
    """Neither a job file nor a preset, or both."""


class WithoutGpuError(RuntimeError):
    """A job for GPUs on a machine that has none."""


TABLE = {
    "own": "probe, own language",
    "cross": "other language",
    "rotated": "rotated",
    "source_after": "legal moves A, after",
    "target_before": "B, before",
    "target_after": "B, after",
    "any_after": "B, any language, after",
    "held_in_any_after": "B, held in, any language, after",
}
"""Columns of the table, of ``workers.othello.summary.MEASURES``."""

JobFile = Annotated[Path | None, typer.Argument(metavar="JOB.yaml", help="The job file; or name a preset.")]
PresetName = Annotated[
    Preset | None,
    typer.Option("--preset", help="mini: three conditions in minutes. paper: the published size, for GPUs."),
]
Out = Annotated[Path, typer.Option(help="Folder for what a preset makes; a job file names its own.")]
PlanOnly = Annotated[bool, typer.Option("--plan", help="Say what the job will take, and do not start it.")]
BridgeFolder = Annotated[
    Path | None,
    typer.Option("--bridge", help="Fill matrices on encoders of these languages: does alignment predict transfer?"),
]
OnCpu = Annotated[bool, typer.Option("--on-cpu", help="Start a job for GPUs on a machine without one.")]


def othello(
    job_file: JobFile = None,
    preset: PresetName = None,
    out: Out = Path("othello"),
    plan: PlanOnly = False,
    on_cpu: OnCpu = False,
    address: Address = None,
    bridge_folder: BridgeFolder = None,
    drawing: Drawing = "svg",
    title: Title = None,
    width: Width = None,
    as_json: JsonOption = False,
) -> None:
    """Train and probe models on invented languages of one game: what aligns languages, and does that give transfer?"""
    console = Console(stderr=as_json)
    if bridge_folder is not None:
        _bridge(console, bridge_folder, as_json)
        return
    job = _job(job_file, preset, out)
    if plan or job.gpus_per_worker:
        _plan(console, job, on_cpu=on_cpu, named=address is not None, only=plan, as_json=as_json)
    if plan:
        return
    if on_cpu:
        job = job.model_copy(update={"gpus_per_worker": 0})
    from matrices.plots import Figure
    from workers.othello.findings import findings
    from workers.othello.laboratory import NUMBERS, conduct
    from workers.othello.pictures import draw
    from workers.othello.summary import summarise

    with _watching(console) as watch:
        numbers = conduct(job, address=address, watch=watch)
    summary = summarise(numbers)
    found = findings(summary, job.conditions)
    with console.status("drawing"):
        pictures = draw(job, numbers, summary, Figure(title, width, drawing))
    files = [job.out / NUMBERS, *pictures]
    if as_json:
        print(json.dumps(_json(summary, found, files)))
        return
    console.print(_table(summary))
    for number, finding in enumerate(found, start=1):
        console.print(f"\n[bold]{number}. {finding.claim}[/] {_coloured(finding.verdict)}", highlight=False)
        for text in filter(None, (finding.evidence, finding.corrected)):
            console.print(f"   {escape(text)}", highlight=False)
    console.print(f"\nAll numbers: {shown(files[0])}; pictures: {shown(pictures[0].parent)}", soft_wrap=True)


def _job(job_file: Path | None, preset: Preset | None, out: Path) -> LaboratoryJob:
    if (job_file is None) == (preset is None):
        raise NoJobError(
            "name a job file or a preset: `sprachbund othello JOB.yaml` or `sprachbund othello --preset mini`"
        )
    if job_file is not None:
        from workers.othello.job import load_laboratory_job

        return load_laboratory_job(job_file)
    from workers.othello.job import PRESETS

    return PRESETS[str(preset)](out)


def _bridge(console: Console, folder: Path, as_json: bool) -> None:
    from workers.othello.bridge import NUMBERS, bridge

    found = bridge(folder, tell=lambda said: console.print(f"[dim]{escape(said)}[/]", highlight=False))
    if as_json:
        print(json.dumps(found.to_pylist()))
        return
    table = Table(title="Alignment and transfer between six languages: Spearman's correlation, Mantel's test", box=None)
    for name in found.column_names:
        table.add_column(name, justify="left" if name in ("condition", "kind", "task") else "right")
    for row in found.to_pylist():
        table.add_row(*(f"{value:.3f}" if isinstance(value, float) else str(value) for value in row.values()))
    console.print(table)
    console.print(f"All numbers: {shown(folder / NUMBERS)}", soft_wrap=True)


def _plan(console: Console, job: LaboratoryJob, *, on_cpu: bool, named: bool, only: bool, as_json: bool) -> None:
    import torch

    from workers.othello.cost import costs, hours

    device = "cuda" if torch.cuda.is_available() else "cpu"
    with console.status(f"measuring a step on this machine's {'GPU' if device == 'cuda' else 'CPU'}"):
        each = costs(job, device)
    if as_json and only:
        print(
            json.dumps({"device": device, "seeds": len(job.seeds), "runs": [dataclasses.asdict(one) for one in each]})
        )
    else:
        console.print(_plan_table(each, job, device))
        total = sum(one.flop for one in each) * len(job.seeds)
        console.print(
            f"{len(each) * len(job.seeds)} runs, {total:.1e} FLOP: {hours(each, job):,.0f} hours on this machine's "
            f"{device.upper()}, one after another, at the speed of the measured step.",
            highlight=False,
        )
    if job.gpus_per_worker and device == "cpu" and not (only or on_cpu or named):
        raise WithoutGpuError(
            "the job is for GPUs, and this machine has none; name a cluster with --address, or start it all the same "
            "with --on-cpu"
        )


def _plan_table(each: Sequence[Cost], job: LaboratoryJob, device: str) -> Table:
    table = Table(title=f"A run of each condition, {len(job.seeds)} seeds, board {job.board} x {job.board}", box=None)
    table.add_column("condition")
    for name in ("parameters", "tokens", "FLOP", "memory", "games on disk", f"hours ({device})"):
        table.add_column(name, justify="right")
    for one in each:
        table.add_row(
            one.condition,
            f"{one.parameters / 1e6:.2f} M",
            f"{one.tokens:.1e}",
            f"{one.flop:.1e}",
            f"{one.memory / 2**30:.2f} GiB",
            f"{one.games / 2**30:.2f} GiB",
            f"{one.seconds / 3600:,.2f}",
        )
    return table


def _table(summary: OthelloSummary) -> Table:
    seeds = summary.runs.groupby("condition").size().max()
    table = Table(
        title=f"Board states read by a probe (layer {summary.layer}), and legal moves after fine-tuning in A",
        caption=f"{seeds} seeds, means with 95% intervals" if seeds > 1 else "one seed, so no intervals",
        box=None,
    )
    table.add_column("condition")
    for name in TABLE.values():
        table.add_column(name, justify="right")
    for condition in summary.conditions:
        table.add_row(condition, *(str(summary.estimate(condition, measure)) for measure in TABLE))
    return table


@contextmanager
def _watching(console: Console) -> Iterator[Watch]:
    """Progress in runs and steps; a line a finished run where nobody sees a bar."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        runs = progress.add_task("runs", total=None)
        bars: dict[str, object] = {}
        told: set[int] = set()

        def watch(state: State) -> None:
            progress.update(runs, completed=state.done, total=state.runs)
            for label in bars.keys() - state.steps.keys():
                progress.remove_task(bars.pop(label))  # type: ignore[arg-type]
            for label, (done, total) in state.steps.items():
                if label not in bars:
                    bars[label] = progress.add_task(label, total=total)
                progress.update(bars[label], completed=done)  # type: ignore[arg-type]
            if not console.is_terminal and state.done not in told:
                told.add(state.done)
                typer.echo(f"runs {state.done}/{state.runs}", err=True)

        yield watch


def _coloured(verdict: str) -> str:
    colour = {"reproduced": "green", "not reproduced": "red"}.get(verdict, "yellow")
    return f"[{colour}]{verdict}[/]"


def _json(summary: OthelloSummary, found: Sequence[Finding], files: Sequence[Path]) -> dict[str, object]:
    return {
        "layer": summary.layer,
        "conditions": {
            condition: {
                measure: dataclasses.asdict(summary.estimate(condition, measure)) for measure in summary.runs.columns
            }
            for condition in summary.conditions
        },
        "findings": [dataclasses.asdict(finding) for finding in found],
        "files": [str(file) for file in files],
    }
