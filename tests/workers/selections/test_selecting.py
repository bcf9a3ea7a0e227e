"""Which states a selection takes, worked out by hand; which runs stand in a group; which labels may decide."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from matrices.selections import SelectionError, parse
from workers.selecting import Guard, LeakError, LeftOut, Shares, Taken, groups, mean_of, refuse_leak, take

RUNS = (("a1", "a2", "a3"), ("b1", "b2", "b3"))
SCORES = ((0.2, 0.8, 0.7), (0.75, 0.5, 0.79))


@dataclass
class OnALine:
    """States are numbers, and so are their means; ``scores`` are those of means by their place."""

    states: dict[str, float]
    scores: dict[float, float]
    asked: list[float] = field(default_factory=list)

    def place(self, shares: Shares) -> float:
        return round(sum(share * self.states[key] for key, share in shares.items()), 6)

    def score(self, shares: Shares) -> float:
        self.asked.append(self.place(shares))
        return self.scores[self.asked[-1]]

    def farthest(self, members: Sequence[Shares]) -> int:
        places = [self.place(shares) for shares in members]
        mean = sum(places) / len(places)
        return max(range(len(places)), key=lambda at: abs(places[at] - mean))


@dataclass
class Flat:
    """Under which a mean scores the mean of its states' scores."""

    known: dict[str, float]

    def score(self, shares: Shares) -> float:
        return sum(share * self.known[key] for key, share in shares.items())

    def farthest(self, members: Sequence[Shares]) -> int:
        raise AssertionError("a good mean leaves nothing out")


def shares(
    name: str, runs: Sequence[Sequence[str]], scores: Sequence[Sequence[float | None]], guard: float = 0.9
) -> dict[str, float]:
    keys = [key for of_run in runs for key in of_run]
    known = dict(zip(keys, (score or 0.0 for of_run in scores for score in of_run), strict=True))
    return take(parse(name), runs, scores, Guard(guard, 0.5), Flat(known)).shares


def taken(name: str, guard: float = 0.9) -> dict[str, float]:
    selection = parse(name)
    return shares(name, RUNS[: selection.runs], SCORES[: selection.runs], guard)


class TestShares:
    def test_last_is_the_end_of_the_run(self) -> None:
        assert taken("last") == {"a3": 1.0}

    def test_source_dev_is_the_best_snapshot(self) -> None:
        assert taken("source_dev") == {"a2": 1.0}
        assert taken("source_dev(2)") == {"a2": 1.0}

    def test_of_equally_good_snapshots_the_later_is_taken(self) -> None:
        assert shares("source_dev", [("x", "y", "z")], [(0.5, 0.5, 0.1)]) == {"y": 1.0}

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
        assert shares("run_averaged(2)", [("a",), ("b",)], [(0.1,), (0.8,)]) == {"b": 1.0}

    def test_one_averaged_run_is_the_run(self) -> None:
        assert taken("run_averaged(1)") == taken("last")

    def test_a_score_that_is_not_defined_is_the_lowest(self) -> None:
        assert shares("source_dev", [("x", "y")], [(0.1, None)]) == {"x": 1.0}

    def test_states_that_all_score_nothing_are_all_taken(self) -> None:
        assert shares("averaged", [("x", "y")], [(None, 0.0)]) == {"x": 0.5, "y": 0.5}


class TestMeans:
    """Four runs at 0, 1, 2 and 9 on a line; where they stand all are good, and between them lies a hill."""

    RUNS = (("a",), ("b",), ("c",), ("far",))
    OWN = ((0.80,), (0.76,), (0.78,), (0.79,))

    def averaged(self, scores: dict[float, float], mean_guard: float = 0.95) -> tuple[Taken, OnALine]:
        judge = OnALine({"a": 0, "b": 1, "c": 2, "far": 9}, scores)
        return take(parse("run_averaged(4)"), self.RUNS, self.OWN, Guard(0.9, mean_guard), judge), judge

    def test_a_good_mean_is_of_all_and_has_its_own_score(self) -> None:
        found, judge = self.averaged({3.0: 0.77})
        assert found == Taken(dict.fromkeys("abc", 0.25) | {"far": 0.25}, 0.77)
        assert judge.asked == [3.0]  # (0 + 1 + 2 + 9) / 4

    def test_a_bad_mean_leaves_out_what_is_farthest_from_it_and_is_judged_again(self) -> None:
        found, judge = self.averaged({3.0: 0.20, 1.0: 0.77})
        assert found.shares == pytest.approx(dict.fromkeys("abc", 1 / 3))
        assert found.score == 0.77
        assert found.left_out == (LeftOut(("far",), 0.79, 0.20),)
        assert judge.asked == [3.0, 1.0]

    def test_at_the_least_the_best_one_is_taken(self) -> None:
        found, judge = self.averaged({3.0: 0.2, 1.0: 0.3, 1.5: 0.4})
        assert (found.shares, found.score) == ({"a": 1.0}, 0.80)
        assert judge.asked == [3.0, 1.0, 1.5]  # a and c lie equally far from 1; the first of them goes.
        assert found.left_out == (LeftOut(("far",), 0.79, 0.2), LeftOut(("b",), 0.76, 0.4), LeftOut(("c",), 0.78, 0.4))

    def test_the_guard_is_of_the_best_member_even_where_that_is_out(self) -> None:
        assert self.averaged({3.0: 0.75, 1.0: 0.77})[1].asked == [3.0, 1.0]  # 0.95 of 0.80 is 0.76.
        assert self.averaged({3.0: 0.75}, mean_guard=0.9)[1].asked == [3.0]

    def test_no_mean_scores_less_than_its_share_of_the_best_member(self) -> None:
        for bad in (0.0, 0.5, 0.7):
            assert self.averaged(dict.fromkeys((3.0, 1.0, 1.5), bad))[0].score >= 0.95 * 0.80

    def test_means_of_runs_are_judged_by_the_scores_of_the_means_of_their_states(self) -> None:
        judge = OnALine({"a1": 0, "a2": 1, "b1": 10, "b2": 11}, {0.5: 0.4, 10.5: 0.8, 5.75: 0.0})
        runs, scores = (("a1", "a2"), ("b1", "b2")), ((0.78, 0.79), (0.77, 0.75))
        found = take(parse("run_averaged(2, averaged)"), runs, scores, Guard(0.9, 0.95), judge)
        # The first run's mean is bad, so its better state stands for it; the mean of both is bad too.
        assert judge.asked == [0.5, 10.5, 5.75]
        assert (found.shares, found.score) == ({"b1": 0.5, "b2": 0.5}, 0.8)
        assert found.left_out == (LeftOut(("a2",), 0.79, 0.0),)

    def test_what_was_hardly_trained_is_out_before_any_mean_is_made(self) -> None:
        judge = OnALine({"x": 0, "y": 2}, {})
        found = mean_of([Taken({"x": 1.0}, 0.1), Taken({"y": 1.0}, 0.8)], Guard(0.9, 0.95), judge)
        assert found == Taken({"y": 1.0}, 0.8, (LeftOut(("x",), 0.1, None),))
        assert judge.asked == []


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
