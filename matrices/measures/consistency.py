"""Consistency on parallel items: whether what a model solves in one language it solves in another.

Notation: s the source's own language, t the target. The model is the source's; both answers to an item are of one seed.

- conditional transfer: P(correct in t | correct in s), ECLeKTic's transfer (Goldman et al. 2025, arXiv:2502.21228),
  with rows of the source language itself left out
- overlap: items correct in both / items correct in either (Jaccard)
- kappa: (agreement - chance agreement) / (1 - chance agreement), of correct and wrong (Cohen 1960, Educational and
  Psychological Measurement 20:37)

None of them tells better transfer from a better source: conditional transfer and overlap rise with the accuracy in s
alone. ``measures.hat`` is for that.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from matrices.measures.parallel import Parallel, ParallelGroup, parallel
from matrices.uncertainty.components import LEVEL
from matrices.uncertainty.resampling import RESAMPLES
from matrices.view import MatrixView

Numbers = NDArray[np.floating]

STATISTICS = ("conditional_transfer", "overlap", "kappa")
_BOUNDS = ("", "_low", "_high")
SCHEMA = pa.schema(
    [
        *(pa.field(name, pa.string()) for name in ("source", "target", "parallel")),
        *(pa.field(name, pa.int64()) for name in ("items", "seeds")),
        *(pa.field(name, pa.float64()) for name in ("correct_in_source", "correct_in_target")),
        *(pa.field(f"{name}{bound}", pa.float64()) for name in STATISTICS for bound in _BOUNDS),
    ]
)


def consistency_table(view: MatrixView, *, solved: float = 1.0, resamples: int = RESAMPLES) -> pa.Table:
    """A row a (source, target), source other than target, where both are on one parallel corpus, in that order.

    ``conditional_transfer``, ``overlap`` and ``kappa`` are means over the ``seeds`` of the two cells, each with a 95%
    percentile interval over items (passages where there are passages), ``_low`` and ``_high``, of these seeds.
    ``correct_in_source`` and ``correct_in_target`` are the shares of ``items`` solved. A statistic is null where some
    seed leaves it undefined (nothing correct, or, of kappa, all correct or all wrong in both languages), and an
    interval where some resample does.

    An item counts as correct where ``solved`` of it or more is: of a tagged sentence the default asks for all words, so
    choose a lower share there. Raises ``MeasureError`` where no targets have parallel items, or no source was measured
    on its own language too.
    """
    cells = parallel(view, solved=solved, resamples=resamples)
    rows = [row for group in cells.groups() for row in _rows(cells, group)]
    order = [("source", "ascending"), ("target", "ascending")]
    return pa.Table.from_pylist(rows, schema=SCHEMA).sort_by(order)


def consistency(source: Numbers, target: Numbers, both: Numbers, items: Numbers) -> Numbers:
    """Conditional transfer, overlap and kappa [3, ...] from how many ``items`` [...] are correct in each and in both.

    NaN where undefined.
    """
    either = source + target - both
    agreement = 1 - (either - both) / items
    by_chance = (source * target + (items - source) * (items - target)) / items**2
    ratios: Numbers = np.stack([_over(both, source), _over(both, either), _over(agreement - by_chance, 1 - by_chance)])
    return ratios


def _rows(cells: Parallel, group: ParallelGroup) -> list[dict[str, Any]]:
    own, others = cells.answers(group)
    inside = np.zeros(own.shape[-1], np.float32)
    inside[group.items] = 1
    shape = len(group.targets), len(group.seeds)
    # Per item: whether it is there, correct in the source by seed, and in the target, and in both, by target and seed.
    by_item = np.concatenate([inside[None], own * inside, *(others * inside), *(others * own)])
    estimates = _statistics(by_item.sum(axis=-1, dtype=np.float64), shape)
    drawn = _statistics(cells.sample.totals(by_item), shape)
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=1, method="nearest")
    solved = others[..., group.items].mean(axis=(1, 2))
    rows = []
    for at, target in enumerate(group.targets):
        row: dict[str, Any] = {
            **cells.about(group),
            "target": cells.targets[target],
            "correct_in_source": float(own[:, group.items].mean()),
            "correct_in_target": float(solved[at]),
        }
        for name, *bounds in zip(STATISTICS, estimates[:, at], low[:, at], high[:, at], strict=True):
            row |= {f"{name}{bound}": _known(value) for bound, value in zip(_BOUNDS, bounds, strict=True)}
        rows.append(row)
    return rows


def _statistics(sums: Numbers, shape: tuple[int, int]) -> Numbers:
    """The three statistics [3, ..., T], means over K seeds, from sums over items [..., 1 + K + 2 T K]."""
    targets, seeds = shape
    items, source = sums[..., :1, None], sums[..., None, 1 : 1 + seeds]
    target, both = np.moveaxis(sums[..., 1 + seeds :].reshape(*sums.shape[:-1], 2, targets, seeds), -3, 0)
    means: Numbers = consistency(source, target, both, items).mean(axis=-1)
    return means


def _over(a: Numbers, b: Numbers) -> Numbers:
    """a / b, NaN where b is 0."""
    shape = np.broadcast_shapes(a.shape, b.shape)
    ratio: Numbers = np.divide(a, b, out=np.full(shape, np.nan), where=b > 1e-9)
    return ratio


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
