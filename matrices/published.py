"""Tables that others published: a CSV file with a line for each source and target, read with every line checked."""

from __future__ import annotations

import csv
import hashlib
import io
import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from matrices.languages import UnknownLanguageError, resolve
from matrices.scores import Floats, ScoreTable

_NAMES = {
    "source": "source source_lang source_language transfer transfer_lang transfer_language src train_lang pivot donor",
    "target": "target target_lang target_language tgt test_lang eval_lang recipient",
    "score": "score accuracy acc f1 bleu las uas value result",
    "rank": "rank",
}
"""What the columns are called in published tables, most telling first; ``_raw`` and ``_code`` may follow each name."""

_LARGEST = 1e12
"""More is no score of anything, and squares of it are no numbers."""
_FEATURES = re.compile(
    r"(genetic|syntactic|featural|phonological|inventory|geographic)(_distance)?"
    r"|(word|subword|entity)_overlap|overlap(_(word|subword|entity)_level)?"
    r"|(transfer|source|target)_lang_dataset_size|transfer_over_target_size_ratio"
    r"|(transfer|source|target)_lang_ttr|transfer_target_ttr_distance"
)
"""Columns taken as features unasked: URIEL's distances and LangRank's features of corpora.

No other is: in published tables further numbers are made of the scores (ranks, levels, baselines), and would give the
answer away.
"""
_MISSING = {"", "nan", "na", "n/a", "null", "none", "-"}


class PublishedTableError(ValueError):
    """A table that cannot be read as it stands: file, line, value, and what would do."""

    def __init__(self, path: Path, line: int, problem: str) -> None:
        self.path, self.line = path, line
        super().__init__(f"{path}, line {line}: {problem}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Which columns of a file say what; None is guessed from the header, ``features`` among URIEL's and LangRank's.

    ``where`` keeps the lines with these values alone: (column, value) pairs.
    """

    source: str | None = None
    target: str | None = None
    score: str | None = None
    rank: str | None = None
    seed: str | None = None
    baseline: str | None = None
    features: tuple[str, ...] | None = None
    where: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line: languages in normal form and as given; numbers as they stand, None where the field is empty."""

    number: int
    source: str
    target: str
    given: tuple[str, str]
    seed: int
    score: float | None
    rank: float | None
    baseline: float | None
    features: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """The lines of a table and where they came from; ``columns`` as they were found, ``notes`` for whoever reads it."""

    path: Path
    sha256: str
    columns: Columns
    lines: tuple[Line, ...]
    notes: tuple[str, ...]

    @property
    def ranks_only(self) -> bool:
        """Whether the table tells the order of sources and no score."""
        return self.columns.score is None


def read_published(path: str | Path, columns: Columns | None = None) -> Published:
    """Reads a CSV (or, ending in ``.tsv``, tab-separated) file whose first line names its columns.

    Languages go by any tag, code or name. Where two names of a language occur, both are its lines. Raises
    ``PublishedTableError`` at the first line that cannot be read, and ``OSError``.
    """
    path, columns = Path(path), columns or Columns()
    data = path.read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise PublishedTableError(
            path, line, f"not UTF-8 ({data[error.start : error.start + 1]!r}); save it so"
        ) from error
    reader = csv.reader(io.StringIO(text), delimiter="\t" if path.suffix.casefold() == ".tsv" else ",")
    rows = _numbered(path, reader)
    _, header = next(rows, (1, []))
    if len(set(header)) < len(header):
        raise PublishedTableError(path, 1, "two columns have one name; rename one")
    found = _found(path, header, columns)
    lines: list[Line] = []
    for number, row in rows:
        if not row:
            continue
        if len(row) != len(header):
            raise PublishedTableError(path, number, f"{len(row)} fields; the first line names {len(header)}")
        fields = dict(zip(header, row, strict=True))
        if all(fields[name] == value for name, value in found.where):
            lines.append(_line(path, number, fields, found))
    if not lines:
        raise PublishedTableError(path, reader.line_num, "no line to read; check the file and what is asked of it")
    _once(path, lines)
    return Published(
        path=path, sha256=hashlib.sha256(data).hexdigest(), columns=found, lines=tuple(lines), notes=_notes(lines)
    )


def _numbered(path: Path, reader: Any) -> Iterator[tuple[int, list[str]]]:
    """The rows of a file, each with the number of its line."""
    try:
        for row in reader:
            yield reader.line_num, row
    except csv.Error as error:
        raise PublishedTableError(path, reader.line_num, f"{error}; save it as plain CSV, a line a row") from error


def read_scores(path: str | Path, columns: Columns | None = None) -> ScoreTable:
    """The scores of a file, and the pair features it has. Raises as ``read_published``."""
    return to_scores(read_published(path, columns))


def to_scores(published: Published) -> ScoreTable:
    """The scores of a table: means over seeds and over names of one language; of ranks, the share outranked."""
    lines = with_shares(published.lines) if published.ranks_only else published.lines
    sources = tuple(sorted({line.source for line in lines}))
    targets = tuple(sorted({line.target for line in lines}))
    features = published.columns.features or ()
    return ScoreTable(
        sources,
        targets,
        _grid(sources, targets, ((line, line.score) for line in lines)),
        pair_features={
            name: _grid(sources, targets, ((line, line.features.get(name)) for line in lines)) for name in features
        },
    )


def with_shares(lines: Iterable[Line]) -> tuple[Line, ...]:
    """The lines of a ranks-only table, scored: the share of a target's other sources that a source outranks.

    In [0, 1]; those of one rank count half. Rank 1 is the best. A target's only source has no score, nor has it itself,
    which is no source to transfer from, and outranks none.
    """
    of_target: defaultdict[tuple[str, int], list[Line]] = defaultdict(list)
    for line in lines:
        of_target[line.target, line.seed].append(line)
    scored: list[Line] = []
    for group in of_target.values():
        ranks = np.array([np.nan if line.rank is None or line.source == line.target else line.rank for line in group])
        n = int(np.isfinite(ranks).sum())
        for line, rank in zip(group, ranks.tolist(), strict=True):
            below, level = float((ranks > rank).sum()), float((ranks == rank).sum()) - 1
            known = math.isfinite(rank) and n > 1
            scored.append(_scored(line, (below + level / 2) / (n - 1) if known else None))
    return tuple(sorted(scored, key=lambda line: line.number))


def _scored(line: Line, score: float | None) -> Line:
    kept = {name: getattr(line, name) for name in Line.__slots__ if name != "score"}
    return Line(**kept, score=score)


def _found(path: Path, header: Sequence[str], columns: Columns) -> Columns:
    named = {name: getattr(columns, name) for name in ("source", "target", "score", "rank", "seed", "baseline")}
    wanted = [*filter(None, named.values()), *(columns.features or ()), *(name for name, _ in columns.where)]
    for name in wanted:
        if name not in header:
            raise PublishedTableError(path, 1, f"no column {name!r}; there is: {', '.join(header)}")
    for name in ("source", "target", "score", "rank"):
        if named[name] is None and not (name in ("score", "rank") and (named["score"] or named["rank"])):
            named[name] = _guess(header, name)
    for name in ("source", "target"):
        if named[name] is None:
            raise PublishedTableError(path, 1, f"which column is the {name}? name it; there is: {', '.join(header)}")
    if named["score"] is None and named["rank"] is None:
        raise PublishedTableError(path, 1, f"which column is the score, or the rank? there is: {', '.join(header)}")
    features = columns.features
    if features is None:
        features = tuple(name for name in header if _FEATURES.fullmatch(_plain(name)))
    return Columns(**named, features=features, where=columns.where)


def _guess(header: Sequence[str], what: str) -> str | None:
    plain = {_plain(name): name for name in reversed(header)}
    names = [name + ending for name in _NAMES[what].split() for ending in ("", "_code", "_raw")]
    return next((plain[name] for name in names if name in plain), None)


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.casefold()).strip("_")


