"""What passes between a driver and its workers: what they are told once, and what comes back of a unit of work.

Apart from `worker`, so that a driver does not wait for the libraries that only its workers compute with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from adapters_zoo.precision import Precision
from adapters_zoo.recipes import Method
from adapters_zoo.sources import EncoderFiles
from matrices.cells import Cell, Kind, Status, now
from workers.failures import Failure
from workers.tasks.scoring import Outcome, score
from workers.work_units import Column, PlannedCell, WorkUnit


@dataclass(frozen=True, slots=True)
class Done:
    """A unit that ended: the cells of a column, whether an adapter was trained or was there, or the failure."""

    unit: WorkUnit
    cells: tuple[Cell, ...]
    failure: Failure | None
    trained: bool = False


@dataclass(frozen=True, slots=True)
class RunContext:
    """What every worker of a run is told once. ``job`` and ``run`` are ids for logs and metrics."""

    encoder: EncoderFiles
    precision: Precision
    device: str
    threads: int
    corpora: Path
    zoo: str
    tasks: tuple[str, ...]
    kind: Kind
    gpu_share: float
    method: Method
    job: str
    run: str


def failed_cells(column: Column, cells: Sequence[PlannedCell], error: str, context: RunContext) -> list[Cell]:
    """Rows of cells that were not measured, with the error."""
    return [cell_of(column, cell, context, status="failed", error=error) for cell in cells]


def measured_cell(
    column: Column,
    cell: PlannedCell,
    context: RunContext,
    outcomes: Sequence[Outcome],
    *,
    provenance: str,
    seconds: float,
) -> Cell:
    """The row of a cell that was measured, by its outcomes: one an item."""
    result = score(outcomes)
    return cell_of(
        column,
        cell,
        context,
        status="undefined" if result is None else "ok",
        error="no span was true or predicted, so F1 is not defined" if result is None else None,
        score=result,
        outcomes=outcomes,
        provenance=provenance,
        seconds=seconds,
    )


def cell_of(
    column: Column,
    cell: PlannedCell,
    context: RunContext,
    *,
    status: Status,
    error: str | None,
    score: float | None = None,
    outcomes: Sequence[Outcome] | None = None,
    provenance: str | None = None,
    seconds: float = 0.0,
) -> Cell:
    """The row of a planned cell, and what came of it."""
    return Cell(
        matrix=column.matrix,
        encoder=context.encoder.label,
        kind=context.kind,
        composition=cell.composition,
        task=column.task,
        metric=column.metric,
        source=cell.source,
        target=column.target,
        selection=cell.selection,
        shots=cell.shots,
        method=context.method,
        seed=cell.seed,
        language_seed=cell.language_seed,
        score=score,
        n_items=column.data.items,
        correct=None if outcomes is None else tuple(correct for correct, _ in outcomes),
        total=None if outcomes is None else tuple(total for _, total in outcomes),
        status=status,
        error=error,
        provenance=provenance,
        data=f"{column.data.digest[:32]}:{column.data.items}",
        seconds=seconds,
        device=context.device,
        created_at=now(),
        cell_id=cell.cell_id,
    )
