"""A job that stops when it knows enough: its cells are measured in rounds, those that matter most first.

Between two rounds nothing is remembered but what the store holds. So a run that was stopped goes on where it was, and
jobs that share a store learn from each other's cells.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from matrices.arrays import Bools
from matrices.grid import Place
from matrices.measures.ranks import ranked
from matrices.reading import UnknownMatrixError
from matrices.recommend.predicted.acquisition import widened
from matrices.recommend.predicted.racing import Round, next_round
from matrices.scores import ScoreTable, scores_of
from matrices.store import Store
from matrices.uncertainty.comparison import TargetRuns
from matrices.uncertainty.components import SeedVariance
from matrices.uncertainty.resampling import Resamples
from matrices.view import COLUMNS, MeasureError, NoScoresError, view
from workers.driver import Summary, Watch, run
from workers.pending import Work, pending
from workers.plan import Plan
from workers.pool import Pool
from workers.protocol import RunContext
from workers.work_units import Column, PlannedCell


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What is known of one matrix of a job: ``measured`` of its ``cells`` (runs of a source on a target) have a score.

    ``regret`` is what choosing by what is known is expected to cost on average over the job's targets, as a share of
    the best score; None while nothing can be predicted. ``choices`` are the sources chosen, by target.
    """

    matrix: str
    measured: int
    cells: int
    regret: float | None
    choices: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SummaryOfRounds(Summary):
    """What all rounds of a run did, and how each matrix stands in the end."""

    standings: tuple[Standing, ...]


def untold(standing: Standing) -> None:
    """Says nothing of how things stand."""


@dataclass
class Rounds:
    """Does a job's work in rounds, until the choice of a source is expected to cost at most ``regret``, a share.

    ``budget`` is the most cells that the job has measured in the end, of all rounds and runs. ``told`` hears how things
    stand before every round; a function of a module, as a job on a cluster runs in another process. A cell that failed
    is not tried twice in a run.
    """

    regret: float
    budget: int | None = None
    told: Callable[[Standing], None] = untold
    standings: dict[str, Standing] = field(default_factory=dict)
    _tried: set[str] = field(default_factory=set)
    _before: dict[str, Round] = field(default_factory=dict)

    def __call__(
        self, plan: Plan, work: Work, store: Store, pool: Pool, context: RunContext, watch: Watch | None = None
    ) -> SummaryOfRounds:
        """As ``workers.driver.run``, of the cells that it takes to know enough."""
        done: list[Summary] = []
        while (part := self.next_part(plan, store)) is not None:
            done.append(run(part, pending(part, store), store, pool, context, watch))
        return _together(plan, done, work.measured, tuple(self.standings.values()))

    def next_part(self, plan: Plan, store: Store) -> Plan | None:
        """The part of a plan to do next; None where enough is known, or no more may be measured."""
        columns: list[Column] = []
        left = self.budget
        by_matrix = _by_matrix(plan.columns)
        measured_ids = {matrix: store.measured_ids(matrix=matrix) for matrix in by_matrix}
        if left is not None:
            left -= sum(
                _is_run(cell) and cell.cell_id in measured_ids[column.matrix] for column, cell in _cells(plan.columns)
            )
        for matrix, ours in by_matrix.items():
            step, standing = self._look(matrix, ours, measured_ids[matrix], store, left)
            if standing != self.standings.get(matrix):
                self.standings[matrix] = standing
                self.told(standing)
            chosen = list(_chosen(ours, step.cells, {*measured_ids[matrix], *self._tried}))
            if left is not None:
                left -= sum(_is_run(cell) for column in chosen for cell in column.cells)
            columns += chosen
        self._tried |= {cell.cell_id for column in columns for cell in column.cells}
        return replace(plan, columns=tuple(columns)) if columns else None

    def _look(
        self, matrix: str, columns: Sequence[Column], measured_ids: Collection[str], store: Store, left: int | None
    ) -> tuple[Round, Standing]:
        cells = [(column, cell) for column, cell in _cells(columns) if _is_run(cell)]
        pairs = {(cell.source, column.target) for column, cell in cells if cell.source is not None}
        pairs = {(source, target) for source, target in pairs if source != target}
        table = widened(_measured(store, matrix), pairs)
        open_runs = Counter(
            (cell.source, column.target) for column, cell in cells if cell.cell_id not in {*measured_ids, *self._tried}
        )
        among = _places(table, pairs)
        # What failed has no score, and none is to be had.
        among &= np.isfinite(table.scores) | _places(table, open_runs)
        again = _places(table, open_runs) & np.isfinite(table.scores)
        if again.any():
            again &= ~_beaten(store, matrix, table)
        step = next_round(table, among, self.regret, again=again, most=left, before=self._before.get(matrix))
        self._before[matrix] = step
        measured = sum(cell.cell_id in measured_ids for _, cell in cells)
        return step, Standing(
            matrix=matrix, measured=measured, cells=len(cells), regret=step.regret, choices=step.choices
        )


