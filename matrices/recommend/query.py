"""From a question (task, target, and perhaps a matrix) to the matrix that answers it, and the answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Protocol, TypeVar

import pyarrow as pa

from matrices.nearest import there_is
from matrices.reading import MatrixInfo, Reader, UnknownMatrixError
from matrices.recommend.alternatives import elsewhere
from matrices.recommend.answer import Recommendation
from matrices.recommend.measured import Ranking, UnknownTargetError, rank, shown
from matrices.recommend.names import code_of
from matrices.recommend.outline import Outline, UnknownWayError, outline
from matrices.recommend.prediction import Outlook, Predict
from matrices.recommend.ranking import Shown
from matrices.snapshot import Snapshot
from matrices.view import COLUMNS, NARROW

READ = (*NARROW, "device", "provenance")
"""The columns of a matrix that an answer rests on, but for outcomes of items."""


T = TypeVar("T")


class UnknownTaskError(LookupError):
    """No matrix of that task (and kind); the message names what there is."""

    def __init__(self, given: str, known: Sequence[str], kind: str | None = None) -> None:
        self.given, self.known = given, tuple(known)
        what = f"task {given!r}" if kind is None else f"task {given!r} of kind {kind}"
        super().__init__(f"there is no matrix for {what}; {there_is(given, known)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What someone asks. ``target`` is any tag, code or English name.

    ``matrix``, ``kind`` and ``encoder`` narrow where to look. ``composition`` and ``selection`` name what is
    ranked, where a matrix was measured in several ways.

    ``sources`` are languages to rank besides those of the matrix, whether or not anything was measured of them. Of
    ``shots``, a matrix comes first in which labelled items of the target were measured.
    """

    task: str
    target: str
    k: int = 5
    matrix: str | None = None
    kind: str | None = None
    sources: tuple[str, ...] = ()
    encoder: str | None = None
    composition: str | None = None
    selection: str | None = None
    shots: bool = False


class Predictor(Protocol):
    """Makes predictions for one target from the measured scores of one matrix, under one composition and selection."""

    def __call__(
        self, reader: Reader, matrix: str, version: int, composition: str, selection: str, target: str
    ) -> Predict:
        """Raises ``NothingToPredictError``."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question resolved against a matrix: what is ranked, for which target, in ISO 639-3 codes.

    How many sources are shown is no part of it.
    """

    matrix: str
    composition: str
    selection: str
    target: str
    sources: tuple[str, ...]


class MatrixCatalogue(Protocol):
    """The matrices that questions are answered from; each is read when it is asked about, or before."""

    def outline(self, matrix: str) -> Outline:
        """The outline of a matrix."""
        ...

    def shown(self, matrix: str, composition: str, selection: str) -> Shown | None:
        """The scores of a matrix to rank by; None where there are none."""
        ...


def ask(reader: Reader, question: Question, predictor: Predictor | None = None) -> Recommendation:
    """The recommendation from the newest version of the first matrix that fits and has the target.

    Without a matrix named, ``zero_shot`` comes before ``interference``, and more cells before fewer. Where none has the
    target, the first answers that can be predicted from; without a ``predictor`` none can. Outcomes of items are read
    of the target alone. Raises ``UnknownTaskError``, ``UnknownMatrixError``, ``UnknownTargetError`` and
    ``UnknownLanguageError``.
    """
    matrices = _Read(reader)
    unknown: list[UnknownTargetError] = []
    for place in asked(reader.matrices(matrices.version), matrices, question):
        try:
            return ranked(reader, matrices, place, predictor, matrices.version).first(question.k)
        except UnknownTargetError as error:
            unknown.append(error)
    raise unknown[0]


def asked(infos: Sequence[MatrixInfo], matrices: MatrixCatalogue, question: Question) -> list[Asked]:
    """Where a question may be answered from, the likeliest first: one place alone where its target was measured.

    Raises ``UnknownTaskError``, ``UnknownMatrixError``, ``UnknownWayError`` and ``UnknownLanguageError``.
    """
    outlines = [matrices.outline(info.matrix) for info in _fitting(infos, question)]
    if question.shots:
        outlines.sort(key=lambda about: code_of(question.target, about.targets) not in about.with_shots)
    measured = (about for about in outlines if code_of(question.target, about.targets) in about.targets)
    first = next(measured, None)
    return [_asked(about, question) for about in (outlines if first is None else [first])]


