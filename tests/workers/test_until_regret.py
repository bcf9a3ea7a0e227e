"""A job that stops when it knows enough, in one process."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from matrices.cells import from_table
from matrices.store import Store
from sprachbund.commands.rounds import say_standing
from workers.driver import run_context
from workers.job import Job
from workers.pending import pending
from workers.plan import Plan, make_plan
from workers.pool import InlinePool
from workers.until_regret import Rounds, Standing, SummaryOfRounds

MakeJob = Callable[..., Job]


@pytest.fixture
def plan(tiny_corpora: Path, tiny_encoder_folder: Path, job_of: MakeJob) -> Plan:
    knobs: dict[str, Any] = {"sources": ["qaa", "qab", "qac"], "targets": ["qaa", "qab", "qac"], "seeds": [0, 1]}
    return make_plan(job_of(tiny_corpora, tiny_encoder_folder, **knobs))


def filled(plan: Plan, rounds: Rounds) -> SummaryOfRounds:
    store, context = Store.open(plan.job.store, create=True), run_context(plan, threads=1)
    return rounds(plan, pending(plan, store), store, InlinePool(context), context)


def runs_in(plan: Plan) -> list[tuple[str | None, str, int]]:
    store = Store(plan.job.store)
    cells = [cell for info in store.matrices() for cell in from_table(store.cells(info.matrix))]
    return [(cell.source, cell.target, cell.seed) for cell in cells if cell.source is not None]


def test_a_job_stops_when_choices_are_expected_to_cost_little(plan: Plan) -> None:
    told: list[Standing] = []
    rounds = Rounds(0.9, told=told.append)

    summary = filled(plan, rounds)

    [standing] = summary.standings
    assert standing.regret is not None
    assert standing.regret <= 0.9
    assert set(standing.choices) == {"qaa", "qab", "qac"}
    assert told[0].regret is None
    assert told[-1] == standing
    # A spread-out start: each language on the two others, with the first seed; nothing on itself.
    assert sorted(runs_in(plan)) == [(s, t, 0) for s in ("qaa", "qab", "qac") for t in ("qaa", "qab", "qac") if s != t]
    assert standing.measured == 6
    assert summary.measured == 6 + 3  # And the baselines.


def test_it_goes_on_with_further_seeds_and_ends_when_there_are_no_more(plan: Plan) -> None:
    filled(plan, Rounds(1e-9))

    assert len(runs_in(plan)) <= 12
    assert {seed for _, _, seed in runs_in(plan)} == {0, 1}


def test_rounds_survive_the_way_to_another_process(plan: Plan) -> None:
    rounds = pickle.loads(pickle.dumps(Rounds(0.9, budget=2, told=say_standing)))  # noqa: S301 (one's own)

    assert filled(plan, rounds).standings[0].measured == 2


def test_a_budget_is_of_all_cells_that_the_job_has_measured(plan: Plan) -> None:
    filled(plan, Rounds(1e-9, budget=3))
    assert len(runs_in(plan)) == 3

    filled(plan, Rounds(1e-9, budget=4))
    assert len(runs_in(plan)) == 4


def test_a_run_goes_on_where_another_ended(plan: Plan) -> None:
    filled(plan, Rounds(0.9, budget=2))
    first = set(runs_in(plan))

    filled(plan, Rounds(0.9))

    assert first < set(runs_in(plan))
    assert len(runs_in(plan)) == 6
    assert filled(plan, Rounds(0.9)).measured == 0
