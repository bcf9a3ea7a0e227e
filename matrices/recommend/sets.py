"""Two or three sources in place of one: what a set is expected to gain, and what sets that were tried have scored.

Notation: a target's scores x of all sources are drawn together, D times, from what is predicted of them. A set A is
worth ``E[max of x over A]``, a single source ``E[x]``. A set gains where one member is good when another is bad, so the
gain depends on their covariance ("portfolio", Markowitz 1952, with the maximum in place of the sum). Training on the
whole set gives that much if it does as well on the target as its best member alone, or if a few labelled items of the
target tell which member that is. What different data might add beyond that is not counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from matrices.cells import OF_SETS, SEPARATOR
from matrices.recommend.answer import SourceSet
from matrices.recommend.prediction import ExpectedSet
from matrices.scores import Floats

ENOUGH = 0.01
"""Of the best score: a set that is expected to gain less is not worth the trouble."""
SIZES = (2, 3)
_AMONG = 12
"""Sets are made of so many sources, those expected to do best."""
_LEAST_SHARE = 0.1


def sets_of(expected: Sequence[ExpectedSet], cells: pa.Table, target: str, best: float | None) -> tuple[SourceSet, ...]:
    """Sets expected to be the best, then those measured on the target, the best first.

    ``best`` is the highest score of a single source that was measured on the target, None where none was.
    """
    measured = {codes: (composition, score) for codes, composition, score in _measured(cells, target)}
    sets = [_set(expected_set, measured.get(frozenset(expected_set.sources)), best) for expected_set in expected]
    shown = {frozenset(expected_set.sources) for expected_set in expected}
    others = [(codes, said) for codes, said in measured.items() if codes not in shown]
    others.sort(key=lambda tried: (-tried[1][1], sorted(tried[0])))
    for codes, (composition, score) in others:
        gain = None if best is None else score - best
        sets.append(
            SourceSet(
                sources=tuple(sorted(codes)),
                score=None,
                gain=None,
                shares=(),
                composition=composition,
                measured=score,
                measured_gain=gain,
            )
        )
    return tuple(sets)


def one_is_enough(expected: Sequence[ExpectedSet]) -> bool | None:
    """Whether no set is expected to gain a hundredth of its score over the best single source; None of no set."""
    return all(expected_set.gain < ENOUGH * abs(expected_set.score) for expected_set in expected) if expected else None


def _set(expected_set: ExpectedSet, said: tuple[str, float] | None, best: float | None) -> SourceSet:
    return SourceSet(
        sources=expected_set.sources,
        score=expected_set.score,
        gain=expected_set.gain,
        shares=expected_set.shares,
        composition=None if said is None else said[0],
        measured=None if said is None else said[1],
        measured_gain=None if said is None or best is None else said[1] - best,
    )


def _measured(cells: pa.Table, target: str) -> Iterator[tuple[frozenset[str], str, float]]:
    """The sets that were measured on a target, their composition, and their mean score over seeds; of two
    compositions the better."""
    if not cells.num_rows:
        return
    wanted = pc.and_(pc.equal(cells["status"], "ok"), pc.equal(cells["target"], target))
    wanted = pc.and_(wanted, pc.is_in(cells["composition"], pa.array(OF_SETS)))
    rows = cells.filter(pc.fill_null(wanted, False)).select(["composition", "source", "score"])
    means = rows.group_by(["composition", "source"], use_threads=False).aggregate([("score", "mean")]).to_pylist()
    for row in sorted(means, key=lambda row: (row["score_mean"], row["composition"], row["source"])):
        codes = frozenset(row["source"].split(SEPARATOR))
        if len(codes) > 1:
            yield codes, row["composition"], row["score_mean"]


def best_sets(sources: tuple[str, ...], mean: Floats, drawn: Floats) -> tuple[ExpectedSet, ...]:
    """The best set of two and of three ``sources`` [n], from their means [n] and draws of all scores [D, n]."""
    top = np.lexsort((np.array(sources), -mean))[:_AMONG]
    single = float(drawn[:, top].mean(axis=0).max()) if len(top) else 0.0
    best_of_size = []
    for size in SIZES:
        members = np.array(list(combinations(top.tolist(), size)), dtype=np.int64).reshape(-1, size)
        if len(members):
            worth = drawn[:, members].max(axis=2).mean(axis=0)
            best = int(worth.argmax())
            best_of_size.append(
                _expected_set(sources, tuple(members[best].tolist()), float(worth[best]), single, drawn)
            )
    return tuple(best_of_size)


def _expected_set(
    sources: tuple[str, ...], members: tuple[int, ...], worth: float, single: float, drawn: Floats
) -> ExpectedSet:
    won = np.bincount(drawn[:, list(members)].argmax(axis=1), minlength=len(members)) / len(drawn)
    shares = _LEAST_SHARE + (1 - _LEAST_SHARE * len(members)) * won
    order = np.argsort(-shares, kind="stable")
    return ExpectedSet(
        sources=tuple(sources[members[at]] for at in order),
        score=worth,
        gain=worth - single,
        shares=tuple(shares[order].tolist()),
    )
