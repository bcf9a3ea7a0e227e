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
from matrices.cells import Cell, Kind, now
from workers.failures import Failure
from workers.units import SELECTION, Column, PlannedCell, Unit


@dataclass(frozen=True, slots=True)
class Done:
    """A unit that ended: a column's cells, whether an adapter was trained or found, or why neither came of it."""

    unit: Unit
    cells: tuple[Cell, ...]
    failure: Failure | None
    trained: bool = False


@dataclass(frozen=True, slots=True)
class Bench:
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


def failed_cells(column: Column, cells: Sequence[PlannedCell], error: str, bench: Bench) -> list[Cell]:
    """Rows that say of cells why they were not measured."""
    return [
        Cell(
            matrix=column.matrix,
            encoder=bench.encoder.label,
            kind=bench.kind,
            composition=cell.composition,
            task=column.task,
            metric=column.metric,
            source=cell.source,
            target=column.target,
            selection=SELECTION,
            seed=cell.seed,
            score=None,
            n_items=column.data.items,
            correct=None,
            total=None,
            status="failed",
            error=error,
            seconds=0.0,
            device=bench.device,
            created_at=now(),
            cell_id=cell.cell_id,
        )
        for cell in cells
    ]
