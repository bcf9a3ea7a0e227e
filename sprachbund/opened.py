"""Matrices that were opened, from wherever they come."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from matrices.cells import SCHEMA
from matrices.reading import Reader
from matrices.validation import LISTS
from sprachbund.results import Answer, Table

if TYPE_CHECKING:
    from matrices.plots import Chart, Order
    from matrices.recommend import Question
    from sprachbund.many_targets import AskedTarget

WITHOUT_OUTCOMES = tuple(name for name in SCHEMA.names if name not in LISTS)


class Opened(ABC):
    """What can be asked of matrices; languages are codes, tags or English names.

    What an answer raises is said where it is made: by ``Local``, and by ``sprachbund.remote.Remote``.
    """

    @abstractmethod
    def matrices(self) -> Table:
        """A row a matrix: kind, task, encoder, version, and counts of cells, sources and targets."""

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
        shots: bool = False,
    ) -> Answer:
        """The ``k`` best sources for a task in a target, measured or predicted; ``sources`` are ranked too.

        With ``shots`` from a matrix in which labelled items of the target were measured, if there is one.
        """
        from matrices.recommend import Question

        way: dict[str, Any] = {"encoder": encoder, "composition": composition, "selection": selection, "shots": shots}
        return self._answer(
            Question(task=task, target=target, k=k, matrix=matrix, kind=kind, sources=tuple(sources), **way)
        )

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
        from matrices.recommend import Question
        from sprachbund.many_targets import as_table

        way: dict[str, Any] = {"encoder": encoder, "composition": composition, "selection": selection}
        question = Question(task=task, target="", k=k, matrix=matrix, kind=kind, sources=tuple(sources), **way)
        answers = self._answers(question, targets)
        return Table(as_table(answers), f"{task} in {len(answers)} targets")

    @abstractmethod
    def cells(
        self, matrix: str, *, source: str | None = None, target: str | None = None, outcomes: bool = False
    ) -> Table:
        """A row a cell; with ``outcomes`` also those of every item."""

    @abstractmethod
    def pairs(self, matrix: str, *, composition: str | None = None, selection: str | None = None) -> Table:
        """A row a source and target: mean, SD, interval, baseline, change, names, families, whether they were seen."""

    @abstractmethod
    def measure(self, matrix: str, what: str, *, composition: str | None = None, selection: str | None = None) -> Table:
        """One measure of a matrix, by its name."""

    def plot(
        self,
        matrix: str,
        *,
        composition: str | None = None,
        selection: str | None = None,
        order: Order = "cluster",
    ) -> Chart:
        """A heat map; a notebook shows it, and ``matrices.plots.save`` writes it. Raises ``NothingToDrawError``."""
        from matrices.grid import grid
        from matrices.plots import heat_map

        cells = self.cells(matrix).to_arrow()
        return heat_map(grid(cells, composition=composition, selection=selection), order=order)

    @abstractmethod
    def _answer(self, question: Question) -> Answer: ...

    @abstractmethod
    def _answers(self, question: Question, targets: Sequence[str]) -> list[AskedTarget]:
        """The answer about each of the targets, in place of the question's own."""


class Local(Opened):
    """Matrices of a store, a file or the box, read by this process.

    Raises as ``matrices.recommend.ask`` and ``matrices.measures.registry.measure`` do, ``UnknownMatrixError`` and
    ``UnknownLanguageError``.
    """

    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    def __repr__(self) -> str:
        return f"<{len(self.reader.matrices())} matrices at version {self.reader.version}>"

    def matrices(self) -> Table:
        """See ``Opened``."""
        rows = [asdict(info) for info in self.reader.matrices()]
        return Table(pa.Table.from_pylist(rows), f"matrices at version {self.reader.version}")

    def cells(
        self, matrix: str, *, source: str | None = None, target: str | None = None, outcomes: bool = False
    ) -> Table:
        """See ``Opened``."""
        from matrices.recommend import code_of

        known = self.reader.cells(matrix, columns=["source", "target"])
        there = {code for side in known.columns for code in side.drop_null().unique().to_pylist()}
        source, target = (given and code_of(given, there) for given in (source, target))
        columns = SCHEMA.names if outcomes else WITHOUT_OUTCOMES
        return Table(self.reader.cells(matrix, source=source, target=target, columns=columns), f"cells of {matrix}")

    def pairs(self, matrix: str, *, composition: str | None = None, selection: str | None = None) -> Table:
        """See ``Opened``."""
        from matrices.pairs import pairs

        return Table(pairs(self.reader, matrix, composition, selection), f"pairs of {matrix}")

    def measure(self, matrix: str, what: str, *, composition: str | None = None, selection: str | None = None) -> Table:
        """See ``Opened``."""
        from matrices.measures.catalogue import MeasureSettings
        from matrices.measures.registry import measure

        settings = MeasureSettings(composition=composition, selection=selection)
        return Table(measure(self.reader, matrix, what, settings), f"{what} of {matrix}")

    def _answer(self, question: Question) -> Answer:
        from matrices.recommend import ask, predictor

        return Answer(ask(self.reader, question, predictor))

    def _answers(self, question: Question, targets: Sequence[str]) -> list[AskedTarget]:
        from matrices.recommend import ask, remembering
        from sprachbund.many_targets import ask_each

        predictor = remembering()
        return ask_each(targets, lambda target: ask(self.reader, replace(question, target=target), predictor))
