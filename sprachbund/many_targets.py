"""Recommendations for several targets: a list of languages in, a table out."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from matrices.languages import UnknownLanguageError
from matrices.recommend import Recommendation, UnknownTargetError

_HEADERS = ("target", "language", "code", "iso", "iso639_3", "tag")

SCHEMA = pa.schema(
    [
        *(pa.field(name, pa.string()) for name in ("asked", "target", "target_name", "task", "matrix", "encoder")),
        *(pa.field(name, pa.string()) for name in ("verdict", "sources", "best", "best_name")),
        pa.field("measured", pa.bool_()),
        *(pa.field(name, pa.float64()) for name in ("score", "expected", "low", "high", "level")),
        *(pa.field(name, pa.float64()) for name in ("probability_best", "confidence", "expected_regret")),
        *(pa.field(name, pa.string()) for name in ("advice", "problem")),
    ]
)


class TargetsFileError(ValueError):
    """A file that names no targets; the message says what it should have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedTarget:
    """A target as it was asked for, and the answer or the ``problem`` that there is none."""

    target: str
    answer: Recommendation | None
    problem: str | None


def targets_in(path: Path) -> list[str]:
    """The languages of a CSV file: its column ``target`` (``language``, ``code``), else its first; each once.

    A file without a header has a language in its first line already. Raises ``TargetsFileError``.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise TargetsFileError(f"{path} cannot be read: {error}; name a CSV file of languages, one a line") from error
    rows = [[cell.strip() for cell in row] for row in csv.reader(text.splitlines()) if any(map(str.strip, row))]
    if not rows:
        raise TargetsFileError(f"{path} is empty; write a language a line, or a column `target`")
    names = [name.casefold() for name in rows[0]]
    at = next((names.index(header) for header in _HEADERS if header in names), None)
    lines = rows if at is None else rows[1:]
    found = list(dict.fromkeys(row[at or 0] for row in lines if len(row) > (at or 0) and row[at or 0]))
    if not found:
        raise TargetsFileError(f"{path} names no language in its column {rows[0][at or 0]!r}")
    return found


def ask_each(targets: Iterable[str], ask: Callable[[str], Recommendation]) -> list[AskedTarget]:
    """An answer for each target; one that nobody knows, or about which nothing can be said, has a problem instead."""
    found = []
    for target in targets:
        try:
            found.append(AskedTarget(target=target, answer=ask(target), problem=None))
        except (UnknownLanguageError, UnknownTargetError) as error:
            found.append(AskedTarget(target=target, answer=None, problem=str(error)))
    return found


def as_table(answers: Sequence[AskedTarget]) -> pa.Table:
    """A row a target (``SCHEMA``); ``sources`` are those of the verdict, the best first, with spaces between."""
    return pa.Table.from_pylist([_row(one) for one in answers], SCHEMA)


def _row(one: AskedTarget) -> dict[str, object]:
    found = one.answer
    if found is None:
        return {"asked": one.target, "problem": one.problem}
    best, verdict = found.sources[0], found.verdict
    return {
        "asked": one.target,
        "target": found.target.code,
        "target_name": found.target.name,
        **{name: getattr(found, name) for name in ("task", "matrix", "encoder", "advice")},
        "verdict": verdict.action,
        "sources": " ".join(verdict.sources),
        "confidence": verdict.confidence,
        "expected_regret": verdict.expected_regret,
        "best": best.source,
        "best_name": best.name,
        **{name: getattr(best, name) for name in ("measured", "score", "expected", "level", "probability_best")},
        "low": best.interval[0],
        "high": best.interval[1],
    }
