"""Scores that others published or exported, as cells of a store: all of a table, and where it came from, or nothing."""

from __future__ import annotations

import contextlib
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from matrices.cells import BASELINE, DIFFERENCE, IMPORTED, SHARE_OUTRANKED, Cell, cell_id, from_table, now
from matrices.published.headers import plain
from matrices.published.lines import TableLine
from matrices.published.numbers import lower_is_better
from matrices.published.reading import Published, PublishedTableError
from matrices.published.scores import with_shares
from matrices.reading import UnknownMatrixError
from matrices.side_tables import StatedSpread
from matrices.store import Store

PUBLISHED = "published"
"""Composition and selection of imported cells: what was done to an encoder, only the publication can say."""

UNNAMED = "score"
"""The metric of scores of which nobody says what they are."""
_SAME = 1e-9
_LONGEST_NAME = 120
_NAME = re.compile(rf"[\w.+@-]{{1,{_LONGEST_NAME}}}")


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What is said of a table's scores. ``percent``: they are in percent, and a baseline too.

    Of errors ``metric`` is the error's name; it is kept as the metric ``1 - NAME``.
    """

    matrix: str
    task: str
    encoder: str = "not stated"
    metric: str = UNNAMED
    citation: str = ""
    percent: bool = False
    items: int | None = None
    """Items of each target, where one number is known for all; it makes the intervals of an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What an import did: cells added, cells that were there, and the store's version after it."""

    matrix: str
    version: int
    added: int
    found: int


class UnfitNameError(ValueError):
    """A name that a matrix or a task cannot have; the message says what it may be made of."""

    def __init__(self, what: str, given: str) -> None:
        self.what, self.given = what, given
        allowed = f"1 to {_LONGEST_NAME} letters, digits and any of . _ - + @"
        super().__init__(f"{given!r} cannot be the name of a {what}, which is a part of addresses: {allowed}")


