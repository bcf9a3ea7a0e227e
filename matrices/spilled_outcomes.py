"""Outcomes of items kept apart from the rest of a matrix's cells: nearly all there is of a large one, and seldom asked.

Few stay in memory. Many are written to a file that is mapped into memory, so that the system reads what is asked for,
and may forget it again.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from matrices.cells import SCHEMA
from matrices.validation import LISTS

SCHEMA_OF_LISTS = pa.schema([SCHEMA.field(name) for name in LISTS])
MOST_IN_MEMORY = 32 * 2**20
"""Bytes of outcomes of one matrix from which on they are mapped from a file."""
_ROWS = 4096
"""In a batch: what is read together, and within the offsets of a list of 32 bits."""


class SpilledOutcomes:
    """The outcomes of some rows, in the order in which they were ``add``-ed; written once, then read by row."""

    def __init__(self, folder: Path | None = None, most: int = MOST_IN_MEMORY) -> None:
        """``folder`` is where the file of many outcomes lies, the temporary folder where it is None."""
        self._folder, self._most = folder, most
        self._batches: list[pa.RecordBatch] = []
        self._begins = [0]
        self._bytes = 0
        self._file: Any = None
        self._writer: Any = None

    def add(self, rows: pa.Table) -> None:
        """More rows, of ``SCHEMA_OF_LISTS``."""
        for batch in rows.combine_chunks().to_batches(_ROWS):
            self._begins.append(self._begins[-1] + batch.num_rows)
            self._bytes += batch.nbytes
            self._batches.append(batch)
        if self._bytes > self._most:
            self._flush()

    def finish(self) -> None:
        """No more rows: what was written is mapped. The file has no name any more, and goes with this object."""
        if self._writer is None:
            return
        self._flush()
        self._writer.close()
        self._file.flush()
        path = Path(self._file.name)
        mapped = pa.memory_map(str(path))
        reader = pa.ipc.open_file(mapped)
        self._batches = [reader.get_batch(index) for index in range(reader.num_record_batches)]
        self._file.close()
        self._file = self._writer = None

    def take(self, rows: NDArray[np.int64]) -> pa.Table:
        """The outcomes of rows by their numbers, in that order."""
        if not len(rows):
            return SCHEMA_OF_LISTS.empty_table()
        order = np.argsort(rows, kind="stable")
        of_batch = np.searchsorted(self._begins, rows[order], side="right") - 1
        taken, offsets = [], np.flatnonzero(np.diff(of_batch)) + 1
        for group in np.split(order, offsets):
            at = int(np.searchsorted(self._begins, rows[group[0]], side="right")) - 1
            taken.append(self._batches[at].take(pa.array(rows[group] - self._begins[at])))
        return _arranged(pa.Table.from_batches(taken, SCHEMA_OF_LISTS), order)

    @property
    def in_memory(self) -> bool:
        """Whether no file was needed."""
        return self._bytes <= self._most

    def _flush(self) -> None:
        if self._writer is None:
            if self._folder is not None:
                self._folder.mkdir(parents=True, exist_ok=True)
            self._file = tempfile.NamedTemporaryFile(prefix="sprachbund-outcomes-", dir=self._folder)  # noqa: SIM115
            self._writer = pa.ipc.new_file(self._file, SCHEMA_OF_LISTS)
        for batch in self._batches:
            self._writer.write_batch(batch)
        self._batches = []
        self._file.flush()


class OutcomesLater:
    """Outcomes that are read when some are asked for: most questions ask for none."""

    def __init__(self, read: Callable[[], SpilledOutcomes]) -> None:
        self._read = cache(read)

    def take(self, rows: NDArray[np.int64]) -> pa.Table:
        """As ``SpilledOutcomes.take``."""
        return self._read().take(rows)


def _arranged(table: pa.Table, order: NDArray[np.int64]) -> pa.Table:
    """Rows that stand in ``order`` of what was asked, as they were asked."""
    if np.array_equal(order, np.arange(len(order))):
        return table
    back = np.empty_like(order)
    back[order] = np.arange(len(order))
    return table.take(pa.array(back))


def in_memory(tables: Sequence[pa.Table]) -> SpilledOutcomes:
    """The outcomes of tables that are in memory already, and stay there."""
    outcomes = SpilledOutcomes(most=2**62)
    for table in tables:
        outcomes.add(table)
    return outcomes