def ranked(
    reader: Reader, matrices: MatrixCatalogue, place: Asked, predictor: Predictor | None, version: int | None = None
) -> Ranking:
    """The ranking that answers, at a version of the reader, default the newest. Raises ``UnknownTargetError``."""
    about, at = matrices.outline(place.matrix), reader.version if version is None else version

    @cache
    def made(target: str) -> Predict:
        assert predictor is not None
        return predictor(reader, place.matrix, at, place.composition, place.selection, target)

    def predict(target: str, more: Sequence[str]) -> Outlook:
        return made(target)(target, more)

    infos = {info.matrix: info for info in reader.matrices(at)}

    return rank(
        about,
        matrices.shown(place.matrix, place.composition, place.selection),
        place.target,
        composition=place.composition,
        selection=place.selection,
        version=at,
        measured_on=reader.provenance,
        asked=place.sources,
        predict=None if predictor is None else predict,
        pretrained=reader.pretrained(about.encoder),
        others=partial(elsewhere, reader, at, infos.values(), infos[place.matrix]),
        shots=about.shots(
            place.target,
            place.composition,
            place.selection,
            lambda target: reader.cells(place.matrix, version=at, columns=COLUMNS, target=target),
        ),
    )


@dataclass(eq=False)
class _Read:
    """The matrices of a reader at its newest version, read for one question."""

    reader: Reader

    def __post_init__(self) -> None:
        self.version = self.reader.version
        self._cells: dict[str, pa.Table] = {}

    def outline(self, matrix: str) -> Outline:
        return self._kept(("outline", matrix), lambda: outline(self._of(matrix)))

    def shown(self, matrix: str, composition: str, selection: str) -> Shown | None:
        return self._kept(
            ("shown", matrix, composition, selection), lambda: self._shown(matrix, composition, selection)
        )

    def _kept(self, key: tuple[str, ...], compute: Callable[[], T]) -> T:
        """A snapshot never changes, so that what was worked out of it holds for the next question."""
        return self.reader.remember(key, compute) if isinstance(self.reader, Snapshot) else compute()

    def _shown(self, matrix: str, composition: str, selection: str) -> Shown | None:
        return shown(
            self._of(matrix),
            composition,
            selection,
            self.reader.items(matrix),
            partial(self._target, matrix),
            self.reader.spreads(matrix),
        )

    def _target(self, matrix: str, target: str) -> pa.Table:
        return self.reader.cells(matrix, version=self.version, columns=COLUMNS, target=target)

    def _of(self, matrix: str) -> pa.Table:
        if matrix not in self._cells:
            self._cells[matrix] = self.reader.cells(matrix, version=self.version, columns=READ)
        return self._cells[matrix]


def _asked(about: Outline, question: Question) -> Asked:
    target = code_of(question.target, about.languages)
    about.must_have(question.composition, question.selection)
    composition, selection = about.choose(question.composition, question.selection, target)
    sources = tuple(dict.fromkeys(code_of(source, about.languages) for source in question.sources))
    return Asked(matrix=about.matrix, composition=composition, selection=selection, target=target, sources=sources)


def _fitting(infos: Sequence[MatrixInfo], question: Question) -> list[MatrixInfo]:
    if question.matrix is not None and question.matrix not in {info.matrix for info in infos}:
        raise UnknownMatrixError(question.matrix, [info.matrix for info in infos])
    named = [info for info in infos if question.matrix in (None, info.matrix)]
    of_task = [info for info in named if info.task == question.task]
    if not of_task:
        raise UnknownTaskError(question.task, sorted({info.task for info in named}))
    if question.encoder is not None and question.encoder not in {info.encoder for info in of_task}:
        raise UnknownWayError("encoder", question.encoder, sorted({info.encoder for info in of_task}))
    of_task = [info for info in of_task if question.encoder in (None, info.encoder)]
    fitting = [info for info in of_task if question.kind in (None, info.kind)]
    if not fitting:
        raise UnknownTaskError(question.task, sorted({f"{i.task} ({i.kind})" for i in named}), question.kind)
    return sorted(fitting, key=lambda info: (info.kind != "zero_shot", -info.cells, info.matrix))
