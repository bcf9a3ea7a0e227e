from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from matrices.cells import BASELINE, Cell, to_table
from matrices.view import NARROW, MeasureError, NoScoresError, choose, view

MakeCell = Callable[..., Cell]


def test_outcomes_stand_by_source_target_seed_and_item(make_cell: MakeCell) -> None:
    found = view(
        to_table(
            [
                make_cell(source="deu", target="yor", seed=0, correct=(3, 1, 4), total=(4, 4, 4)),
                make_cell(source="deu", target="yor", seed=2, correct=(4, 4, 4), total=(4, 4, 4)),
                make_cell(source="eng", target="yor", seed=2, correct=(0, 0, 2), total=(4, 4, 4)),
                make_cell(source="eng", target="wol", seed=0, correct=(1, 1), total=(2, 1)),
                make_cell(source=None, composition=BASELINE, target="yor", correct=(1, 1, 1), total=(4, 4, 4)),
            ]
        )
    )
    assert (found.sources, found.targets, found.seeds) == (("deu", "eng"), ("wol", "yor"), (0, 2))
    assert found.scores[0, 1].tolist() == [8 / 12, 1]
    assert np.isnan(found.scores[0, 0]).all()
    assert np.isnan(found.scores[1, 1, 0])
    assert found.n_items.tolist() == [2, 3]
    wol, yor = found.by_item()
    assert yor.correct[0].tolist() == [[3, 1, 4], [4, 4, 4]]
    assert yor.correct[1, 0].tolist() == [0, 0, 0]
    assert yor.total.tolist() == [[[4, 4, 4]]]
    assert wol.total.tolist() == [[[2, 1]]]
    # The constant answer of a zero-shot matrix is measured once, and stands beside every seed.
    assert found.baseline[1].tolist() == [0.25, 0.25]
    assert yor.baseline_correct.tolist() == [[[1, 1, 1], [1, 1, 1]]]
    assert np.isnan(found.baseline[0]).all()


def test_totals_that_are_the_same_in_all_runs_are_kept_once(make_cell: MakeCell) -> None:
    (column,) = view(to_table([make_cell(seed=seed) for seed in range(9)])).by_item()
    assert column.total.shape == (1, 1, 3)
    assert column.total.base is None  # A view would keep those of all runs.


def test_totals_that_differ_between_runs_are_kept_apart(make_cell: MakeCell) -> None:
    cells = [make_cell(seed=0, total=(4, 4, 4)), make_cell(seed=1, total=(4, 5, 4))]
    (column,) = view(to_table(cells)).by_item()
    assert column.total.tolist() == [[[4, 4, 4], [4, 5, 4]]]


def test_a_baseline_is_paired_by_seed_where_it_was_trained(make_cell: MakeCell) -> None:
    base = {"kind": "interference", "source": None, "composition": BASELINE}
    cells = [make_cell(kind="interference", seed=seed) for seed in (0, 1)]
    found = view(to_table([*cells, make_cell(**base, seed=1), make_cell(**base, seed=5)]))
    assert np.isnan(found.baseline[0, 0])
    assert found.baseline[0, 1] == 8 / 12


def test_runs_on_other_items_than_most_are_left_out(make_cell: MakeCell) -> None:
    cells = [make_cell(seed=seed) for seed in (0, 1)] + [make_cell(seed=2, correct=(1, 1), total=(4, 4))]
    found = view(to_table(cells))
    assert found.seeds == (0, 1)
    assert found.n_items.tolist() == [3]


def test_failed_cells_are_missing_not_nought(make_cell: MakeCell) -> None:
    found = view(to_table([make_cell(seed=0), make_cell(seed=1), make_cell(source="eng", status="failed")]))
    assert found.sources == ("deu",)


def test_what_cannot_be_read_says_what_there_is(make_cell: MakeCell) -> None:
    cells = to_table([make_cell(), make_cell(composition="shift-10")])
    assert view(cells).composition == "stack"
    assert view(cells, composition="shift-10").composition == "shift-10"
    with pytest.raises(MeasureError, match="no score of composition 'fuse'; there is: shift-10, stack"):
        view(cells, composition="fuse")
    with pytest.raises(MeasureError, match="no cell with a score"):
        view(to_table([make_cell(status="failed")]))


def test_cells_without_outcomes_have_scores_and_refuse_items(make_cell: MakeCell) -> None:
    cells = to_table([replace(make_cell(), correct=None, total=None)])
    found = view(cells)
    assert found.means.tolist() == [[8 / 12]]
    with pytest.raises(MeasureError, match="keeps scores but not the outcomes of items"):
        found.by_item()


def test_runs_on_other_data_of_the_same_size_are_never_paired(make_cell: MakeCell) -> None:
    usual, other = [make_cell(seed=seed, data="a") for seed in range(3)], ("eng", "hin")
    found = view(to_table([*usual, *(make_cell(source=source, data="b") for source in other)]))
    assert found.sources == ("deu",)
    assert found.other_items == {"yor": 2}


def test_what_was_learned_from_target_items_is_another_quantity(make_cell: MakeCell) -> None:
    cells = to_table([make_cell(), make_cell(source="eng"), make_cell(source="hin", shots=50)])
    assert view(cells).sources == ("deu", "eng")


def test_seeds_that_stand_on_runs_of_their_own_tell_of_more_than_one_run(make_cell: MakeCell) -> None:
    one = view(to_table(make_cell(seed=seed, language_seed=0) for seed in range(2)))
    each = view(to_table(make_cell(seed=seed, language_seed=seed) for seed in range(2)))
    unknown = view(to_table(make_cell(seed=seed) for seed in range(2)))
    assert [found.language_runs for found in (one, each, unknown)] == [1, 2, 0]
    assert [found.of_one_run for found in (one, each, unknown)] == [True, False, True]


def test_alone_comes_after_stack_and_before_all_others(make_cell: MakeCell) -> None:
    def usual(*compositions: str) -> str:
        return choose(to_table([make_cell(composition=name) for name in compositions]))[0]

    assert usual("Xmas", "alone", "stack") == "stack"
    assert usual("Xmas", "alone") == "alone"


def test_the_target_has_a_say_in_what_is_usual(make_cell: MakeCell) -> None:
    cells = to_table([make_cell(), make_cell(target="wol", composition="shift-10", selection="averaged")])
    assert choose(cells, target="wol") == ("shift-10", "averaged")
    assert choose(cells, target="ibo") == ("stack", "last")


def test_outcomes_are_read_of_the_targets_asked_for_alone(make_cell: MakeCell) -> None:
    whole = to_table(
        [make_cell(target=target, source=source) for target in ("yor", "wol") for source in ("deu", "eng")]
    )
    asked = []

    def read(target: str) -> pa.Table:
        asked.append(target)
        return whole.filter(pc.equal(whole["target"], target))

    found = view(whole.select(NARROW), read=read)
    outcomes = found.outcomes("wol")
    assert outcomes is not None
    assert outcomes.correct.shape == (2, 1, 3)
    assert asked == ["wol"]


def test_the_oracle_is_looked_at_only_where_it_is_named(make_cell: MakeCell) -> None:
    oracle = to_table([make_cell(selection="target_dev"), make_cell(source="eng", selection="target_dev")])
    both = to_table([make_cell(selection="target_dev"), make_cell(selection="source_dev")])
    assert choose(both)[1] == "source_dev"
    assert choose(oracle)[1] == "last"
    with pytest.raises(NoScoresError):
        view(oracle)
    assert view(oracle, selection="target_dev").sources == ("deu", "eng")
