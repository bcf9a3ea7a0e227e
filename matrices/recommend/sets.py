"""Sets of sources as an answer has them: what is expected of each, and what was measured of those that were tried."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from matrices.cells import OF_SETS, SEPARATOR
from matrices.recommend.answer import SourceSet
from matrices.recommend.outlook import ExpectedSet

ENOUGH = 0.01
"""Of the best score: a set that is expected to gain less is not worth the trouble."""


def sets_of(expected: Sequence[ExpectedSet], cells: pa.Table, target: str, best: float | None) -> tuple[SourceSet, ...]:
    """Sets expected to be the best, then those measured on the target, the best first.

    ``best`` is the highest score of a single source that was measured on the target, None where none was.
    """
    measured = {codes: (composition, score) for codes, composition, score in _measured(cells, target)}
    found = [_set(one, measured.get(frozenset(one.sources)), best) for one in expected]
    shown = {frozenset(one.sources) for one in expected}
    others = [(codes, said) for codes, said in measured.items() if codes not in shown]
    others.sort(key=lambda one: (-one[1][1], sorted(one[0])))
    for codes, (composition, score) in others:
        gain = None if best is None else score - best
        found.append(
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
    return tuple(found)


def one_is_enough(expected: Sequence[ExpectedSet]) -> bool | None:
    """Whether no set is expected to gain a hundredth of its score over the best single source; None of no set."""
    return all(one.gain < ENOUGH * abs(one.score) for one in expected) if expected else None


def _set(one: ExpectedSet, said: tuple[str, float] | None, best: float | None) -> SourceSet:
    return SourceSet(
        sources=one.sources,
        score=one.score,
        gain=one.gain,
        shares=one.shares,
        composition=None if said is None else said[0],
        measured=None if said is None else said[1],
        measured_gain=None if said is None or best is None else said[1] - best,
    )


def _measured(cells: pa.Table, target: str) -> Iterator[tuple[frozenset[str], str, float]]:
    """The sets that were measured on a target, their composition, and their mean score over seeds; of two
    compositions the better."""
    if not cells.num_rows:
        return
    kept = pc.and_(pc.equal(cells["status"], "ok"), pc.equal(cells["target"], target))
    kept = pc.and_(kept, pc.is_in(cells["composition"], pa.array(OF_SETS)))
    rows = cells.filter(pc.fill_null(kept, False)).select(["composition", "source", "score"])
    means = rows.group_by(["composition", "source"], use_threads=False).aggregate([("score", "mean")]).to_pylist()
    for row in sorted(means, key=lambda row: (row["score_mean"], row["composition"], row["source"])):
        codes = frozenset(row["source"].split(SEPARATOR))
        if len(codes) > 1:
            yield codes, row["composition"], row["score_mean"]
