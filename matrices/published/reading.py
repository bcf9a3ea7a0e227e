"""Tables that others published: a line for each source and target, or a grid of them, read with every line checked."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from matrices.languages import UnknownLanguageError, resolve, script_in
from matrices.published.grids import GridLayout, as_grid
from matrices.published.headers import found_columns
from matrices.published.lines import TableColumns, TableLine
from matrices.published.numbers import NotANumberError, WrittenNumber, check_scale, written
from matrices.published.sheets import PublishedTableError, Sheet, SheetRow, read_sheet

__all__ = ["Published", "PublishedTableError", "read_published"]

_SUMMARY = {"all", "avg", "average", "mean", "median", "overall", "total", "std", "max", "min"}
"""Rows and columns over several languages; some are codes too, that hardly anyone means."""
_SPLIT = re.compile(r"(.+?)[_-](train|test|dev|valid|validation|eval)", re.IGNORECASE)
_SEVERAL = re.compile(r"[^+&,;/]+([+&,;/][^+&,;/]+)+")
_GRID = "grid"
"""What the column of scores of a grid is called, which has none."""
_SHOWN = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """The lines of a table and where they came from; ``columns`` as they were found, ``notes`` for whoever reads it.

    ``percent``: the table itself says that its scores are in percent.
    """

    path: Path
    sha256: str
    columns: TableColumns
    lines: tuple[TableLine, ...]
    notes: tuple[str, ...]
    percent: bool = False

    @property
    def ranks_only(self) -> bool:
        """Whether the table tells the order of sources and no score."""
        return self.columns.score is None and not self.columns.seeds


@dataclass(slots=True)
class _Left:
    """The lines that were left out, and what stood there."""

    path: Path
    skip: bool
    out: dict[int, str] = field(default_factory=dict)

    def language(self, number: int, column: str, text: str) -> str | None:
        """The code of a language; None where it is none, and such lines are to be left out."""
        try:
            return _code(text)
        except UnknownLanguageError as error:
            if self.skip:
                self.out[number] = text
                return None
            hint = "--skip-unknown leaves out lines that are no pair of two languages"
            raise PublishedTableError(self.path, number, f"column {column!r}: {error}; {hint}") from error

    @property
    def notes(self) -> list[str]:
        if not self.out:
            return []
        some = ", ".join(f"line {number} ({text!r})" for number, text in list(self.out.items())[:_SHOWN])
        more = f" and {len(self.out) - _SHOWN} more" if len(self.out) > _SHOWN else ""
        return [f"left out, no pair of two languages: {some}{more}"]


def read_published(path: str | Path, columns: TableColumns | None = None) -> Published:
    """Reads a table whose first line names its columns, or its targets: CSV of any kind, Markdown, JSON, a spreadsheet.

    Languages go by any tag, code or name. Where two names of a language occur, both are its lines. Raises
    ``PublishedTableError`` at the first line that cannot be read, and ``OSError``.
    """
    path, columns = Path(path), columns or TableColumns()
    data = path.read_bytes()
    sheet = read_sheet(path, data, columns.sheet)
    left = _Left(path, columns.skip_unknown)
    grid = None if _columns_named(columns) else as_grid(sheet, columns.rows_are, columns.ranks, _is_language)
    if grid is not None:
        lines, found = _of_grid(path, sheet, grid, columns, left)
    else:
        found = _found(path, sheet, columns)
        lines = [line for row in sheet.rows for line in _lines(path, sheet, row, found, left)]
    if not lines:
        last = sheet.rows[-1][0] if sheet.rows else sheet.line
        raise PublishedTableError(path, last, "no line to read; check the file and what is asked of it")
    _once(path, lines)
    lines, apart = _scripts_apart(lines)
    percent = check_scale(path, found, lines)
    return Published(
        path=path,
        sha256=hashlib.sha256(data).hexdigest(),
        columns=found,
        lines=tuple(lines),
        notes=(*(grid.notes if grid is not None else ()), *left.notes, *apart, *_notes(lines)),
        percent=percent,
    )


def _columns_named(columns: TableColumns) -> bool:
    return any((columns.source, columns.target, columns.score, columns.rank, columns.seeds))


def _found(path: Path, sheet: Sheet, columns: TableColumns) -> TableColumns:
    """The columns that were not named, guessed."""
    there = ", ".join(sheet.header)
    named = {name: getattr(columns, name) for name in ("source", "target", "score", "rank", "seed", "baseline")}
    wanted = [*filter(None, named.values()), *(columns.features or ()), *(name for name, _ in columns.where)]
    for name in (*wanted, *columns.seeds):
        if name not in sheet.header:
            raise PublishedTableError(path, sheet.line, f"no column {name!r}; there is: {there}")
    guessed = found_columns(sheet.header, named, columns.seeds)
    for name in ("source", "target"):
        if guessed.named[name] is None:
            raise PublishedTableError(path, sheet.line, f"which column is the {name}? name it; there is: {there}")
    if guessed.named["score"] is None and guessed.named["rank"] is None and not guessed.seeds:
        raise PublishedTableError(path, sheet.line, f"which column is the score, or the rank? there is: {there}")
    features = guessed.features if columns.features is None else columns.features
    return replace(
        columns,
        source=guessed.named["source"],
        target=guessed.named["target"],
        score=guessed.named["score"],
        rank=guessed.named["rank"],
        features=features,
        seeds=guessed.seeds,
    )


def _lines(path: Path, sheet: Sheet, row: SheetRow, columns: TableColumns, left: _Left) -> list[TableLine]:
    """One line of each seed that the row has a column of; none of a row that is left out."""
    number, texts = row
    fields = dict(zip(sheet.header, texts, strict=True))
    if any(fields[name] != value for name, value in columns.where):
        return []

    def value(name: str | None) -> float | None:
        read = None if name is None else _read(path, number, name, fields[name])
        return None if read is None else read.number

    sides = columns.source or "", columns.target or ""
    source, target = (left.language(number, name, fields[name]) for name in sides)
    if source is None or target is None:
        return []
    seed = value(columns.seed) if columns.seed else 0
    if seed is None or not float(seed).is_integer():
        raise PublishedTableError(path, number, f"column {columns.seed!r}: a seed is a whole number")
    features = {name: value(name) for name in columns.features or ()}
    line = TableLine(
        number=number,
        source=source,
        target=target,
        given=(fields[sides[0]], fields[sides[1]]),
        seed=int(seed),
        score=None,
        rank=value(columns.rank),
        baseline=value(columns.baseline),
        features={name: number for name, number in features.items() if number is not None},
    )
    if columns.seeds:
        return [
            _scored(path, replace(line, seed=at), name, fields[name])
            for at, name in zip(_seed_numbers(columns.seeds), columns.seeds, strict=True)
        ]
    return [line if columns.score is None else _scored(path, line, columns.score, fields[columns.score])]


def _seed_numbers(names: Sequence[str]) -> list[int]:
    """The numbers that columns of seeds end with, where they all have one of their own, else their order."""
    numbers = [re.search(r"(\d+)\D*$", name) for name in names]
    known = [int(found[1]) for found in numbers if found is not None]
    return known if len(set(known)) == len(names) else list(range(len(names)))


def _scored(path: Path, line: TableLine, column: str, text: str) -> TableLine:
    read = _read(path, line.number, column, text)
    return line if read is None else replace(line, score=read.number, spread=read.spread, percent=read.percent)


def _of_grid(
    path: Path, sheet: Sheet, grid: GridLayout, columns: TableColumns, left: _Left
) -> tuple[list[TableLine], TableColumns]:
    """The lines of a grid: every cell of a row and a column that are languages."""
    corner, *across = sheet.header
    other = [left.language(sheet.line, name, name) for name in across]
    lines: list[TableLine] = []
    for number, (first, *texts) in sheet.rows:
        code = left.language(number, corner, first)
        for name, there, text in zip(across, other, texts, strict=True):
            if code is None or there is None or (grid.blank_diagonal and code == there):
                continue
            pair, given = (
                ((code, there), (first, name)) if grid.rows_are == "sources" else ((there, code), (name, first))
            )
            line = TableLine(
                number=number,
                source=pair[0],
                target=pair[1],
                given=given,
                seed=0,
                score=None,
                rank=None,
                baseline=None,
                features={},
            )
            line = _scored(path, line, name, text)
            lines.append(replace(line, score=None, spread=None, rank=line.score) if grid.ranks else line)
    score, rank = (None, _GRID) if grid.ranks else (_GRID, None)
    return lines, replace(columns, source=corner, target=corner, score=score, rank=rank, features=())


def _read(path: Path, line: int, name: str, text: str) -> WrittenNumber | None:
    try:
        return written(text)
    except NotANumberError as error:
        raise PublishedTableError(path, line, f"column {name!r}: {error}") from error


def _code(text: str) -> str:
    """The code of a language as a table names it: also of a file of its data (``it_test``).

    Raises ``UnknownLanguageError``.
    """
    name = text.strip()
    if name.casefold() in _SUMMARY:
        raise UnknownLanguageError(text, (), "a summary")
    try:
        return resolve(name).code
    except UnknownLanguageError as error:
        if (split := _SPLIT.fullmatch(name)) is not None:
            return resolve(split[1]).code
        if _SEVERAL.fullmatch(name) and not error.because:
            raise UnknownLanguageError(text, (), "several languages") from error
        raise


def _is_language(text: str) -> bool:
    try:
        return bool(_code(text))
    except UnknownLanguageError:
        return False


def _once(path: Path, lines: Sequence[TableLine]) -> None:
    seen: dict[tuple[str, str, int], int] = {}
    for line in lines:
        first = seen.setdefault((*line.given, line.seed), line.number)
        if first != line.number:
            source, target = line.given
            problem = (
                f"{source} on {target} is in line {first} too; keep one task, metric or model, or name a seed column"
            )
            raise PublishedTableError(path, line.number, problem)


def _scripts_apart(lines: list[TableLine]) -> tuple[list[TableLine], list[str]]:
    """The lines with the script in the codes of languages that the table names in several, and notes that say so."""
    scripts: defaultdict[str, dict[str, str | None]] = defaultdict(dict)
    for line in lines:
        for code, given in zip((line.source, line.target), line.given, strict=True):
            scripts[code][given] = script_in(given)
    several = {code: named for code, named in scripts.items() if len(set(named.values())) > 1}

    def coded(code: str, given: str) -> str:
        script = several.get(code, {}).get(given)
        return f"{code}_{script}" if script else code

    if several:
        lines = [
            replace(line, source=coded(line.source, line.given[0]), target=coded(line.target, line.given[1]))
            for line in lines
        ]
    names = (sorted(coded(code, given) for given in named) for code, named in sorted(several.items()))
    return lines, [f"{' and '.join(dict.fromkeys(apart))} are kept apart by script" for apart in names]


def _notes(lines: Sequence[TableLine]) -> list[str]:
    notes: list[str] = []
    names: defaultdict[str, set[str]] = defaultdict(set)
    pairs: defaultdict[str, defaultdict[tuple[str, str, int], set[tuple[str, str]]]]
    pairs = defaultdict(lambda: defaultdict(set))
    for line in lines:
        for code, given in zip((line.source, line.target), line.given, strict=True):
            names[code].add(given)
            pairs[code][line.source, line.target, line.seed].add(line.given)
    for code, ways_of in sorted(names.items()):
        if len(ways_of) > 1 and any(len(ways) > 1 for ways in pairs[code].values()):
            notes.append(f"{' and '.join(sorted(ways_of))} are one language, {code}: their scores are averaged")
    empty = sum(line.score is None and line.rank is None for line in lines)
    if empty:
        notes.append(f"{empty} lines have no score: not measured")
    return notes
