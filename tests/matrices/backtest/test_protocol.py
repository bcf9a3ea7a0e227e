from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from matrices.backtest import Forecast, judge_all, judged_targets, methods_for, report
from matrices.published.scores import read_scores
from matrices.scores import ScoreTable

SHARED = Path(os.environ.get("SPRACHBUND_SHARED", Path(__file__).parents[4] / "shared")) / "matrices"


def test_a_method_is_shown_neither_row_nor_column_of_the_target(related: ScoreTable) -> None:
    seen: dict[str, ScoreTable] = {}

    def method(table: ScoreTable, target: str) -> np.ndarray:
        seen[target] = table
        return np.zeros(len(table.sources))

    judge_all(related, {"looking": method})

    for target, table in seen.items():
        assert np.isnan(table.scores[:, table.targets.index(target)]).all()
        assert target not in table.sources or np.isnan(table.scores[table.sources.index(target)]).all()
        assert np.isfinite(table.scores).sum() > 100
    assert list(seen) == list(related.targets)


def test_a_target_of_one_source_has_nothing_to_rank() -> None:
    scores = np.array([[0.5, 0.5, 0.9], [0.4, np.nan, 0.8], [np.nan, np.nan, 0.7]])

    assert judged_targets(ScoreTable(("deu", "eng", "hin"), ("deu", "wol", "yor"), scores)) == ["yor"]


def test_the_target_itself_is_no_source_of_it() -> None:
    table = ScoreTable(("deu", "eng", "hin"), ("hin",), np.array([[0.5], [0.4], [0.9]]))

    [judgement] = judge_all(table, {"itself first": lambda table, target: np.array([1.0, 0, 9])})

    assert (judgement.regret_at_1, judgement.cells) == (0, 2)


def test_what_a_method_says_nothing_about_comes_last() -> None:
    table = ScoreTable(("deu", "eng", "hin"), ("yor",), np.array([[0.9], [0.45], [0.3]]))

    [judgement] = judge_all(table, {"half": lambda table, target: np.array([np.nan, 1, 0])})

    assert judgement.regret_at_1 == 0.5


def test_sureness_is_checked_on_the_scores_left_out() -> None:
    table = ScoreTable(("deu", "eng", "hin", "yor"), ("yor",), np.array([[0.9], [0.5], [0.3], [0.99]]))
    intervals = np.array([[0.8, 1.0], [0.6, 0.7], [0.3, 0.4], [0, 0.1]])

    def method(table: ScoreTable, target: str) -> Forecast:
        return Forecast(np.array([3.0, 2, 1, 0]), intervals, frozenset({"deu", "hin", "yor"}))

    [judgement] = judge_all(table, {"sure": method})

    assert (judgement.covered, judgement.shortlisted, judgement.shortlist_size) == (pytest.approx(2 / 3), True, 2)


def test_a_method_that_might_have_ranked_otherwise_is_judged_by_the_mean() -> None:
    table = ScoreTable(("deu", "eng", "fra"), ("wol",), np.array([[0.9], [0.6], [0.3]]))
    best, worst = np.array([2.0, 1.0, 0.0]), np.array([0.0, 1.0, 2.0])

    [one, other, both] = judge_all(
        table,
        {
            name: lambda *_, found=found: found
            for name, found in [("a", best), ("b", worst), ("c", np.stack([best, worst]))]
        },
    )

    assert (one.regret_at_1, other.regret_at_1) == (0, pytest.approx(2 / 3))
    assert both.regret_at_1 == pytest.approx(1 / 3)
    assert both.ndcg_at_3 == pytest.approx((one.ndcg_at_3 + other.ndcg_at_3) / 2)


def test_more_processes_give_the_same_judgements(related: ScoreTable) -> None:
    methods = {name: method for name, method in methods_for(related)[0].items() if name != "sprachbund"}
    ticks: list[tuple[int, int]] = []

    alone = judge_all(related, methods)
    together = judge_all(related, methods, processes=2, tick=lambda done, total: ticks.append((done, total)))

    assert together == alone
    assert ticks == [(done, len(related.targets)) for done in range(len(related.targets) + 1)]


def test_a_report_is_means_over_targets_with_their_intervals(related: ScoreTable) -> None:
    judgements = judge_all(related, {"english": methods_for(related)[0]["english"]})
    [line] = report(judgements)

    regrets = np.array([judgement.regret_at_1 for judgement in judgements])
    assert line.regret_at_1 == pytest.approx(regrets.mean())
    assert line.targets == len(regrets)
    low, high = line.intervals["regret_at_1"]
    half = 1.96 * regrets.std() / np.sqrt(len(regrets))
    assert (low, high) == pytest.approx((regrets.mean() - half, regrets.mean() + half), abs=0.02)
    assert line.interval_coverage is line.shortlist_coverage is None
    assert report(judgements) == [line]


def test_a_figure_that_no_target_has_is_missing_not_nought() -> None:
    table = ScoreTable(("deu", "eng"), ("wol", "yor"), np.array([[0.0, -1.0], [0.0, -2.0]]))

    [line] = report(judge_all(table, {"random": lambda table, target: np.zeros(2)}))

    assert line.regret_at_1 is None
    assert line.ndcg_at_3 is not None


@pytest.mark.skipif(not SHARED.is_dir(), reason=f"no published matrices at {SHARED}; set SPRACHBUND_SHARED")
@pytest.mark.parametrize(
    ("name", "method", "ndcg", "regret"),
    [
        ("xpos_pos_main", "popularity", 17.9, 8.4),
        ("langrank_mt_with_features", "popularity", 14.5, None),
        ("langrank_dep_with_features", "popularity", 14.9, None),
        ("langrank_pos_with_features", "popularity", 22.8, None),
        # Learned rankings depend on the order of lines: several points either way.
        ("langrank_dep_with_features", "langrank", 57.1, 8.6),
        ("langrank_el_with_features", "uriel_lightgbm", 46.3, None),
    ],
)
def test_published_matrices_give_the_figures_of_a_strict_rerun(
    name: str, method: str, ndcg: float, regret: float | None
) -> None:
    table = read_scores(SHARED / f"{name}.csv")
    learned = method in ("langrank", "uriel_lightgbm")

    [line] = report(judge_all(table, {method: methods_for(table)[0][method]}))

    assert line.ndcg_at_3 is not None
    assert 100 * line.ndcg_at_3 == pytest.approx(ndcg, abs=3 if learned else 0.35)
    assert regret is None or 100 * (line.regret_at_1 or 0) == pytest.approx(regret, abs=1 if learned else 0.1)
