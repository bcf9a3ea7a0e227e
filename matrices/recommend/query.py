"""From a question (task, target, and perhaps a matrix) to the matrix that answers it, and the answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc

from matrices.reading import MatrixInfo, Reader, UnknownMatrixError, compositions, selections, there_is
from matrices.recommend.answer import Recommendation
from matrices.recommend.measured import UnknownTargetError, recommend, targets
from matrices.recommend.names import code_of
from matrices.recommend.outlook import Outlook, Predict
from matrices.selections import deployable, is_oracle
from matrices.view import COLUMNS, NARROW, choose

_READ = (*NARROW, "device", "provenance")


class UnknownTaskError(LookupError):
    """No matrix of that task (and kind); the message names what there is."""

    def __init__(self, given: str, known: Sequence[str], kind: str | None = None) -> None:
        self.given, self.known = given, tuple(known)
        what = f"task {given!r}" if kind is None else f"task {given!r} of kind {kind}"
        super().__init__(f"there is no matrix for {what}; {there_is(given, known)}")


class UnknownWayError(LookupError):
    """No cells of that encoder, composition or selection that may answer; the message names what there is."""

    def __init__(self, what: str, given: str, known: Sequence[str], why: str = "") -> None:
        self.what, self.given, self.known = what, given, tuple(known)
        reason = f"{given} is no {what} to recommend by: {why}" if why else f"there is no {what} {given!r} here"
        super().__init__(f"{reason}; {there_is(given, known)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What someone asks. ``target`` is any tag, code or English name.

    ``matrix``, ``kind`` and ``encoder`` narrow where to look. ``composition`` and ``selection`` name what is
    ranked, where a matrix was measured in several ways.

    ``sources`` are languages to rank besides those of the matrix, whether or not anything was measured of them.
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


class Predictor(Protocol):
    """Makes predictions for one target from the measured scores of one matrix, under one composition and selection."""

    def __call__(
        self, reader: Reader, matrix: str, version: int, composition: str, selection: str, target: str
    ) -> Predict:
        """Raises ``NothingToPredictError``."""
        ...


def ask(reader: Reader, question: Question, predictor: Predictor | None = None) -> Recommendation:
    """The recommendation from the newest version of the first matrix that fits and has the target.

    Without a matrix named, ``zero_shot`` comes before ``interference``, and more cells before fewer. Where none has the
    target, the first answers that can be predicted from; without a ``predictor`` none can. Outcomes of items are read
    of the target alone. Raises ``UnknownTaskError``, ``UnknownMatrixError``, ``UnknownTargetError`` and
    ``UnknownLanguageError``.
    """
    version = reader.version
    fitting = _fitting(reader.matrices(version), question)
    cells = {info.matrix: reader.cells(info.matrix, version=version, columns=_READ) for info in fitting}
    known = {name: targets(rows) for name, rows in cells.items()}
    measured = [name for name in cells if code_of(question.target, known[name]) in known[name]]
    if measured:
        return _answer(reader, version, cells[measured[0]], question, predictor)
    unknown: list[UnknownTargetError] = []
    for rows in cells.values():
        try:
            return _answer(reader, version, rows, question, predictor)
        except UnknownTargetError as error:
            unknown.append(error)
    raise unknown[0]


def _answer(
    reader: Reader, version: int, cells: pa.Table, question: Question, predictor: Predictor | None
) -> Recommendation:
    matrix = cells["matrix"][0].as_py()
    known = {*pc.unique(cells["target"]).to_pylist(), *pc.unique(cells["source"]).to_pylist()}
    target = code_of(question.target, known)
    for what, given, there in (
        ("composition", question.composition, compositions(cells)),
        ("selection", question.selection, selections(cells)),
    ):
        if given is not None and given not in there:
            raise UnknownWayError(what, given, there)
    if question.selection is not None and is_oracle(question.selection):
        why = "its weights were chosen by labels of the target, which nobody has who needs a recommendation"
        raise UnknownWayError("selection", question.selection, deployable(selections(cells)), why)
    composition, selection = choose(
        cells, composition=question.composition, selection=question.selection, target=target
    )

    def predict(target: str, asked: Sequence[str]) -> Outlook:
        assert predictor is not None
        return predictor(reader, matrix, version, composition, selection, target)(target, asked)

    return recommend(
        cells,
        target,
        question.k,
        composition=composition,
        selection=selection,
        version=version,
        measured_on=reader.provenance,
        asked=tuple(dict.fromkeys(code_of(source, known) for source in question.sources)),
        predict=None if predictor is None else predict,
        pretrained=reader.pretrained(cells["encoder"][0].as_py()),
        items=reader.items(matrix),
        read=lambda target: reader.cells(matrix, version=version, columns=COLUMNS, target=target),
    )


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
