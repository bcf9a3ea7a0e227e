"""A cell: one measurement, with the outcome of every item, and the Arrow schema it is kept in."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Literal, get_args

import pyarrow as pa

SCHEMA_VERSION = 2
"""Of the columns that cells are kept in. Raised when those change; ``matrices.upgrade`` reads what came before."""
IDENTITY_VERSION = 1
"""Part of every ``cell_id``: raised when the same settings score otherwise than before, so that none is found done."""

Kind = Literal["zero_shot", "interference"]
Status = Literal["ok", "undefined", "failed"]
"""``undefined``: measured, but the metric says nothing of such outcomes (F1 where no span is true or predicted)."""
STATUSES: tuple[Status, ...] = get_args(Status)

BASELINE = "baseline"
"""Composition of a matrix's baseline cells, whose ``source`` is null.

In an ``interference`` matrix it is the same task adapter with no transfer language; in a ``zero_shot`` matrix one
answer to all of the target's items: their most frequent label (no constant label is right more often), for spans no
span, for questions the whole passage.
"""

OF_SETS = ("fuse", "multi")
"""Compositions whose sources are sets: codes in order, with ``SEPARATOR`` between them. No other composition has such.

So whoever asks for one composition, as all views do, never finds a set ranked among single sources.
"""
SEPARATOR = "+"

METHOD = "bottleneck"
"""How a task is learnt unless a job says otherwise: a bottleneck adapter."""

IMPORTED = "imported"
"""``device`` of cells that were measured elsewhere."""

SHARE_OUTRANKED = "share_outranked"
"""Metric of a published table of ranks: the share of the target's other sources that a source outranks. No score."""

DIFFERENCE = "difference"
"""Metric of imported scores that are differences, in [-1, 1]; no scores."""


def bounds(metric: str) -> tuple[float, float]:
    """Between what scores of a metric lie: shares, or differences of shares."""
    return (-1.0 if metric == DIFFERENCE else 0.0, 1.0)


SCHEMA = pa.schema(
    [
        pa.field("schema_version", pa.int32(), nullable=False),
        pa.field("matrix", pa.string(), nullable=False),
        pa.field("encoder", pa.string(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("composition", pa.string(), nullable=False),
        pa.field("task", pa.string(), nullable=False),
        pa.field("metric", pa.string(), nullable=False),
        pa.field("source", pa.string()),
        pa.field("target", pa.string(), nullable=False),
        pa.field("selection", pa.string(), nullable=False),
        pa.field("seed", pa.int32(), nullable=False),
        pa.field("score", pa.float64()),
        pa.field("n_items", pa.int32(), nullable=False),
        pa.field("correct", pa.list_(pa.float64())),
        pa.field("total", pa.list_(pa.float64())),
        pa.field("status", pa.string(), nullable=False),
        pa.field("error", pa.string()),
        pa.field("seconds", pa.float64(), nullable=False),
        pa.field("device", pa.string(), nullable=False),
        pa.field("created_at", pa.timestamp("us", tz="UTC"), nullable=False),
        pa.field("cell_id", pa.string(), nullable=False),
        pa.field("method", pa.string()),
        pa.field("shots", pa.int32(), nullable=False),
        pa.field("provenance", pa.string()),
        pa.field("data", pa.string()),
        pa.field("language_seed", pa.int32()),
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One measurement. ``score`` is ``sum(correct) / sum(total)`` in [0, 1]; None unless ``status`` is ``ok``.

    ``correct`` and ``total`` have one number an item, in corpus order: right and all tokens of a sentence (accuracy of
    a tagging task), 0 or 1 and 1 (accuracy of texts, pairs and choices), 2 x right spans and predicted + true spans (F1
    of spans), a ratio and 1 (a mean of ratios, such as SQuAD's F1). In Parquet the few different numbers of a matrix
    are a dictionary, so that they take no more room than whole ones.

    ``composition``: ``baseline``, ``stack``, ``alone``, ``shift-N`` (after N steps), ``multi`` (one task adapter of the
    several languages that ``source`` names, with + between them), or ``published`` (imported).
    ``selection``: ``last`` (the weights at the end of training), ``source_dev`` (best on the source's dev split),
    ``averaged``, ``soup(k)`` and ``run_averaged(k)`` (means of the weights of a run, of k runs, of k points of a run),
    ``target_dev`` (best on the target's dev split, an oracle), or ``published``. ``method``: ``bottleneck``, ``lora``
    or ``full``; None where it is not known. ``shots`` are labelled target items that were learnt from. ``provenance``
    says where data or score come from; ``data`` is the digest of the evaluated items and how many of them were read, so
    that cells are compared on the same ones; None where it is not known. ``seed`` is that of the task adapter's
    training, ``language_seed`` that of the language adapter's or the shift's; None without one, or where it is not
    known.
    """

    matrix: str
    encoder: str
    kind: str
    composition: str
    task: str
    metric: str
    source: str | None
    target: str
    selection: str
    seed: int
    score: float | None
    n_items: int
    correct: tuple[float, ...] | None
    total: tuple[float, ...] | None
    status: Status
    error: str | None
    seconds: float
    device: str
    created_at: datetime
    cell_id: str
    method: str | None = METHOD
    shots: int = 0
    provenance: str | None = None
    data: str | None = None
    language_seed: int | None = None
    schema_version: int = SCHEMA_VERSION


Fact = str | int | None
"""One of the things that determine a cell's score."""


def cell_id(identity: Mapping[str, Fact]) -> str:
    """The identity of a cell: SHA-256 (first 128 bits, hex) of everything that determines its score."""
    return cell_ids(identity)()


def cell_ids(shared: Mapping[str, Fact], *differing: str) -> Callable[..., str]:
    """``cell_id`` of cells that have ``shared`` in common: takes the ``differing`` facts, in that order.

    A job has hundreds of thousands of cells, so what they share is put into JSON once.
    """
    names = sorted({**shared, "schema_version": IDENTITY_VERSION, **dict.fromkeys(differing)})
    known = {**shared, "schema_version": IDENTITY_VERSION}
    facts = ("%s" if name in differing else _as_json(known[name]).replace("%", "%%") for name in names)
    template = "{" + ",".join(f"{_as_json(name)}:{fact}" for name, fact in zip(names, facts, strict=True)) + "}"
    places = [differing.index(name) for name in names if name in differing]

    def identify(*facts: Fact) -> str:
        canonical = template % tuple(_as_json(facts[place]) for place in places)
        return hashlib.sha256(canonical.encode()).hexdigest()[:32]

    return identify


@lru_cache(maxsize=65_536, typed=True)
def _as_json(fact: Fact) -> str:
    return json.dumps(fact)


def to_table(cells: Iterable[Cell]) -> pa.Table:
    """Cells as an Arrow table of ``SCHEMA``, a row each, in the order given."""
    return pa.Table.from_pylist([{name: getattr(cell, name) for name in SCHEMA.names} for cell in cells], schema=SCHEMA)


def from_table(table: pa.Table) -> list[Cell]:
    """The cells of a table that has every column of ``SCHEMA``."""
    names = [field.name for field in fields(Cell)]
    return [_from_row(row) for row in table.select(names).to_pylist()]


def _from_row(row: dict[str, Any]) -> Cell:
    lists = {name: None if row[name] is None else tuple(row[name]) for name in ("correct", "total")}
    return Cell(**{**row, **lists})


def now() -> datetime:
    """This moment in UTC, to the microsecond the schema keeps."""
    return datetime.now(UTC)
