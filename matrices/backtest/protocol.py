"""Strict leave-one-target-out: how each method ranks sources for a target as if nobody had ever measured it.

The held-out language is hidden as a target and as a source. Were it only hidden as a target, how well it transfers to
others would be known, which it never is of a language that nobody measured.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing import get_context

import numpy as np

from matrices.backtest.ranking_metrics import ndcg, regret
from matrices.scores import Floats, ScoreTable


@dataclass(frozen=True, eq=False)
class Forecast:
    """What a method that knows how sure it is says of a target: expected scores, 90% intervals, and a shortlist.

    ``scores`` [S], higher is better, NaN of a source it can say nothing about; ``intervals`` [S, 2] in the unit of the
    table; ``shortlist`` holds the best source with 90% confidence.
    """

    scores: Floats
    intervals: Floats
    shortlist: frozenset[str]


Method = Callable[[ScoreTable, str], "Floats | Forecast"]
"""From a table in which the target is hidden, and the target, to the expected scores of the table's sources: [S], or
[R, S] of a method that might as well have answered in R ways, whose figures are averaged."""

Tick = Callable[[int, int], None]
"""Told how many targets are done, and of how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """One method on one target. Shares are in [0, 1]; NaN, and None, where the method or the target has no such thing.

    ``covered`` is the share of the target's scores within their 90% intervals, of ``cells`` there are; ``score_error``
    the mean absolute error of the expected scores, and ``interval_width`` the mean width of the intervals, both in the
    unit of the table.
    """

    method: str
    target: str
    ndcg_at_3: float
    ndcg_at_3_linear: float
    regret_at_1: float
    regret_at_3: float
    cells: int
    covered: float | None = None
    score_error: float | None = None
    interval_width: float | None = None
    shortlisted: bool | None = None
    shortlist_size: int | None = None


def judged_targets(table: ScoreTable) -> list[str]:
    """The targets that two or more other languages were measured on: of fewer there is nothing to rank."""
    several = np.isfinite(table.without_selves().scores).sum(axis=0) > 1
    return [target for target, enough in zip(table.targets, several, strict=True) if enough]


def judge(table: ScoreTable, target: str, methods: Mapping[str, Method]) -> list[Judgement]:
    """How every method ranks the sources of one target that it is not shown."""
    hidden = table.hide(target)
    return [_judge(table, target, name, method(hidden, target)) for name, method in methods.items()]


def judge_all(
    table: ScoreTable, methods: Mapping[str, Method], *, processes: int = 1, tick: Tick | None = None
) -> list[Judgement]:
    """Every method on every target, in order of the table's targets.

    With more than one process, methods are functions of a module, and the caller's main module has its guard.
    """
    targets = judged_targets(table)
    tick = tick or (lambda done, total: None)
    tick(0, len(targets))
    found: dict[str, list[Judgement]] = {}
    if processes == 1:
        for target in targets:
            found[target] = judge(table, target, methods)
            tick(len(found), len(targets))
        return [judgement for target in targets for judgement in found[target]]
    with _one_thread_each(), ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        running = {pool.submit(judge, table, target, methods): target for target in targets}
        for finished in as_completed(running):
            found[running[finished]] = finished.result()
            tick(len(found), len(targets))
    return [judgement for target in targets for judgement in found[target]]


def _judge(table: ScoreTable, target: str, name: str, answer: Floats | Forecast) -> Judgement:
    truth = table.without_selves().scores[:, table.targets.index(target)]
    known = np.isfinite(truth)
    truth = truth[known]
    rankings = np.atleast_2d(answer.scores if isinstance(answer, Forecast) else answer)[:, known]
    # What a method says nothing about comes last: an unknown source is no reason to choose it.
    rankings = np.where(np.isfinite(rankings), rankings, -np.inf)
    judgement = Judgement(
        method=name,
        target=target,
        ndcg_at_3=_mean(ndcg(truth, one) for one in rankings),
        ndcg_at_3_linear=_mean(ndcg(truth, one, linear=True) for one in rankings),
        regret_at_1=_mean(regret(truth, one, 1) for one in rankings),
        regret_at_3=_mean(regret(truth, one, 3) for one in rankings),
        cells=len(truth),
    )
    if not isinstance(answer, Forecast):
        return judgement
    low, high = answer.intervals[known].T
    sources = [source for source, measured in zip(table.sources, known, strict=True) if measured]
    best = {source for source, score in zip(sources, truth, strict=True) if score == truth.max()}
    return replace(
        judgement,
        covered=float(((low <= truth) & (truth <= high)).mean()),
        score_error=float(np.abs(answer.scores[known] - truth).mean()),
        interval_width=float((high - low).mean()),
        shortlisted=bool(best & answer.shortlist),
        shortlist_size=len(answer.shortlist & set(sources)),
    )


def _mean(figures: Iterable[float]) -> float:
    return float(np.mean(list(figures)))


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Keeps the processes' linear algebra to one thread each: more would fight over the same cores."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
