"""Which states a selection takes, worked out by hand; which runs stand in a group; which labels may decide."""

import pytest

from matrices.selections import SelectionError, parse
from workers.selecting import LeakError, groups, refuse_leak, shares

RUNS = (("a1", "a2", "a3"), ("b1", "b2", "b3"))
SCORES = ((0.2, 0.8, 0.7), (0.75, 0.5, 0.79))


def taken(name: str, guard: float = 0.9) -> dict[str, float]:
    selection = parse(name)
    return shares(selection, RUNS[: selection.runs], SCORES[: selection.runs], guard)


class TestShares:
    def test_last_is_the_end_of_the_run(self) -> None:
        assert taken("last") == {"a3": 1.0}

    def test_source_dev_is_the_best_snapshot(self) -> None:
        assert taken("source_dev") == {"a2": 1.0}
        assert taken("source_dev(2)") == {"a2": 1.0}

    def test_of_equally_good_snapshots_the_later_is_taken(self) -> None:
        assert shares(parse("source_dev"), [("x", "y", "z")], [(0.5, 0.5, 0.1)], 0.9) == {"y": 1.0}

    def test_a_mean_leaves_out_what_was_hardly_trained(self) -> None:
        assert taken("averaged", guard=0.87) == {"a2": 0.5, "a3": 0.5}
        assert taken("averaged", guard=0.9) == {"a2": 1.0}
        assert taken("averaged", guard=0.0) == pytest.approx(dict.fromkeys(RUNS[0], 1 / 3))

    def test_a_mean_of_the_last_takes_no_more(self) -> None:
        assert taken("averaged(1)") == {"a3": 1.0}
        assert taken("averaged(2)", guard=0.8) == {"a2": 0.5, "a3": 0.5}

    def test_a_soup_is_of_the_best_of_all_runs(self) -> None:
        assert taken("soup(3, 2)") == pytest.approx({"a2": 1 / 3, "b3": 1 / 3, "b1": 1 / 3})
        assert taken("soup(2)") == {"a2": 0.5, "a3": 0.5}

    def test_a_soup_of_more_than_there_are_is_refused(self) -> None:
        with pytest.raises(SelectionError, match="a soup of 4 needs as many snapshots, and there are 3"):
            taken("soup(4)")

    def test_averaged_runs_have_equal_shares_however_many_states_of_each_count(self) -> None:
        assert taken("run_averaged(2)", guard=0.8) == {"a3": 0.5, "b3": 0.5}
        assert taken("run_averaged(2, averaged)", guard=0.9) == {"a2": 0.5, "b1": 0.25, "b3": 0.25}

    def test_a_run_that_failed_is_left_out(self) -> None:
        assert shares(parse("run_averaged(2)"), [("a",), ("b",)], [(0.1,), (0.8,)], 0.9) == {"b": 1.0}

    def test_one_averaged_run_is_the_run(self) -> None:
        assert taken("run_averaged(1)") == taken("last")

    def test_a_score_that_is_not_defined_is_the_lowest(self) -> None:
        assert shares(parse("source_dev"), [("x", "y")], [(0.1, None)], 0.9) == {"x": 1.0}

    def test_states_that_all_score_nothing_are_all_taken(self) -> None:
        assert shares(parse("averaged"), [("x", "y")], [(None, 0.0)], 0.9) == {"x": 0.5, "y": 0.5}


class TestGroups:
    def test_no_two_share_a_run(self) -> None:
        for runs in range(1, 8):
            members = [run for _, group in groups((0, 1, 2, 3, 4), "pqr", runs) for run in group]
            assert len(set(members)) == len(members)

    def test_seeds_make_groups_of_one_recipe(self) -> None:
        assert list(groups((5, 6, 7, 8, 9), "p", 2)) == [(5, ((5, "p"), (6, "p"))), (7, ((7, "p"), (8, "p")))]

    def test_each_seed_begins_at_another_recipe(self) -> None:
        assert list(groups((0, 1), "pqr", 2)) == [(0, ((0, "p"), (0, "q"))), (1, ((1, "q"), (1, "r")))]

    def test_more_seeds_change_no_group(self) -> None:
        few, more = list(groups((0, 1, 2), "pq", 3)), list(groups((0, 1, 2, 3, 4), "pq", 3))
        assert more[: len(few)] == few


class TestLeaks:
    @pytest.mark.parametrize(
        "name", ["source_dev", "averaged", "soup(2)", "run_averaged(2)", "run_averaged(2, averaged)"]
    )
    def test_labels_of_another_language_decide_nothing_that_is_deployed(self, name: str) -> None:
        with pytest.raises(LeakError, match="chosen by labels of yor, which none of its runs learned from"):
            refuse_leak(parse(name), {("eng", "dev"), ("yor", "dev")}, {"eng"})

    def test_the_dev_split_of_a_source_may_decide(self) -> None:
        refuse_leak(parse("source_dev"), {("eng", "dev")}, {"eng"})

    def test_the_oracle_may_see_the_dev_split_of_its_target(self) -> None:
        refuse_leak(parse("target_dev"), {("yor", "dev")}, {"eng"})

    @pytest.mark.parametrize("name", ["source_dev", "target_dev"])
    def test_a_test_split_never_decides(self, name: str) -> None:
        with pytest.raises(LeakError, match="only dev may decide"):
            refuse_leak(parse(name), {("eng", "test")}, {"eng"})
