"""Measuring a column: each planned cell becomes a row, with the outcome of every item or the error in its way."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TypeVar

from matrices.cells import Cell
from workers.corpora.types import Dataset
from workers.encoding import EncodedItems, encode_items
from workers.evaluation import Contestant, evaluate
from workers.failures import is_passing
from workers.loaded import Loaded
from workers.protocol import failed_cells, measured_cell
from workers.tasks.scoring import Outcome
from workers.work_units import Column, PlannedCell

T = TypeVar("T")
_Below = tuple[str | None, str | None]
"""What lies under the task adapter of a cell: the keys of a language adapter and of a snapshot."""


def measure(loaded: Loaded, column: Column) -> list[Cell]:
    """The cells of a column. Raises ``CorpusChangedError``, and errors that may pass."""
    dataset = loaded.data(column.data).first(column.data.limit)
    encoded = encode_items(loaded.encoder, dataset)
    items = _provenance(dataset, encoded)
    cells: list[Cell] = []
    for below, planned in _grouped(column.cells).items():
        for part in _parts(planned, loaded.at_a_time):
            start = time.monotonic()
            results = _results(loaded, dataset, encoded, below, part)
            seconds = (time.monotonic() - start) / len(part)
            for cell, result in zip(part, results, strict=True):
                if isinstance(result, str):
                    cells += failed_cells(column, [cell], result, loaded.context)
                else:
                    provenance = items + (_left_out(loaded, cell.task_adapter) if cell.task_adapter else "")
                    cells.append(
                        measured_cell(column, cell, loaded.context, result, provenance=provenance, seconds=seconds)
                    )
    return cells


def _results(
    loaded: Loaded, dataset: Dataset, encoded: EncodedItems, below: _Below, planned: Sequence[PlannedCell]
) -> list[list[Outcome] | str]:
    """Per cell its outcomes, or what went wrong: one adapter's trouble is not its neighbours'; a full disk is."""
    try:
        return list(_outcomes(loaded, dataset, encoded, below, planned))
    except Exception as error:
        if is_passing(error):
            raise
        if len(planned) == 1:
            return [f"{type(error).__name__}: {error}"]
        return [result for cell in planned for result in _results(loaded, dataset, encoded, below, [cell])]


def _outcomes(
    loaded: Loaded, dataset: Dataset, encoded: EncodedItems, below: _Below, planned: Sequence[PlannedCell]
) -> list[list[Outcome]]:
    language, shift = below
    # Several selections may have taken the same state: it is measured once, as the first of them.
    same = {cell.task_adapter: _same_as(loaded, cell.task_adapter) for cell in planned if cell.task_adapter}
    first = {state: key for key, state in reversed(same.items())}
    loaded.need([*first.values(), *([language] if language and first else [])])
    contestants = [Contestant(key, loaded.head(key)) for key in first.values()]
    with _shifted(loaded, shift):
        results = evaluate(loaded.encoder, dataset, encoded, language, contestants)
    measured = dict(zip(first, results, strict=True))
    return [measured[same[cell.task_adapter]] if cell.task_adapter else _constant(dataset) for cell in planned]


def _same_as(loaded: Loaded, key: str) -> str:
    """The key of the adapter that has the same weights: that which was taken as it is, else ``key`` itself."""
    taken = loaded.made_from(key).get("taken", {})
    return str(next(iter(taken))) if len(taken) == 1 else key


def _shifted(loaded: Loaded, snapshot: str | None) -> AbstractContextManager[None]:
    if snapshot is None:
        return nullcontext()
    return loaded.encoder.shifted(loaded.zoo.load_weights(loaded.encoder, snapshot))


def _grouped(cells: Sequence[PlannedCell]) -> dict[_Below, list[PlannedCell]]:
    """Cells by what lies under their task adapters, which is computed once for all of them."""
    groups: dict[_Below, list[PlannedCell]] = {}
    for cell in cells:
        groups.setdefault((cell.language_adapter, cell.shift), []).append(cell)
    return groups


def _provenance(dataset: Dataset, encoded: EncodedItems) -> str:
    """Where the items of cells come from, and how many of them the encoder could not read whole."""
    cut = f"; {encoded.cut} of {encoded.items} items are longer than the encoder takes and lost their ends"
    return f"{dataset.provenance}{cut if encoded.cut else ''}"


def _left_out(loaded: Loaded, key: str) -> str:
    """What a mean of weights was taken without, and why; nothing of all other weights."""
    said = []
    for member in loaded.made_from(key).get("left_out", []):
        with_it = "" if member["mean"] is None else f"; the mean with it {member['mean']:.3f}"
        said.append(f"{_described(loaded, member['states'])} (dev score {member['score']:.3f}{with_it})")
    return f"; left out of the mean: {', '.join(said)}" if said else ""


def _described(loaded: Loaded, states: Sequence[str]) -> str:
    """A member of a mean, by the run that its states are of."""
    made_from = loaded.made_from(states[0])
    recipe, part = made_from["recipe"], made_from.get("part")
    run = f"seed {made_from['seed']}, rate {recipe['learning_rate']:g}, batch {recipe['batch']}"
    return f"{run}, part {part}" if part and len(states) == 1 else run


def _constant(dataset: Dataset) -> list[Outcome]:
    return dataset.rules.constant(dataset.items, dataset.language)


def _parts(whole: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (whole[start : start + size] for start in range(0, len(whole), size))
