"""A view of a matrix as pictures and terminal tables draw it: means over seeds by pair, languages by family."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from matrices.arrays import Floats
from matrices.languages import genealogy
from matrices.nearest import there_is
from matrices.view import MatrixView, NoScoresError, view

Place = tuple[str, str]
"""Source and target, by code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreGrid:
    """A matrix under one composition and selection; languages in order of family, then code.

    ``scores`` (in [0, 1]) are means over seeds, and a place that was not measured is not in it; ``baseline`` likewise
    by target. ``changes`` are mean differences from the baseline of the same seed, of places that have both.
    """

    matrix: str
    encoder: str
    kind: str
    task: str
    metric: str
    composition: str
    selection: str
    sources: tuple[str, ...]
    targets: tuple[str, ...]
    scores: Mapping[Place, float]
    changes: Mapping[Place, float]
    baseline: Mapping[str, float]
    seeds: int
    """Different seeds there are."""
    items: tuple[int, int]
    """Fewest and most items of a target."""

    @property
    def values(self) -> Mapping[Place, float]:
        """What the matrix is about: changes where its kind is ``interference``, else scores."""
        return self.changes if self.kind == "interference" else self.scores


def grid(
    cells: pa.Table, *, matrix: str | None = None, composition: str | None = None, selection: str | None = None
) -> ScoreGrid:
    """The grid of a table of cells (``matrices.view.NARROW``).

    Of several matrices one must be named. ``composition`` and ``selection`` default as ``matrices.view.choose`` says.
    Raises ``ValueError`` where a matrix must be named, and ``NoScoresError``.
    """
    return drawn(view(_of_matrix(cells, matrix), composition=composition, selection=selection))


def drawn(found: MatrixView) -> ScoreGrid:
    """The grid of a view."""
    names = ("matrix", "encoder", "kind", "task", "metric", "composition", "selection")
    return ScoreGrid(
        **{name: getattr(found, name) for name in names},
        sources=in_family_order(found.sources),
        targets=in_family_order(found.targets),
        scores=_by_place(found, found.means),
        changes=_by_place(found, found.changes),
        baseline={
            target: score
            for target, score in zip(found.targets, found.baseline_means.tolist(), strict=True)
            if np.isfinite(score)
        },
        seeds=len(found.seeds),
        items=(int(found.n_items.min()), int(found.n_items.max())),
    )


def in_family_order(codes: Iterable[str]) -> tuple[str, ...]:
    """Different codes by family, genus and code; languages of no known family come last."""
    return tuple(sorted(set(codes), key=lambda code: (family(code) == "", family(code), _genus(code), code)))


def family(code: str) -> str:
    """The language's family, or an empty string where none is known."""
    known = genealogy(code)
    return known.family if known else ""


def _genus(code: str) -> str:
    known = genealogy(code)
    return known.genus if known else ""


def _of_matrix(cells: pa.Table, wanted: str | None) -> pa.Table:
    known = sorted(pc.unique(cells["matrix"].filter(pc.equal(cells["status"], "ok"))).to_pylist())
    if wanted is None and len(known) > 1:
        raise ValueError(f"the table holds several values of `matrix`: name one of {', '.join(known)}")
    if not known or (wanted is not None and wanted not in known):
        said = f" of matrix {wanted!r}" if wanted else ""
        raise NoScoresError(f"no cell with a score{said}; {there_is(wanted or '', known)}")
    return cells.filter(pc.equal(cells["matrix"], wanted or known[0]))


def _by_place(found: MatrixView, values: Floats) -> dict[Place, float]:
    return {
        (found.sources[row], found.targets[column]): float(values[row, column])
        for row, column in np.argwhere(np.isfinite(values))
    }
