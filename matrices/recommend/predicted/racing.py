"""How to find a good source for every target from few cells: what to measure in each round, and when to stop.

The first cells are spread out. Then each round fits a model to all scores so far and measures the cells that are
expected to improve choices most (knowledge gradient). It ends as soon as the choices are expected to cost less than a
bound. A source that another one beats beyond doubt is measured no further (racing).

Cells are measured because they are promising, and so promise more than they keep (the winner's curse). The expected
gain of earlier rounds is therefore compared with the gain they had, and the expected cost of choices is scaled by that
ratio.

Notation: S sources, T targets. References: Frazier, Powell & Dayanik 2008 (knowledge gradient); Maron & Moore 1997
(racing).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from matrices.arrays import Bools
from matrices.grid import Place
from matrices.recommend.predicted.acquisition import Survey, spread_out, survey, taken
from matrices.recommend.prediction import NothingToPredictError
from matrices.scores import Floats, ScoreTable

STEP = 0.01
"""The share of all cells that is measured in a round."""
_PER_TARGET = 0.25
"""At least so many cells a target in a round."""
_REMEMBERED = 0.5
"""What earlier rounds count for beside the last one, each half of the one after it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What to do next: measure ``cells``, or, where there are none, stop.

    ``regret`` is what choices are expected to cost on average over targets as things stand, as a share of the best
    score; None while nothing can be predicted. ``choices`` are the sources that would be recommended. ``hopes`` are
    what the cells are expected to add to the best score of each of their targets, ``best`` those scores. ``hoped`` and
    ``gained`` are the expected and the actual gains of earlier rounds, summed with decaying weights.
    """

    cells: tuple[Place, ...]
    regret: float | None = None
    choices: Mapping[str, str] = field(default_factory=dict)
    hopes: Mapping[str, float] = field(default_factory=dict)
    best: Mapping[str, float] = field(default_factory=dict)
    hoped: float = 0.0
    gained: float = 0.0

    @property
    def trust(self) -> float:
        """The actual gain of earlier rounds as a share of the expected one, at most 1; 1 before a round has ended."""
        return min(self.gained / self.hoped, 1.0) if self.hoped > 0 else 1.0


def next_round(
    table: ScoreTable,
    among: Bools,
    until: float,
    *,
    again: Bools | None = None,
    most: int | None = None,
    before: Round | None = None,
) -> Round:
    """The next round for a table [S, T], NaN where nothing was measured. Deterministic.

    ``among`` [S, T] are the cells that may be measured, or were: the cost of choices is averaged over their targets.
    ``again`` [S, T] are measured cells of which further seeds can be measured and whose source is not beaten beyond
    doubt. At most ``most`` cells are chosen. ``before`` is the round whose cells were measured last.
    """
    if lacking := spread_out(table, among):
        return Round(cells=tuple(lacking[:most]))
    size = max(round(STEP * int(among.sum())), round(_PER_TARGET * len(table.targets)), 1)
    try:
        surveyed = survey(table, again=again)
    except NothingToPredictError:
        return Round(cells=())
    wanted = [table.targets[column] for column in np.flatnonzero(among.any(axis=0))]
    best = {target: score for target in wanted if np.isfinite(score := _best(table, target))}
    hoped, gained = _kept(before, best)
    trust = Round(cells=(), hoped=hoped, gained=gained).trust
    regrets = surveyed.regrets
    predicted_regrets = [regrets[target] for target in wanted if np.isfinite(regrets[target])]
    regret = trust * float(np.mean(predicted_regrets)) if predicted_regrets else None
    enough = regret is None or regret <= until
    most = size if most is None else min(most, size)
    cells = () if enough else tuple(taken(table, np.where(among, surveyed.gains, -np.inf), most))
    choices = surveyed.choices()
    return Round(
        cells=cells,
        regret=regret,
        choices={target: choices[target] for target in wanted},
        hopes=_hopes(surveyed, cells, best),
        best=best,
        hoped=hoped,
        gained=gained,
    )


def _kept(before: Round | None, best: Mapping[str, float]) -> tuple[float, float]:
    """What rounds so far were expected to add to the best scores, and what they added."""
    if before is None:
        return 0.0, 0.0
    gained = sum(max(best[target] - before.best[target], 0.0) for target in before.hopes)
    return _REMEMBERED * before.hoped + sum(before.hopes.values()), _REMEMBERED * before.gained + gained


def _hopes(surveyed: Survey, cells: Sequence[Place], best: Mapping[str, float]) -> dict[str, float]:
    hopes: dict[str, float] = {}
    for target, score in best.items():
        sources = [source for source, of in cells if of == target]
        if sources:
            predicted = surveyed.expected[target]
            at = [predicted.sources.index(source) for source in sources]
            drawn: Floats = predicted.drawn[:, at].max(axis=1)
            hopes[target] = float(np.maximum(drawn - score, 0).mean())
    return hopes


def _best(table: ScoreTable, target: str) -> float:
    column = table.scores[:, table.targets.index(target)]
    measured = column[np.isfinite(column)]
    return float(measured.max()) if len(measured) else float("nan")
