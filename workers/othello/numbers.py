"""The numbers of runs: one a row, all in one table."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from workers.record_tables import schema_of


@dataclass(frozen=True, slots=True, kw_only=True)
class OthelloNumber:
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
SCHEMA = schema_of(OthelloNumber, _TYPES)
