"""A worker: does one unit of work at a time, with one encoder that it keeps for life."""

from __future__ import annotations

import torch

from matrices.cells import Cell
from workers.deriving import derive
from workers.failures import failure_of
from workers.fitting import fit
from workers.loaded import Loaded
from workers.measuring import measure
from workers.protocol import Done, RunContext
from workers.work_units import Column, DevScores, Learner, MergedAdapter, Selected, WorkUnit, kept_as


class Worker:
    """Holds one encoder in one process. What it has ``loaded`` is for whoever looks at what it did."""

    def __init__(self, context: RunContext) -> None:
        torch.set_num_threads(context.threads)
        if context.device == "cuda":
            # Ray counts shares of a GPU and enforces none: without this one worker could take its neighbours' memory.
            torch.cuda.set_per_process_memory_fraction(min(1.0, context.gpu_share))
        self.loaded = Loaded(context)

    def attempt(self, unit: WorkUnit) -> Done:
        """Do one unit; what goes wrong comes back as a value, so that it is judged where it happened."""
        try:
            already_kept = not isinstance(unit, Column) and self._there(unit)
            cells = [] if already_kept else self.work(unit)
        except Exception as error:
            return Done(unit, (), failure_of(error))
        return Done(unit, tuple(cells), None, trained=not already_kept and not isinstance(unit, Column))

    def work(self, unit: WorkUnit) -> list[Cell]:
        """Do one unit. Training returns no cells: what came of it is in the zoo afterwards."""
        if isinstance(unit, Column):
            return measure(self.loaded, unit)
        if not self._there(unit):
            if isinstance(unit, DevScores | MergedAdapter | Selected):
                derive(self.loaded, unit)
            else:
                fit(self.loaded, unit)
        return []

    def _there(self, unit: Learner) -> bool:
        return all(self.loaded.zoo.has(key) for key in kept_as(unit))
