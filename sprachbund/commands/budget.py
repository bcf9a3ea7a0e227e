"""`plan --budget`: the cells to measure next, why, and how."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml
from rich.box import SIMPLE
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from matrices.bundled import store_or_box
from matrices.reading import UnknownMatrixError
from matrices.recommend import named
from matrices.recommend.predicted.acquisition import Advice, advise
from matrices.scores import NoScoresError, ScoreTable, scores_of
from matrices.store import Store, StoreMissingError

if TYPE_CHECKING:
    from workers.plan import Plan


class BudgetError(ValueError):
    """A job whose budget cannot be spent as it stands."""


def of_job(job_file: Path, plan: Plan, budget: int, as_json: bool) -> None:
    """Choose among a job's cells, and write a job beside it that measures those alone."""
    matrices = list(dict.fromkeys(column.matrix for column in plan.columns))
    if len(matrices) > 1:
        tasks = ", ".join(dict.fromkeys(column.task for column in plan.columns))
        raise BudgetError(f"{job_file}: a budget is spent on one task; keep one of {tasks} in `tasks`")
    among = {
        (cell.source, column.target)
        for column in plan.columns
        for cell in column.cells
        if cell.source is not None and cell.source != column.target
    }
    with Console(stderr=True).status("predicting what was not measured"):
        chosen = advise(_measured(plan.job.store, matrices[0]), budget, among)
    following = job_file.with_name(f"{job_file.stem}.next.yaml")
    if chosen:
        _write(job_file, following, chosen)
    start = f"sprachbund fill {following}" if chosen else None
    _say(matrices[0], chosen, start, as_json)


def of_matrix(matrix: str, budget: int, as_json: bool) -> None:
    """Choose among the cells that a matrix of a store has no score of."""
    store, _, name = matrix.rpartition("/")
    with Console(stderr=True).status("predicting what was not measured"):
        chosen = advise(scores_of(store_or_box(store or None), name), budget)
    _say(name, chosen, None, as_json)


def _measured(store: str, matrix: str) -> ScoreTable:
    try:
        return scores_of(Store(store), matrix)
    except (StoreMissingError, UnknownMatrixError, NoScoresError):
        return ScoreTable((), (), np.empty((0, 0)))


def _write(job_file: Path, following: Path, chosen: Sequence[Advice]) -> None:
    job: dict[str, Any] = yaml.safe_load(job_file.read_text(encoding="utf-8"))
    cells: defaultdict[str, list[str]] = defaultdict(list)
    for one in chosen:
        cells[one.target].append(one.source)
    job["cells"] = dict(cells)
    text = f"# {job_file.name}, of its cells those to measure next\n{yaml.safe_dump(job, sort_keys=False, width=100)}"
    following.write_text(text, encoding="utf-8")


def _say(matrix: str, chosen: Sequence[Advice], start: str | None, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"matrix": matrix, "cells": [asdict(one) for one in chosen], "fill": start}))
        return
    console = Console()
    if not chosen:
        console.print(f"{escape(matrix)}: every cell has a score.")
        return
    table = Table(box=SIMPLE, padding=(0, 1), pad_edge=False, title=f"{escape(matrix)}: measure next")
    for heading in ("", "source", "target", "why"):
        table.add_column(heading, justify="left" if heading else "right")
    for place, one in enumerate(chosen, start=1):
        source, target = (f"{named(code).name} ({code})" for code in (one.source, one.target))
        table.add_row(str(place), source, target, _why(one))
    console.print(table)
    console.print("Chosen for what their scores are expected to add to the best choice of a source for their target.")
    console.print("What one score tells of other cells is not counted: measure some of them, then ask again.")
    if start is not None:
        console.print(f"Measure them: [bold]{escape(start)}[/]", soft_wrap=True)
    else:
        console.print(
            "Measure them with a job that names them in `cells`: [bold]sprachbund plan JOB.yaml --budget N[/]"
        )


def _why(one: Advice) -> str:
    if one.score is None or one.interval is None:
        return "nothing to predict from yet: the two are alike"
    low, high = one.interval
    return f"{one.score:.2f} expected ({low:.2f} to {high:.2f}), the best with probability {one.probability_best:.0%}"
