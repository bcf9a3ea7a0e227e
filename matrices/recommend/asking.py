"""From a question (task, target, and perhaps a matrix) to the matrix that answers it, and the answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from matrices.reading import MatrixInfo, Reader, UnknownMatrixError, there_is
from matrices.recommend.answer import Recommendation
from matrices.recommend.measured import UnknownTargetError, recommend, targets
from matrices.recommend.names import code_of

_LISTS = ("correct", "total")
_NARROW = (
    *("matrix", "encoder", "kind", "composition", "task", "metric", "source", "target", "selection", "seed", "score"),
    *("n_items", "status", "created_at", "cell_id"),
)


class UnknownTaskError(LookupError):
    """No matrix of that task (and kind); the message names what there is."""

    def __init__(self, given: str, known: Sequence[str], kind: str | None = None) -> None:
        self.given, self.known = given, tuple(known)
        what = f"task {given!r}" if kind is None else f"task {given!r} of kind {kind}"
        super().__init__(f"there is no matrix for {what}; {there_is(given, known)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What someone asks. ``target`` is any tag, code or English name; ``matrix`` and ``kind`` narrow where to look."""

    task: str
    target: str
    k: int = 5
    matrix: str | None = None
    kind: str | None = None


def ask(reader: Reader, question: Question) -> Recommendation:
    """The recommendation from the newest version of the first matrix that fits and has the target.

    Without a matrix named, ``zero_shot`` comes before ``interference``, and more cells before fewer. Raises
    ``UnknownTaskError``, ``UnknownMatrixError``, ``UnknownTargetError`` and ``UnknownLanguageError``.
    """
    version = reader.version
    fitting = _fitting(reader.matrices(version), question)
    known: list[list[str]] = []
    for info in fitting:
        cells = reader.cells(info.matrix, version=version, columns=_NARROW)
        known.append(targets(cells))
        if code_of(question.target, known[-1]) in known[-1]:
            return _answer(reader, version, cells, info, question)
    raise UnknownTargetError(code_of(question.target, known[0]), known[0], fitting[0].matrix)


def _answer(reader: Reader, version: int, cells: pa.Table, info: MatrixInfo, question: Question) -> Recommendation:
    target = code_of(question.target, targets(cells))
    lists = reader.cells(info.matrix, version=version, columns=[*_NARROW, *_LISTS], target=target)
    others = cells.filter(pc.not_equal(cells["target"], target))
    return recommend(
        pa.concat_tables([lists, others], promote_options="default"),
        target,
        question.k,
        version=version,
        measured_on=reader.provenance,
    )


def _fitting(infos: Sequence[MatrixInfo], question: Question) -> list[MatrixInfo]:
    if question.matrix is not None and question.matrix not in {info.matrix for info in infos}:
        raise UnknownMatrixError(question.matrix, [info.matrix for info in infos])
    named = [info for info in infos if question.matrix in (None, info.matrix)]
    of_task = [info for info in named if info.task == question.task]
    if not of_task:
        raise UnknownTaskError(question.task, sorted({info.task for info in named}))
    fitting = [info for info in of_task if question.kind in (None, info.kind)]
    if not fitting:
        raise UnknownTaskError(question.task, sorted({f"{i.task} ({i.kind})" for i in named}), question.kind)
    return sorted(fitting, key=lambda info: (info.kind != "zero_shot", -info.cells, info.matrix))
