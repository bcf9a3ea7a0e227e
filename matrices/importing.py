"""Scores that others published, as cells of a store: with where they came from, all of a table or nothing."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Any

import pyarrow.compute as pc

from matrices.cells import BASELINE, SHARE_OUTRANKED, Cell, cell_id, from_table, now
from matrices.files import Saved
from matrices.published import Line, Published, PublishedTableError, with_shares
from matrices.reading import UnknownMatrixError
from matrices.scales import lower_is_better
from matrices.spreads import Spread, write_spreads
from matrices.store import Store

PUBLISHED = "published"
"""Composition and selection of imported cells: what was done to an encoder, only the publication can say."""

_SAME = 1e-9
_LONGEST_NAME = 120
_NAME = re.compile(rf"[\w.+@-]{{1,{_LONGEST_NAME}}}")


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What is said of a table's scores. ``percent``: they are in percent, and a baseline too."""

    matrix: str
    task: str
    encoder: str = "not stated"
    metric: str = "score"
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


class MatrixTakenError(ValueError):
    """A matrix of that name that holds other things; the message says which."""


def import_published(uri: str | Path, published: Published, about: About) -> Imported:
    """Adds a published table to a store as one matrix of kind ``zero_shot``, in one commit, all or nothing.

    The store is made where there is none, once every line was found fit.

    A score becomes a cell without outcomes, seconds or items (0 stands for unknown), whose ``device`` says file, digest
    and citation. A rank becomes the share of the target's other sources that the source outranks, under the metric
    ``share_outranked``. Imported again, nothing is added. Raises ``PublishedTableError`` for a score that is no share
    in [0, 1] and for a table without any, ``MatrixTakenError`` where the matrix holds another score of a pair, or was
    not imported, and ``UnfitNameError``.
    """
    for what, name in (("matrix", about.matrix), ("task", about.task)):
        if not _NAME.fullmatch(name):
            raise UnfitNameError(what, name)
    if published.ranks_only:
        about = replace(about, metric=SHARE_OUTRANKED, percent=False)
    cells, lines = _cells(published, about)
    if not cells:
        raise PublishedTableError(published.path, published.lines[-1].number, "no line has a score: nothing to import")
    if about.percent and all(cell.score is not None and cell.score <= 0.01 for cell in cells):
        problem = "with --percent every score would be 0.01 at the most; these are shares already, leave it out"
        raise PublishedTableError(published.path, lines[0].number, problem)
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
    return Imported(matrix=about.matrix, version=version, added=len(new), found=len(cells) - len(new))


def provenance(published: Published, citation: str) -> str:
    """Where imported cells came from: file, first 128 bits of its SHA-256, and citation."""
    origin = f"imported from {published.path.name} (sha256 {published.sha256[:32]})"
    return f"{origin}: {citation}" if citation else origin


def _cells(published: Published, about: About) -> tuple[list[Cell], list[Line]]:
    """The cells of a table, each with the first line it was made of."""
    lines = with_shares(published.lines) if published.ranks_only else published.lines
    groups: defaultdict[tuple[str | None, str, int], list[Line]] = defaultdict(list)
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
            device=provenance(published, about.citation),
            created_at=made,
            cell_id=_identity(about, published, source, target, seed),
        )
        for (source, target, seed), group in groups.items()
    ]
    return cells, [group[0] for group in groups.values()]


def _baselines(published: Published) -> dict[str, Line]:
    """The first line of each target that has a baseline. Raises where a target has two different ones."""
    found: dict[str, Line] = {}
    for line in published.lines:
        if line.baseline is None:
            continue
        first = found.setdefault(line.target, line)
        if abs((first.baseline or 0.0) - line.baseline) > _SAME:
            problem = f"baseline {line.baseline:g} of {line.target}, but {first.baseline:g} in line {first.number}"
            raise PublishedTableError(published.path, line.number, problem)
    return found


def _share(published: Published, line: Line, about: About, *, baseline: bool) -> float:
    given = line.baseline if baseline else line.score
    value = (given or 0.0) / (100 if about.percent else 1)
    if not 0 <= value <= 1:
        name = published.columns.baseline if baseline else published.columns.score
        hint = "give --percent where they are in percent" if not about.percent else "it is more than all, or negative"
        problem = f"column {name!r}: {given:g} is no share; scores are kept as shares in [0, 1]: {hint}"
        raise PublishedTableError(published.path, line.number, problem)
    return value


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
