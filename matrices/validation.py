"""Which rows are cells: a store may have been written by something else, and a bad row must not reach an answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from matrices.cells import BASELINE, DIFFERENCE, OF_SETS, SCHEMA, SEPARATOR, STATUSES, Kind, bounds

LISTS = ("correct", "total")
"""The columns of outcomes by item."""
_CODE = "[a-z][A-Za-z0-9_-]{1,30}"
_SETS = rf"^{_CODE}(\+{_CODE})*$"
_EARLIEST, _LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
_NAMED = ("encoder", "kind", "composition", "task", "metric", "selection", "cell_id")
_LONGEST = 200

Rule = tuple[str, tuple[str, ...], Callable[[pa.Table], pa.ChunkedArray]]
"""What is wrong, the columns that tell, and which rows it is true of (null: not)."""


class MisshapenError(ValueError):
    """Rows without a column of cells, or with one of a type that cannot be read as it."""


def as_cells(rows: pa.Table, columns: Sequence[str]) -> tuple[pa.Table, Counter[str]]:
    """The ``columns`` of those rows that can be cells, typed as ``SCHEMA`` has them; how many others, by what is wrong.

    Only what the given columns tell is looked at. Raises ``MisshapenError``.
    """
    if missing := [name for name in columns if name not in rows.column_names]:
        raise MisshapenError(f"it has no column {', '.join(missing)}, which cells have")
    rows = pa.table({name: _typed(name, rows[name]) for name in columns})
    wrong: Counter[str] = Counter()
    for what, needed, is_wrong in _RULES:
        if not rows.num_rows or not set(needed) <= set(columns):
            continue
        bad = pc.fill_null(is_wrong(rows), False)
        if count := pc.sum(bad).as_py():
            wrong[what] += count
            rows = rows.filter(pc.invert(bad))
    return rows.cast(pa.schema([SCHEMA.field(name) for name in columns])), wrong


def addressable(matrix: str) -> str:
    """The name that a matrix is asked for by: of one that was filled with a hub id, without its slash."""
    return matrix.replace("/", "-")


def name_is_usable(matrix: str) -> bool:
    """Whether a matrix can be asked for by its name, in an address too."""
    return matrix not in ("", ".", "..") and len(matrix) <= _LONGEST and matrix.isprintable() and "/" not in matrix


def _typed(name: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    wanted = SCHEMA.field(name).type
    if column.type == wanted:
        return column
    try:
        return column.cast(wanted)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise MisshapenError(f"column {name} is {column.type}, and cells have {wanted}: {error}") from error


def _null_in(name: str) -> Callable[[pa.Table], pa.ChunkedArray]:
    return lambda rows: pc.is_null(rows[name])


def _unnamed(name: str) -> Callable[[pa.Table], pa.ChunkedArray]:
    return lambda rows: pc.or_(pc.equal(rows[name], ""), pc.greater(pc.utf8_length(rows[name]), _LONGEST))


def _no_code(name: str, pattern: str = rf"^{_CODE}$") -> Callable[[pa.Table], pa.ChunkedArray]:
    return lambda rows: pc.invert(pc.match_substring_regex(rows[name], pattern))


def _set_among_single_ones(rows: pa.Table) -> pa.ChunkedArray:
    of_sets = pc.is_in(rows["composition"], pa.array(OF_SETS))
    return pc.not_equal(of_sets, pc.match_substring(rows["source"], SEPARATOR))


def _bad_score(rows: pa.Table) -> pa.ChunkedArray:
    score = rows["score"]
    least = pc.if_else(pc.equal(rows["metric"], DIFFERENCE), bounds(DIFFERENCE)[0], 0.0)
    inside = pc.and_(pc.greater_equal(score, least), pc.less_equal(score, 1.0))
    return pc.and_(pc.equal(rows["status"], "ok"), pc.invert(pc.fill_null(inside, False)))


def _other_items(rows: pa.Table) -> pa.ChunkedArray:
    return pc.not_equal(pc.list_value_length(rows["correct"]), rows["n_items"])


def _bad_lists(rows: pa.Table) -> pa.ChunkedArray:
    """Outcomes of one list without the other, of unequal length, or none at all under a score."""
    lengths = [pc.fill_null(pc.list_value_length(rows[name]), -1) for name in LISTS]
    empty = pc.and_(pc.equal(lengths[0], 0), pc.equal(rows["status"], "ok"))
    return pc.or_(pc.not_equal(*lengths), empty)


def _nothing_to_get(rows: pa.Table) -> pa.ChunkedArray:
    sums = [np.zeros(0)]
    for chunk in rows["total"].chunks:
        parents, values = pc.list_parent_indices(chunk), chunk.flatten()
        weights = pc.fill_null(values, 0).to_numpy().astype(np.float64)
        sums.append(np.bincount(parents.to_numpy(), weights, minlength=len(chunk)).astype(np.float64))
    empty = pa.chunked_array([np.concatenate(sums) == 0])
    return pc.and_(empty, pc.and_(pc.is_valid(rows["total"]), pc.equal(rows["status"], "ok")))


def _negative_lists(rows: pa.Table) -> pa.ChunkedArray:
    found = [_rows_with(rows[name], lambda values: pc.less(values, 0)) for name in LISTS]
    return pc.or_(*found)


def _rows_with(lists: pa.ChunkedArray, test: Callable[[pa.Array], pa.Array]) -> pa.ChunkedArray:
    """Which lists have an entry that is null or passes a test."""
    found = [np.zeros(0, dtype=bool)]
    for chunk in lists.chunks:
        rows = np.zeros(len(chunk), dtype=bool)
        hit = pc.fill_null(test(chunk.flatten()), True)
        rows[pc.list_parent_indices(chunk).filter(hit).to_numpy()] = True
        found.append(rows)
    return pa.chunked_array([np.concatenate(found)])


_RULES: tuple[Rule, ...] = (
    *((f"no {field.name}", (field.name,), _null_in(field.name)) for field in SCHEMA if not field.nullable),
    *((f"{name} is empty or longer than {_LONGEST} characters", (name,), _unnamed(name)) for name in _NAMED),
    (
        f"status is none of {', '.join(STATUSES)}",
        ("status",),
        lambda rows: pc.invert(pc.is_in(rows["status"], pa.array(STATUSES))),
    ),
    (
        f"kind is none of {', '.join(get_args(Kind))}",
        ("kind",),
        lambda rows: pc.invert(pc.is_in(rows["kind"], pa.array(get_args(Kind)))),
    ),
    ("ok without a score in [0, 1], or of a difference in [-1, 1]", ("status", "metric", "score"), _bad_score),
    ("source is no code of a language, nor several with + between them", ("source",), _no_code("source", _SETS)),
    (
        f"several sources belong under {' and '.join(OF_SETS)}, and single ones do not",
        ("composition", "source"),
        _set_among_single_ones,
    ),
    ("target is no code of a language", ("target",), _no_code("target")),
    (
        "a source is missing, and it is no baseline",
        ("composition", "source"),
        lambda rows: pc.and_(pc.not_equal(rows["composition"], BASELINE), pc.is_null(rows["source"])),
    ),
    ("n_items is negative", ("n_items",), lambda rows: pc.less(rows["n_items"], 0)),
    (
        "created_at is before 1970 or after 9000",
        ("created_at",),
        lambda rows: pc.or_(
            pc.less(rows["created_at"], pa.scalar(_EARLIEST, SCHEMA.field("created_at").type)),
            pc.greater(rows["created_at"], pa.scalar(_LATEST, SCHEMA.field("created_at").type)),
        ),
    ),
    ("outcomes are empty, or `correct` and `total` are not of one length", ("status", *LISTS), _bad_lists),
    ("an outcome is null or negative", LISTS, _negative_lists),
    ("n_items is not how many outcomes there are", ("n_items", "correct"), _other_items),
    ("ok, and nothing could be right: every `total` is 0", ("status", "total"), _nothing_to_get),
    ("seconds is no number", ("seconds",), lambda rows: pc.invert(pc.is_finite(rows["seconds"]))),
)
