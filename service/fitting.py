"""Fits of large matrices, in a process of their own: answers would wait for Python's lock, which they hold for long."""

from __future__ import annotations

import os
import threading
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection

from matrices.recommend import NothingToPredictError, Predict, predictions, predictions_of
from matrices.recommend.predicted import Model, model_for
from matrices.scores import ScoreTable

LARGE = 20_000
"""Pairs of a source and a target from which on a fit has a process of its own, which takes a second to start."""
_NICE = 10


class FitStoppedError(RuntimeError):
    """A fit whose process ended without a model, as where memory is short."""

    def __init__(self, table: ScoreTable, code: int | None) -> None:
        super().__init__(
            f"the model of {table.scores.size} pairs could not be fitted: its process ended with {code}; "
            "give the service more memory, or ask about languages that were measured"
        )


def fitted(table: ScoreTable) -> Predict:
    """As ``matrices.recommend.predictions``; raises ``FitStoppedError`` too."""
    if table.scores.size < LARGE:
        return predictions(table)
    context = get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_fit, args=(theirs, table), daemon=True)
    process.start()
    theirs.close()
    try:
        found = ours.recv()
    except EOFError as error:
        process.join()
        raise FitStoppedError(table, process.exitcode) from error
    process.join()
    if isinstance(found, NothingToPredictError):
        raise found
    assert isinstance(found, Model)
    return predictions_of(table, found)


def _fit(out: Connection, table: ScoreTable) -> None:
    os.nice(_NICE)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        out.send(model_for(table))
    except NothingToPredictError as error:
        out.send(error)


def _end_with_parent() -> None:
    """A service that a signal ends does not end its daemons, as multiprocessing would."""
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
