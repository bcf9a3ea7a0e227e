"""Matrices that were opened, from wherever they come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import pyarrow as pa

from matrices.cells import SCHEMA
from matrices.reading import Reader
from matrices.sound import LISTS
from sprachbund.results import Answer, Table

if TYPE_CHECKING:
    from matrices.plots import Chart, Order

WITHOUT_OUTCOMES = tuple(name for name in SCHEMA.names if name not in LISTS)


class Opened(Protocol):
    """What can be asked of matrices; languages are codes, tags or English names."""

    def matrices(self) -> Table:
        """A row a matrix: kind, task, encoder, version, and counts of cells, sources and targets."""
        ...

    def recommend(
        self,
        task: str,
        target: str,
        *,
        k: int = 5,
        matrix: str | None = None,
        kind: str | None = None,
        encoder: str | None = None,
        composition: str | None = None,
        selection: str | None = None,
        sources: Sequence[str] = (),
    ) -> Answer:
        """The ``k`` best sources for a task in a target, measured or predicted; ``sources`` are ranked too."""
        ...

    def recommend_many(
        self,
        task: str,
        targets: Sequence[str],
        *,
        k: int = 5,
        matrix: str | None = None,
        kind: str | None = None,
        encoder: str | None = None,
        composition: str | None = None,
        selection: str | None = None,
        sources: Sequence[str] = (),
    ) -> Table:
        """A row a target: the verdict, the best source, what to expect of it, or the problem that nothing is known."""
        ...

    def cells(
        self, matrix: str, *, source: str | None = None, target: str | None = None, outcomes: bool = False
    ) -> Table:
        """A row a cell; with ``outcomes`` also those of every item."""
        ...

    def pairs(self, matrix: str, *, composition: str | None = None, selection: str | None = None) -> Table:
        """A row a source and target: mean, SD, interval, baseline, change, names, families, whether they were seen."""
        ...

    def measure(self, matrix: str, what: str, *, composition: str | None = None, selection: str | None = None) -> Table:
        """One measure of a matrix, by its name."""
        ...

    def plot(
        self,
        matrix: str,
        *,
        composition: str | None = None,
        selection: str | None = None,
        order: Order = "cluster",
    ) -> Chart:
        """A heat map; a notebook shows it, and ``matrices.plots.save`` writes it."""
        ...


class Local:
    """Matrices of a store, a file or the box, read by this process."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    def __repr__(self) -> str:
        return f"<{len(self.reader.matrices())} matrices at version {self.reader.version}>"

    def matrices(self) -> Table:
        """See ``Opened``."""
        from dataclasses import asdict

        rows = [asdict(info) for info in self.reader.matrices()]
        return Table(pa.Table.from_pylist(rows), f"matrices at version {self.reader.version}")

    def recommend(
        self,
        task: str,
        target: str,
        *,
        k: int = 5,
        matrix: str | None = None,
        kind: str | None = None,
        encoder: str | None = None,
        composition: str | None = None,
        selection: str | None = None,
        sources: Sequence[str] = (),
    ) -> Answer:
        """See ``Opened``. Raises as ``matrices.recommend.ask`` does."""
        from matrices.recommend import Question, ask, predictor

        question = Question(
            task=task,
            target=target,
            k=k,
            matrix=matrix,
            kind=kind,
            sources=tuple(sources),
            encoder=encoder,
            composition=composition,
            selection=selection,
        )
        return Answer(ask(self.reader, question, predictor))

    def recommend_many(
        self,
        task: str,
        targets: Sequence[str],
        *,
        k: int = 5,
        matrix: str | None = None,
        kind: str | None = None,
        encoder: str | None = None,
        composition: str | None = None,
        selection: str | None = None,
        sources: Sequence[str] = (),
    ) -> Table:
        """See ``Opened``. Raises as ``matrices.recommend.ask`` does, but for targets that nobody knows."""
        from matrices.recommend import Question, ask, remembering
        from sprachbund.several import as_table, ask_each

        question = Question(
            task=task,
            target="",
            k=k,
            matrix=matrix,
            kind=kind,
            sources=tuple(sources),
            encoder=encoder,
            composition=composition,
            selection=selection,
        )
        predictor = remembering()
        answers = ask_each(targets, lambda target: ask(self.reader, replace(question, target=target), predictor))
        return Table(as_table(answers), f"{task} in {len(answers)} targets")

    def cells(
        self, matrix: str, *, source: str | None = None, target: str | None = None, outcomes: bool = False
    ) -> Table:
        """See ``Opened``. Raises ``UnknownMatrixError`` and ``UnknownLanguageError``."""
        from matrices.recommend import code_of

        known = self.reader.cells(matrix, columns=["source", "target"])
        there = {code for side in known.columns for code in side.drop_null().unique().to_pylist()}
        source, target = (given and code_of(given, there) for given in (source, target))
        columns = SCHEMA.names if outcomes else WITHOUT_OUTCOMES
        return Table(self.reader.cells(matrix, source=source, target=target, columns=columns), f"cells of {matrix}")

    def pairs(self, matrix: str, *, composition: str | None = None, selection: str | None = None) -> Table:
        """See ``Opened``. Raises ``UnknownMatrixError``."""
        from matrices.pairs import pairs

        return Table(pairs(self.reader, matrix, composition, selection), f"pairs of {matrix}")

    def measure(self, matrix: str, what: str, *, composition: str | None = None, selection: str | None = None) -> Table:
        """See ``Opened``. Raises as ``matrices.measures.registry.measure`` does."""
        from matrices.measures.catalogue import Settings
        from matrices.measures.registry import measure

        settings = Settings(composition=composition, selection=selection)
        return Table(measure(self.reader, matrix, what, settings), f"{what} of {matrix}")

    def plot(
        self,
        matrix: str,
        *,
        composition: str | None = None,
        selection: str | None = None,
        order: Order = "cluster",
    ) -> Chart:
        """See ``Opened``. Raises ``NothingToDrawError`` and ``UnknownMatrixError``."""
        return drawn(self.reader.cells(matrix, columns=WITHOUT_OUTCOMES), composition, selection, order)


def drawn(cells: pa.Table, composition: str | None, selection: str | None, order: Order) -> Chart:
    """The heat map of one matrix's cells."""
    from matrices.grid import grid
    from matrices.plots import heat_map

    return heat_map(grid(cells, composition=composition, selection=selection), order=order)
