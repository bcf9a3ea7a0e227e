"""What choosing a source by its score flatters: sources ranked on one half of the items, scored on the other.

The best of many noisy scores is too good on average (the winner's curse): whoever ranks sources on some items and
reports the best one's score on the same items reports its luck too. Here the items of a target are halved at random,
many times. One half ranks the sources, the other scores the chosen one, and then the halves change places.

Notation: S(s, h) the score of source s on half h; naive is S(argmax_s S(s, h), h), honest is S(argmax_s S(s, h), h') on
the other half h'. Reference: cross-validation with two folds, Efron 1983, JASA 78:316.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa

from matrices.arrays import Floats, Indices, Singles
from matrices.uncertainty.resampling import ItemSample, Resamples
from matrices.view import MatrixView, MeasureError

HALVINGS = 200

SCHEMA = pa.schema(
    [
        *(pa.field(name, pa.string()) for name in ("target", "chosen")),
        *(pa.field(name, pa.int64()) for name in ("sources", "items", "seeds")),
        *(pa.field(name, pa.float64()) for name in ("chosen_share", "naive_score", "score", "regret_at_1")),
        *(pa.field(name, pa.float64()) for name in ("score_sd", "regret_sd")),
    ]
)


def splits_table(view: MatrixView, *, halvings: int = HALVINGS) -> pa.Table:
    """A row a target that two sources or more were measured on beside itself, in order of target.

    Of ``halvings`` random halvings of the ``items`` (whole passages where there are passages), both directions:

    - ``chosen``: the source that comes out first most often, and ``chosen_share``, how often it does.
    - ``naive_score``: mean score of the source that is first on a half, on that same half.
    - ``score``: its mean score on the other half, which had no say.
    - ``regret_at_1``: the best score of any source on the other half less the chosen one's there, in units of the
      score; naively it would be 0. That best is the maximum of noisy scores too, so regret is on the large side. As
      halves change places it is ``naive_score - score`` in the mean.
    - ``score_sd``, ``regret_sd``: standard deviations over halvings (not standard errors: halvings share their items).

    Scores are ``sum(correct) / sum(total)`` over a half, means over the ``seeds`` that every source has; sources
    without all of those are left out. Raises ``MeasureError`` where no target is left.
    """
    samples = Resamples(view)
    rows = [row for place in range(len(view.by_item())) for row in _rows(view, place, samples, halvings)]
    if not rows:
        raise MeasureError(f"{view.matrix}: no target has two sources to choose from, measured with the same seeds")
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def _rows(view: MatrixView, place: int, samples: Resamples, halvings: int) -> list[dict[str, Any]]:
    """The row of a target, none where there is nothing to choose from or nothing to halve."""
    column = view.by_item()[place]
    sample = samples.of(column.target)
    rows, seeds = _complete(view, place)
    if len(rows) < 2 or sample.count < 2:
        return []
    half = _halves(f"{view.matrix}\n{column.target}", sample.count, halvings)
    correct = column.correct[np.ix_(rows, seeds)]
    total = column.total if len(column.total) == 1 else column.total[np.ix_(rows, seeds)]
    here, there = (_scores(correct, total, sample, split) for split in (half, 1 - half))
    ranked, scored = np.concatenate([here, there]), np.concatenate([there, here])
    first, each = ranked.argmax(axis=1), np.arange(len(ranked))
    naive, honest = ranked[each, first], scored[each, first]
    regret = scored.max(axis=1) - honest
    ((chosen, times),) = Counter(first.tolist()).most_common(1)
    row = {
        "target": column.target,
        "chosen": view.sources[rows[chosen]],
        "sources": len(rows),
        "items": column.items,
        "seeds": len(seeds),
        "chosen_share": times / len(first),
        "naive_score": float(naive.mean()),
        "score": float(honest.mean()),
        "regret_at_1": float(regret.mean()),
        "score_sd": float(honest.std()),
        "regret_sd": float(regret.std()),
    }
    return [row]


def _complete(view: MatrixView, place: int) -> tuple[Indices, Indices]:
    """The sources to choose from for a target, those with most seeds, and the seeds that all of them have; by place."""
    known = view.known[:, place].copy()
    known[[at for at, code in enumerate(view.sources) if code == view.targets[place]]] = False
    counts = known.sum(axis=1)
    rows = np.flatnonzero((counts == counts.max()) & (counts > 0))
    seeds = np.flatnonzero(known[rows].all(axis=0))
    return (rows if len(seeds) else rows[:0]), seeds


def _halves(name: str, clusters: int, halvings: int) -> Singles:
    """Which clusters of items are in the first half [halvings, G]."""
    entropy = hashlib.sha256(f"halves\n{name}".encode()).digest()
    order = np.random.default_rng(int.from_bytes(entropy[:8])).random((halvings, clusters)).argsort(axis=1)
    return (order < clusters // 2).astype(np.float32)


def _scores(correct: Singles, total: Singles, sample: ItemSample, half: Singles) -> Floats:
    """Mean scores over seeds on each half [halvings, S], of outcomes [S, K, N]; a half in which nothing counts is 0."""
    right, possible = (
        np.einsum("hg,skg->hsk", half, sample.sums(values), optimize=True) for values in (correct, total)
    )
    share = np.divide(right, possible, out=np.zeros_like(right), where=possible > 0)
    means: Floats = share.mean(axis=2, dtype=np.float64)
    return means
