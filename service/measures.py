"""Measures of the matrices held, kept: each is computed once a content of its matrix, however many ask."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import partial

import pyarrow as pa

from matrices.held import Held
from matrices.measures.catalogue import DEFAULTS, Settings
from matrices.measures.registry import measure
from matrices.reading import Reader
from service.downloads import identity
from service.once import Once


class Measures:
    """``matrices.measures.registry.measure`` with a memory of ``most`` tables; safe from many threads."""

    def __init__(self, most: int, compute: Callable[..., pa.Table] = measure) -> None:
        self._compute, self._kept = compute, Once[pa.Table](most)

    def __call__(
        self, reader: Reader, matrix: str, what: str, settings: Settings = DEFAULTS, *, version: int | None = None
    ) -> pa.Table:
        """One measure of the version held, from the table there is where all it is made of is as it was.

        Raises as ``measure`` does.
        """
        assert isinstance(reader, Held)
        compute = partial(self._compute, reader, matrix, what, settings, version=version)
        table = self._kept.get((matrix, _content(reader, matrix), what, settings), compute)
        return table.replace_schema_metadata({**table.schema.metadata, b"version": str(reader.version)})


def _content(held: Held, matrix: str) -> Hashable:
    """What a measure is computed from: cells, and what is kept beside them of items and encoder."""
    cells = identity(held, matrix).rpartition("-")[2]
    encoder = next(info.encoder for info in held.matrices() if info.matrix == matrix)
    return cells, hash((held.pretrained(encoder), tuple(held.items(matrix).items())))
