"""The store as one run sees it: appended to through outages, and looked at again where other jobs write too."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import structlog

from matrices.cells import Cell
from matrices.store import Store
from workers.failures import Backoff, is_passing, persist
from workers.leases import Leases
from workers.work_units import Column

_log = structlog.get_logger(__name__)


class CellWriter:
    """Appends the cells of a run, none twice.

    ``version`` is the store's version when the run's pending work was listed. As long as every later version is the
    run's own, no other run can have done any of that work, and the store is not read again.
    """

    def __init__(self, store: Store, version: int, backoff: Backoff) -> None:
        self._store, self._backoff = store, backoff
        self._version, self._alone = version, True
        self._appends = 0

    def missing(self, column: Column) -> Column:
        """The column with the cells that have no score yet, perhaps none. Raises ``OSError`` or ``DeltaError``."""
        self._alone = self._alone and self._store.version == self._version
        if self._alone:
            return column
        measured = self._store.measured_ids(matrix=column.matrix, target=column.target)
        return replace(column, cells=tuple(cell for cell in column.cells if cell.cell_id not in measured))

    def append(self, cells: Sequence[Cell]) -> None:
        """Keep cells in one commit; waits where the store is out of reach. Raises ``JobInterruptedError``."""
        unsure = False

        def commit() -> None:
            # A commit whose answer was lost on the way may have been made, so every further attempt looks first.
            nonlocal unsure
            left = self._unwritten(cells) if unsure else cells
            self._alone, unsure = self._alone and not unsure, True
            if left:
                self._made(self._store.append(left))
                self._appends += 1

        if cells:
            persist(self._backoff, f"keeping {len(cells)} cells in {self._store.uri}", commit, is_passing)

    def tidy(self, leases: Leases, after: int = 1) -> None:
        """Join the store's small files once there were so many appends, unless another run is at it.

        A failure to join loses no cell; it is tried again after as many further appends.
        """
        if self._appends < after:
            return
        self._appends = 0
        try:
            for matrix in self._store.crowded():
                self._join(matrix, leases)
        except Exception as error:
            if not is_passing(error):
                raise
            _log.warning("small files of the store are not joined yet", error=str(error))

    def _join(self, matrix: str, leases: Leases) -> None:
        """Under a lease: two runs that join the same files would double their cells."""
        name = hashlib.sha256(f"join {matrix}".encode()).hexdigest()[:32]
        if leases.take(name, f"joining small files of {matrix}"):
            try:
                version = self._store.compact(matrix)
            finally:
                leases.release(name)
            if version is not None:
                self._made(version)

    def _made(self, version: int) -> None:
        """Take note of a version that this run made."""
        self._alone = self._alone and version == self._version + 1
        self._version = version

    def _unwritten(self, cells: Sequence[Cell]) -> list[Cell]:
        columns = {(cell.matrix, cell.target) for cell in cells}
        measured = {
            cell for matrix, target in columns for cell in self._store.measured_ids(matrix=matrix, target=target)
        }
        return [cell for cell in cells if cell.cell_id not in measured]
