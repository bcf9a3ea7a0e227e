"""A published table as scores of sources on targets: what predictions and backtests are fitted to."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from matrices.arrays import Floats, places
from matrices.published.lines import TableColumns, TableLine
from matrices.published.reading import Published, read_published
from matrices.scores import ScoreTable


def read_scores(path: str | Path, columns: TableColumns | None = None) -> ScoreTable:
    """The scores of a file, and the pair features it has. Raises as ``read_published``."""
    return to_scores(read_published(path, columns))


def to_scores(published: Published) -> ScoreTable:
    """The scores of a table: means over seeds and over names of one language; of ranks, the share outranked.

    Errors are turned over, so that higher is better. What stood after ± is taken for the standard error.
    """
    lines = with_shares(published.lines) if published.ranks_only else published.lines
    if published.columns.lower_is_better and not published.ranks_only:
        lines = _flipped(lines)
    sources = tuple(sorted({line.source for line in lines}))
    targets = tuple(sorted({line.target for line in lines}))
    features = published.columns.features or ()
    spreads = _mean_grid(sources, targets, ((line, line.spread) for line in lines))
    return ScoreTable(
        sources,
        targets,
        _mean_grid(sources, targets, ((line, line.score) for line in lines)),
        errors=spreads if np.isfinite(spreads).any() else None,
        pair_features={
            name: _mean_grid(sources, targets, ((line, line.features.get(name)) for line in lines)) for name in features
        },
    )


def with_shares(lines: Iterable[TableLine]) -> tuple[TableLine, ...]:
    """The lines of a ranks-only table, scored: the share of a target's other sources that a source outranks.

    In [0, 1]; those of one rank count half. Rank 1 is the best. A target's only source has no score, nor has it itself,
    which is no source to transfer from, and outranks none.
    """
    of_target: defaultdict[tuple[str, int], list[TableLine]] = defaultdict(list)
    for line in lines:
        of_target[line.target, line.seed].append(line)
    scored: list[TableLine] = []
    for group in of_target.values():
        ranks = np.array([np.nan if line.rank is None or line.source == line.target else line.rank for line in group])
        n = int(np.isfinite(ranks).sum())
        for line, rank in zip(group, ranks.tolist(), strict=True):
            below, level = float((ranks > rank).sum()), float((ranks == rank).sum()) - 1
            known = math.isfinite(rank) and n > 1
            scored.append(replace(line, score=(below + level / 2) / (n - 1) if known else None))
    return tuple(sorted(scored, key=lambda line: line.number))


def _flipped(lines: Sequence[TableLine]) -> tuple[TableLine, ...]:
    """Errors as scores, higher is better: what each is short of 1, of 100 where some are above 1, or of the worst."""
    worst = max((line.score for line in lines if line.score is not None), default=0.0)
    top = next((top for top in (1.0, 100.0) if worst <= top), worst)
    return tuple(line if line.score is None else replace(line, score=top - line.score) for line in lines)


def _mean_grid(
    sources: tuple[str, ...], targets: tuple[str, ...], values: Iterable[tuple[TableLine, float | None]]
) -> Floats:
    rows, columns = places(sources), places(targets)
    total, count = np.zeros((len(sources), len(targets))), np.zeros((len(sources), len(targets)))
    for line, value in values:
        if value is not None:
            total[rows[line.source], columns[line.target]] += value
            count[rows[line.source], columns[line.target]] += 1
    return np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)
