"""How to find a good source for every target from few cells: what to measure in each round, and when to stop.

A spread-out start, then rounds: a model of all that is known, the cells that are expected to improve choices most
(knowledge gradient), and an end as soon as the choices are expected to cost less than a bound. Of sources that another
is better than beyond doubt nothing more is measured (racing; Maron & Moore 1997).

What is measured is chosen as promising, and promises more than it keeps (the winner's curse): a model of such cells
expects too much of those that are left. What a round was expected to gain is therefore held against what it gained, and
what choices are expected to cost is cut down in that measure.
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
    what the cells are expected to add to the best score of each of their targets, ``best`` those scores; ``hoped`` and
    ``gained`` what rounds before promised and kept.
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
        """What was gained of what was hoped for; all of it while no round has ended."""
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
    """The next round for a table of sources and targets, NaN where nothing was measured. Repeatable.

    ``among`` [S, T] are the cells there may be, measured or not: what choices cost is of targets that have any.
    ``again`` [S, T] are those measured that further seeds are to be had of, and that nothing beats beyond doubt. No
    more than ``most`` cells are chosen. ``before`` is the round whose cells were measured last.
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