def _line(path: Path, number: int, fields: Mapping[str, str], columns: Columns) -> Line:
    def language(name: str | None) -> str:
        try:
            return resolve(fields[name or ""]).code
        except UnknownLanguageError as error:
            raise PublishedTableError(path, number, f"column {name!r}: {error}") from error

    def value(name: str | None) -> float | None:
        return None if name is None else _number(path, number, name, fields[name])

    seed = value(columns.seed) if columns.seed else 0
    if seed is None or not float(seed).is_integer():
        raise PublishedTableError(path, number, f"column {columns.seed!r}: a seed is a whole number")
    features = {name: value(name) for name in columns.features or ()}
    return Line(
        number=number,
        source=language(columns.source),
        target=language(columns.target),
        given=(fields[columns.source or ""], fields[columns.target or ""]),
        seed=int(seed),
        score=value(columns.score),
        rank=value(columns.rank),
        baseline=value(columns.baseline),
        features={name: number for name, number in features.items() if number is not None},
    )


def _number(path: Path, line: int, name: str, text: str) -> float | None:
    if text.strip().casefold() in _MISSING:
        return None
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise PublishedTableError(
            path, line, f"column {name!r}: {text!r} is no number; leave it empty where none is known"
        )
    if abs(number) > _LARGEST:
        raise PublishedTableError(path, line, f"column {name!r}: {text!r} is out of range; at most {_LARGEST:g}")
    return number


def _once(path: Path, lines: Sequence[Line]) -> None:
    seen: dict[tuple[str, str, int], int] = {}
    for line in lines:
        first = seen.setdefault((*line.given, line.seed), line.number)
        if first != line.number:
            source, target = line.given
            problem = (
                f"{source} on {target} is in line {first} too; keep one task, metric or model, or name a seed column"
            )
            raise PublishedTableError(path, line.number, problem)


def _notes(lines: Sequence[Line]) -> tuple[str, ...]:
    notes: list[str] = []
    names: defaultdict[str, set[str]] = defaultdict(set)
    for line in lines:
        names[line.source].add(line.given[0])
        names[line.target].add(line.given[1])
    for code, given in sorted(names.items()):
        pairs = defaultdict(set)
        for line in lines:
            if code in (line.source, line.target):
                pairs[line.source, line.target, line.seed].add(line.number)
        if len(given) > 1 and any(len(numbers) > 1 for numbers in pairs.values()):
            notes.append(f"{' and '.join(sorted(given))} are one language, {code}: their scores are averaged")
    empty = sum(line.score is None and line.rank is None for line in lines)
    if empty:
        notes.append(f"{empty} lines have no score: not measured")
    return tuple(notes)


def _grid(sources: Sequence[str], targets: Sequence[str], values: Iterable[tuple[Line, float | None]]) -> Floats:
    rows = {code: index for index, code in enumerate(sources)}
    columns = {code: index for index, code in enumerate(targets)}
    total, count = np.zeros((len(sources), len(targets))), np.zeros((len(sources), len(targets)))
    for line, value in values:
        if value is not None:
            total[rows[line.source], columns[line.target]] += value
            count[rows[line.source], columns[line.target]] += 1
    return np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)
