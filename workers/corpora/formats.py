"""Formats of corpus files, by name: each reads rows, of which a kind of task makes its items."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workers.corpora.conllu import read_conllu
from workers.corpora.delimited import Delimited, read_delimited
from workers.corpora.records import read_json_lines, read_parquet, read_squad
from workers.corpora.sentences import read_sentences
from workers.rows import CorpusError, Row, Said
from workers.tasks import Task
from workers.tasks.base import Item


@dataclass(frozen=True, slots=True)
class Options:
    """What may be said of how files are laid out; a format reads what concerns it.

    ``token`` and ``tag`` are columns of CoNLL by position; the others are as in ``delimited``.
    """

    token: int | None = None
    tag: int | None = None
    repair: bool = False
    delimiter: str | None = None
    quoted: bool | None = None
    header: bool = True


@dataclass(frozen=True, slots=True)
class Format:
    """How a file in a format is read. ``keys`` are what may be said of it beyond what may be said of all.

    ``kind`` is the kind of task that it carries unless another is said; None where one must be. ``columns`` are those
    of its rows that are called otherwise than a task calls them.
    """

    read: Callable[[Path, Options, str | None], Iterable[Row]]
    keys: frozenset[str]
    kind: str | None = None
    columns: Mapping[str, str | None] = field(default_factory=dict)


def _conll(path: Path, options: Options, sha256: str | None) -> Iterable[Row]:
    return read_sentences(path, token=options.token, tag=options.tag, repair=options.repair, sha256=sha256)


def _tabs(path: Path, options: Options, sha256: str | None) -> Iterable[Row]:
    return read_delimited(path, Delimited("\t", options.quoted, options.header), sha256)


def _commas(path: Path, options: Options, sha256: str | None) -> Iterable[Row]:
    return read_delimited(path, Delimited(options.delimiter, options.quoted is not False, options.header), sha256)


_ROWS = frozenset({"kind", "labels", "columns", "repair", "unanswerable"})
_NUMBERED = {"id": None}

FORMATS: Mapping[str, Format] = {
    "conllu": Format(lambda path, _, sha256: read_conllu(path, sha256), frozenset(), "tagging", {"id": "id"}),
    "conll": Format(_conll, frozenset({"kind", "labels", "columns", "repair"}), None, _NUMBERED),
    "tsv": Format(_tabs, _ROWS | {"quoted", "header"}, "classification"),
    "csv": Format(_commas, _ROWS | {"quoted", "header", "delimiter"}, "classification"),
    "jsonl": Format(lambda path, _, sha256: read_json_lines(path, sha256), _ROWS),
    "parquet": Format(lambda path, _, sha256: read_parquet(path, sha256), _ROWS),
    "squad": Format(lambda path, _, sha256: read_squad(path, sha256), frozenset({"unanswerable", "columns"}), "qa"),
}
"""By name. A format of one's own is one more: `docs/how-to-add.md`."""


def columns_of(task: Task[Any], called: Mapping[str, str | None], stated: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of a task's roles: as they are ``stated``, else as a format has them ``called``, else as usual."""
    usual = {**task.columns, **called, **stated}
    return {role: usual[role] for role in task.columns}


def read_items(
    path: Path, format_: Format, task: Task[Any], said: Said, options: Options, sha256: str | None = None
) -> tuple[Item, ...]:
    """The items of a file, in its order. Raises ``CorpusError``."""
    return items_of(path, task, said, format_.read(path, options, sha256))


def items_of(path: Path | str, task: Task[Any], said: Said, rows: Iterable[Row]) -> tuple[Item, ...]:
    """The items of rows, each with an id of its own. Raises ``CorpusError``."""
    made = [(row.line, item) for row in rows if (item := task.item(row, said)) is not None]
    _check_unique(path, ((line, item.id) for line, item in made))
    return tuple(item for _, item in made)


def _check_unique(path: Path | str, ids: Iterable[tuple[int | None, str]]) -> None:
    """Raises ``CorpusError`` at the second of two items with one id; ``ids`` are (line, id) pairs."""
    first: dict[str, int | None] = {}
    for line, id_ in ids:
        if id_ in first:
            where = "" if first[id_] is None else f" (first on line {first[id_]})"
            raise CorpusError(path, line, f"id {id_!r} occurs twice{where}; every item needs an id of its own")
        first[id_] = line