class SeveralMatricesError(ValueError):
    """A file of several matrices, of which one is to be imported."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(
            f"the file holds {len(names)} matrices ({', '.join(names)}); export one of them, and import that"
        )


class MatrixTakenError(ValueError):
    """A matrix of that name that holds other things; the message says which."""


def import_published(uri: str | Path, published: Published, about: About) -> Imported:
    """Adds a published table to a store as one matrix of kind ``zero_shot``, in one commit, all or nothing.

    The store is made where there is none, once every line was found fit.

    A score becomes a cell without outcomes, seconds or items (0 stands for unknown), whose ``provenance`` says file,
    digest and citation. A rank becomes the share of the target's other sources that the source outranks, under the
    metric ``share_outranked``; an error what it is short of 1; a difference is kept as it is, under the metric
    ``difference``.
    What stood after ± is kept beside the cells (``matrices.side_tables``). Imported again, nothing is added. Raises
    ``PublishedTableError`` for a score that is no share in [0, 1] and for a table without any, ``MatrixTakenError``
    where the matrix holds another score of a pair, or was not imported, and ``UnfitNameError``.
    """
    for what, name in (("matrix", about.matrix), ("task", about.task)):
        _must_fit(what, name)
    about = _as_found(published, about)
    cells, lines = _cells(published, about)
    if not cells:
        raise PublishedTableError(published.path, published.lines[-1].number, "no line has a score: nothing to import")
    if about.percent and all(line.score is None or abs(line.score) <= 1 for line in published.lines):
        problem = "in percent every score would be 0.01 at the most; these are shares already"
        mend = "the table says percent: correct it" if published.percent else "leave it out, that is --percent"
        raise PublishedTableError(published.path, lines[0].number, f"{problem}; {mend}")
    store = Store.open(uri, create=True)
    before = _before(store, about)
    for cell, line in zip(cells, lines, strict=True):
        known = before.get((cell.source, cell.target, cell.seed))
        if known is not None and cell.score is not None and abs(known - cell.score) > _SAME:
            raise MatrixTakenError(
                f"{published.path}, line {line.number}: {about.matrix} already holds {known:g} for {cell.source} on "
                f"{cell.target}, this is {cell.score:g}; import it under another --matrix"
            )
    new = [cell for cell in cells if (cell.source, cell.target, cell.seed) not in before]
    version = store.append(new)
    store.keep_spreads(about.matrix, _spreads(published, about))
    return Imported(matrix=about.matrix, version=version, added=len(new), found=len(cells) - len(new))


def import_cells(uri: str | Path, cells: pa.Table, *, matrix: str | None = None) -> Imported:
    """Adds the cells of one exported or downloaded matrix to a store, in one commit, baselines and all.

    Under its own name, or as ``matrix``. Cells that are there are not added again. Raises ``MatrixTakenError`` where
    the store's matrix of that name is of another encoder, kind or task, ``SeveralMatricesError``, ``UnfitNameError``.
    """
    names = pc.unique(cells["matrix"]).to_pylist()
    if len(names) != 1:
        raise SeveralMatricesError(names)
    name = names[0] if matrix is None else matrix
    _must_fit("matrix", name)
    store = Store.open(uri, create=True)
    with contextlib.suppress(UnknownMatrixError):
        held = store.cells(name, columns=["encoder", "kind", "task"])
        for column in held.column_names:
            ours, theirs = (sorted(pc.unique(table[column]).to_pylist()) for table in (held, cells))
            if ours != theirs:
                problem = f"{name} is of {column} {' and '.join(ours)}, the file of {' and '.join(theirs)}"
                raise MatrixTakenError(f"{problem}; import it under another --matrix")
    there = store.measured_ids(matrix=name)
    new = [replace(cell, matrix=name) for cell in from_table(cells) if cell.cell_id not in there]
    version = store.append(new)
    return Imported(matrix=name, version=version, added=len(new), found=cells.num_rows - len(new))


def _must_fit(what: str, name: str) -> None:
    if not _NAME.fullmatch(name):
        raise UnfitNameError(what, name)


def _as_found(published: Published, about: About) -> About:
    """What is said of a table, with what the table says itself."""
    if published.ranks_only:
        return replace(about, metric=SHARE_OUTRANKED, percent=False)
    about = replace(about, percent=about.percent or published.percent)
    if published.columns.lower_is_better:
        error = plain(published.columns.score or "error") if about.metric == UNNAMED else about.metric
        return replace(about, metric=f"1 - {error}")
    if lower_is_better(about.metric):
        problem = f"--metric {about.metric} is of errors: the lower the better; say so with --lower-is-better"
        raise PublishedTableError(published.path, published.lines[0].number, problem)
    return replace(about, metric=DIFFERENCE) if published.columns.differences else about


def _spreads(published: Published, about: About) -> list[StatedSpread]:
    unit = 100 if about.percent else 1
    return [
        StatedSpread(line.source, line.target, line.seed, line.spread / unit)
        for line in published.lines
        if line.spread is not None
    ]


def provenance(published: Published, citation: str) -> str:
    """Where imported cells came from: file, first 128 bits of its SHA-256, and citation."""
    origin = f"imported from {published.path.name} (sha256 {published.sha256[:32]})"
    return f"{origin}: {citation}" if citation else origin


def _cells(published: Published, about: About) -> tuple[list[Cell], list[TableLine]]:
    """The cells of a table, each with the first line it was made of."""
    lines = with_shares(published.lines) if published.ranks_only else published.lines
    groups: defaultdict[tuple[str | None, str, int], list[TableLine]] = defaultdict(list)
    for line in lines:
        if line.score is not None:
            groups[line.source, line.target, line.seed].append(line)
    for target, line in _baselines(published).items():
        groups[None, target, 0].append(line)
    made = now()
    cells = [
        Cell(
            matrix=about.matrix,
            encoder=about.encoder,
            kind="zero_shot",
            composition=PUBLISHED if source is not None else BASELINE,
            task=about.task,
            metric=about.metric,
            source=source,
            target=target,
            selection=PUBLISHED,
            seed=seed,
            score=fmean(_share(published, line, about, baseline=source is None) for line in group),
            n_items=about.items or 0,
            correct=None,
            total=None,
            status="ok",
            error=None,
            seconds=0.0,
            device=IMPORTED,
            created_at=made,
            cell_id=_identity(about, published, source, target, seed),
            method=None,
            provenance=provenance(published, about.citation),
        )
        for (source, target, seed), group in groups.items()
    ]
    return cells, [group[0] for group in groups.values()]


def _baselines(published: Published) -> dict[str, TableLine]:
    """The first line of each target that has a baseline. Raises where a target has two different ones."""
    found: dict[str, TableLine] = {}
    for line in published.lines:
        if line.baseline is None:
            continue
        first = found.setdefault(line.target, line)
        if abs((first.baseline or 0.0) - line.baseline) > _SAME:
            problem = f"baseline {line.baseline:g} of {line.target}, but {first.baseline:g} in line {first.number}"
            raise PublishedTableError(published.path, line.number, problem)
    return found


def _share(published: Published, line: TableLine, about: About, *, baseline: bool) -> float:
    given = line.baseline if baseline else line.score
    value = (given or 0.0) / (100 if about.percent else 1)
    errors = published.columns.lower_is_better and not published.ranks_only
    low = -1 if published.columns.differences and not baseline else 0
    if not low <= value <= 1:
        name = published.columns.baseline if baseline else published.columns.score
        hint = "give --percent where they are in percent" if not about.percent else "it is more than all, or negative"
        if errors:
            hint = "errors above 1 have no share; give --percent where they are in percent, or import ranks"
        problem = f"column {name!r}: {given:g} is no share; scores are kept as shares in [{low}, 1]: {hint}"
        raise PublishedTableError(published.path, line.number, problem)
    return 1 - value if errors else value


def _identity(about: About, published: Published, source: str | None, target: str, seed: int) -> str:
    stated = {"matrix": about.matrix, "encoder": about.encoder, "task": about.task, "metric": about.metric}
    return cell_id({**stated, "published": published.sha256, "source": source, "target": target, "seed": seed})


def _before(store: Store, about: About) -> Mapping[tuple[str | None, str, int], float]:
    """What the matrix holds already, by pair and seed."""
    columns = ["encoder", "kind", "task", "metric", "n_items", "composition", "source", "target", "seed", "score"]
    try:
        cells = store.cells(about.matrix, columns=columns)
    except UnknownMatrixError:
        return {}
    rows: list[dict[str, Any]] = cells.to_pylist()
    if any(row["composition"] not in (PUBLISHED, BASELINE) for row in rows):
        raise MatrixTakenError(f"{about.matrix} was measured, not imported; import the table under another --matrix")
    expected = {"encoder": about.encoder, "kind": "zero_shot", "task": about.task, "metric": about.metric}
    for name, value in {**expected, "n_items": about.items or 0}.items():
        held = sorted(pc.unique(cells[name]).to_pylist())
        if held != [value]:
            problem = f"{about.matrix} is of {name} {' and '.join(map(str, held))}, the table of {value}"
            raise MatrixTakenError(f"{problem}; import it under another --matrix")
    return {(row["source"], row["target"], row["seed"]): row["score"] for row in rows}
