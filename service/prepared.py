"""Matrices made ready to be asked about: each content of one is outlined and laid out once, whatever version has it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import pyarrow as pa

from matrices.recommend import READ, Outline, Shown, outline, shown
from matrices.snapshot import Snapshot
from matrices.view import COLUMNS
from service.single_flight import Newest


class Prepared:
    """A memory of ``most`` outlines and as many views; safe from many threads."""

    def __init__(self, most: int) -> None:
        self._outlines, self._views = Newest[Outline](most), Newest[Shown | None](most)

    def of(self, held: Snapshot) -> PreparedMatrices:
        """The matrices of one version, as ``matrices.recommend.asked`` and ``ranked`` take them."""
        return PreparedMatrices(held, self._outlines, self._views)


@dataclass(frozen=True, slots=True)
class PreparedMatrices:
    """The matrices of a version held, from memory where they are there."""

    held: Snapshot
    outlines: Newest[Outline]
    views: Newest[Shown | None]

    def outline(self, matrix: str) -> Outline:
        """What it holds. Raises ``UnknownMatrixError``."""
        return self.outlines.get(matrix, self.held.content(matrix), lambda: outline(self._cells(matrix)))

    def shown(self, matrix: str, composition: str, selection: str) -> Shown | None:
        """Its scores under a composition and selection. Raises ``UnknownMatrixError``."""
        name, content = (matrix, composition, selection), self.held.content(matrix)
        found = self.views.get(name, content, partial(self._shown, matrix, composition, selection))
        return None if found is None else found.reading(self._outcomes(matrix))

    def chosen(self, matrix: str, composition: str | None = None, selection: str | None = None) -> Shown | None:
        """Its scores under what is named, else what ``matrices.view.choose`` says; None where there are none.

        Raises ``UnknownMatrixError``, and ``UnknownWayError`` for a composition or selection that is not there.
        """
        about = self.outline(matrix)
        about.must_have(composition, selection)
        return self.shown(matrix, *about.choose(composition, selection))

    def _shown(self, matrix: str, composition: str, selection: str) -> Shown | None:
        # Without a way to read outcomes: what is kept must not keep the version alive that it was laid out from.
        beside = self.held.items(matrix), None, self.held.spreads(matrix)
        return shown(self._cells(matrix), composition, selection, *beside)

    def _outcomes(self, matrix: str) -> Callable[[str], pa.Table]:
        return lambda target: self.held.cells(matrix, columns=COLUMNS, target=target)

    def _cells(self, matrix: str) -> pa.Table:
        return self.held.cells(matrix, columns=READ)
