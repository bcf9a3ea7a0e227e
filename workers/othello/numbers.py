"""The numbers of runs: one a row, all in one table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from matrices.export import write_parquet
from matrices.whole_file import whole_file


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """One number; what does not apply to its measure is None.

    ``measure``: `probe` (accuracy over squares and positions), `majority`, `majority_by_move` (of guesses without a
    model), `cka`, `cosine`, `cosine_of_others` (similarity at parallel positions, and at others), or a verdict on
    moves (shares of positions; ``workers.othello.transfer.Verdict`` says what they are).
    ``source`` is the language that a probe was fitted on or that a model was fine-tuned in, ``target`` the one tested.
    """

    condition: str
    seed: int
    measure: str
    value: float
    n: int
    target: str
    source: str | None = None
    model: str | None = None
    step: int | None = None
    games: str | None = None
    layer: int | None = None
    probe: str | None = None
    colours: str | None = None
    pooling: str | None = None
    split: str | None = None
    aligned: bool | None = None


_INTEGERS = {"seed": pa.int32(), "n": pa.int32(), "step": pa.int32(), "layer": pa.int8()}
_TYPES = {**_INTEGERS, "value": pa.float32(), "aligned": pa.bool_()}
SCHEMA = pa.schema([(field.name, _TYPES.get(field.name, pa.string())) for field in fields(Number)])


def to_table(numbers: Iterable[Number]) -> pa.Table:
    """Numbers as a table, a column a field."""
    rows = list(numbers)
    columns = {field.name: [getattr(row, field.name) for row in rows] for field in fields(Number)}
    return pa.table(columns, schema=SCHEMA)


def write_numbers(table: pa.Table, path: Path) -> None:
    """Write a table as Parquet, whole or not at all."""
    with whole_file(path) as temporary:
        write_parquet(table, temporary)


def read_numbers(path: Path) -> pa.Table:
    """The numbers of a file."""
    return pq.read_table(path, schema=SCHEMA)