def _by_matrix(columns: Sequence[Column]) -> dict[str, list[Column]]:
    by_matrix: defaultdict[str, list[Column]] = defaultdict(list)
    for column in columns:
        by_matrix[column.matrix].append(column)
    return by_matrix


def _cells(columns: Sequence[Column]) -> Iterator[tuple[Column, PlannedCell]]:
    return ((column, cell) for column in columns for cell in column.cells)


def _is_run(cell: PlannedCell) -> bool:
    return cell.source is not None


def _measured(store: Store, matrix: str) -> ScoreTable:
    try:
        return scores_of(store, matrix)
    except (UnknownMatrixError, NoScoresError):
        return ScoreTable((), (), np.empty((0, 0)))


def _places(table: ScoreTable, pairs: Collection[tuple[str | None, str]]) -> Bools:
    """Which cells of a table are among some pairs [S, T]."""
    rows = [[(source, target) in pairs for target in table.targets] for source in table.sources]
    return np.array(rows, dtype=bool).reshape(len(table.sources), len(table.targets))


def _beaten(store: Store, matrix: str, table: ScoreTable) -> Bools:
    """Which sources another is better than beyond doubt, on the same items and seeds [S, T]; False where unknown."""
    beaten = np.zeros(table.scores.shape, dtype=bool)
    matrix_view = view(store.cells(matrix, columns=COLUMNS), items=store.items(matrix))
    samples, seeds = Resamples(matrix_view), SeedVariance(matrix_view)
    for target in matrix_view.targets:
        try:
            runs = TargetRuns(matrix_view, target, samples, seeds)
        except MeasureError:
            continue
        order = ranked(matrix_view, target)
        for at, tie in zip(order.tolist(), runs.ties(order), strict=True):
            beaten[table.sources.index(matrix_view.sources[at]), table.targets.index(target)] = tie == "worse"
    return beaten


def _chosen(columns: Sequence[Column], pairs: Sequence[Place], done: Collection[str]) -> Iterator[Column]:
    """Of every pair the runs of its first seed that is not done, and the baselines of their targets."""
    wanted: defaultdict[str, set[str]] = defaultdict(set)
    for source, target in pairs:
        wanted[target].add(source)
    for column in columns:
        cells: list[PlannedCell] = []
        for source in sorted(wanted[column.target]):
            of_pair = [cell for cell in column.cells if cell.source == source and cell.cell_id not in done]
            first = min((cell.seed for cell in of_pair), default=None)
            cells += [cell for cell in of_pair if cell.seed == first]
        seeds = {cell.seed for cell in cells}
        baselines = [cell for cell in column.cells if not _is_run(cell) and cell.cell_id not in done]
        # A constant answer stands for all seeds, under one of them.
        cells += [cell for cell in baselines if cells and (cell.seed in seeds or cell.task_adapter is None)]
        if cells:
            yield replace(column, cells=tuple(cells))


def _together(plan: Plan, done: Sequence[Summary], found: int, standings: tuple[Standing, ...]) -> SummaryOfRounds:
    return SummaryOfRounds(
        **{
            name: sum(getattr(summary, name) for summary in done)
            for name in ("trained", "measured", "undefined", "failed")
        },
        reused=max((summary.reused for summary in done), default=0),
        found=found,
        seconds=sum(summary.seconds for summary in done),
        matrices=tuple(dict.fromkeys(column.matrix for column in plan.columns)),
        notes=plan.notes,
        standings=standings,
    )
