"""Measures of the matrices held, kept: each is computed once a content of its matrix, however many ask."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import partial

import pyarrow as pa

from matrices.measures.catalogue import DEFAULTS, MeasureSettings
from matrices.measures.registry import UnknownMeasureError, measure
from matrices.reading import Reader
from matrices.snapshot import Snapshot
from matrices.view import MeasureError
from service.single_flight import Once
from service.thread_pools import NotYetError


class Measures:
    """``matrices.measures.registry.measure`` with a memory of ``most`` tables; safe from many threads."""

    def __init__(self, most: int, compute: Callable[..., pa.Table] = measure) -> None:
        self._compute, self._kept = compute, Once[pa.Table](most, final=(MeasureError, UnknownMeasureError))

    def __call__(
        self,
        reader: Reader,
        matrix: str,
        what: str,
        settings: MeasureSettings = DEFAULTS,
        *,
        version: int | None = None,
    ) -> pa.Table:
        """One measure of the version held, from the table there is where all it is made of is as it was.

        Raises as ``measure`` does.
        """
        table = self._kept.get(_key(reader, matrix, what, settings), self._computing(reader, matrix, what, settings))
        return table.replace_schema_metadata({**table.schema.metadata, b"version": str(reader.version)})

    def at_hand(
        self,
        reader: Reader,
        matrix: str,
        what: str,
        settings: MeasureSettings = DEFAULTS,
        *,
        version: int | None = None,
    ) -> pa.Table:
        """The same where it is computed. Raises ``NotYetError`` where it is not, and never waits."""
        key = _key(reader, matrix, what, settings)
        if not self._kept.has(key):
            raise NotYetError(key, partial(self._made, reader, matrix, what, settings))
        return self(reader, matrix, what, settings)

    def _made(self, reader: Reader, matrix: str, what: str, settings: MeasureSettings) -> None:
        try:
            self(reader, matrix, what, settings)
        except (MeasureError, UnknownMeasureError):
            return  # Kept, for the answer to say.

    def _computing(self, reader: Reader, matrix: str, what: str, settings: MeasureSettings) -> Callable[[], pa.Table]:
        return partial(self._compute, reader, matrix, what, settings, version=reader.version)


def _key(reader: Reader, matrix: str, what: str, settings: MeasureSettings) -> Hashable:
    assert isinstance(reader, Snapshot)
    return matrix, reader.content(matrix), what, settings
