"""hat_r of whole matrices: items matched by id, seeds as samples, and what is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from scipy.special import expit

from matrices.arrays import Floats
from matrices.items import Items
from matrices.measures.hat import hat_r_table
from matrices.measures.profile import ProfileSettings
from matrices.view import MatrixView, MeasureError

MakeView = Callable[..., MatrixView]

LANGUAGES = ("deu", "hin", "yor")
N, K = 600, 5
RATE = {"deu": 0.9, "hin": 0.6, "yor": 0.3}
"""What of a source's success each language keeps of it as a target."""


def hat(view: MatrixView, items: Mapping[str, Items], **how: Any) -> pa.Table:
    return hat_r_table(replace(view, items=items), **how)


def answers(seeds: int = K) -> Floats:
    """MatrixView [3, 3, K, N]: abler from source to source; a target solves its rate of what the source would."""
    random = np.random.default_rng(5)
    p = expit(np.array([-1.5, 0, 1.5])[:, None] + 2 * random.standard_normal(N))
    rate = np.array([[1 if s == t else RATE[t] for t in LANGUAGES] for s in LANGUAGES])
    outcomes: Floats = (random.random((3, 3, seeds, N)) < (rate[..., None] * p[:, None])[:, :, None]).astype(float)
    return outcomes


def named(ids: Mapping[str, Any] | None = None, **given: Any) -> dict[str, Items]:
    """Items 0..N - 1 of one parallel corpus on every language, unless some are given ids of their own."""
    usual = {language: range(N) for language in LANGUAGES}
    return {
        code: Items(tuple(map(str, of)), **{"parallel": "sib200", **given})
        for code, of in {**usual, **(ids or {})}.items()
    }


@pytest.fixture
def matrix(make_view: MakeView) -> Callable[..., MatrixView]:
    def make(correct: Floats, baseline: float = 0.0, **given: Any) -> MatrixView:
        constant = np.zeros(correct.shape[1:])
        constant[..., : int(baseline * correct.shape[-1])] = 1
        about = {"sources": LANGUAGES, "targets": LANGUAGES, "kind": "zero_shot", "task": "topic", **given}
        return make_view(correct, constant, **about)

    return make


def by_pair(table: pa.Table) -> dict[tuple[str, str], dict[str, Any]]:
    return {(row["source"], row["target"]): row for row in table.to_pylist()}


def hats(table: pa.Table) -> dict[tuple[str, str], float]:
    return {pair: row["hat_r"] for pair, row in by_pair(table).items()}


class TestTable:
    def test_a_row_a_pair_of_languages_and_the_rate_that_transfers(self, matrix: Callable[..., MatrixView]) -> None:
        rows = by_pair(hat(matrix(answers()), named()))
        assert list(rows) == [(s, t) for s in LANGUAGES for t in LANGUAGES if s != t]
        for (_, target), row in rows.items():
            assert row["low"] <= RATE[target] <= row["high"]
            assert row["high"] - row["low"] < 0.25
            assert (row["parallel"], row["items"], row["seeds"], row["chance"]) == ("sib200", N, K, 0)
            assert row["refused"] is None

    def test_bins_are_published_with_their_items(self, matrix: Callable[..., MatrixView]) -> None:
        row = by_pair(hat(matrix(answers()), named()))["hin", "deu"]
        assert len(row["bin_items"]) == len(row["tau"]) == len(row["sigma"]) == K
        assert sum(row["bin_items"]) == pytest.approx(N)
        assert row["hat_r"] == pytest.approx(sum(row["tau"]) / sum(row["sigma"]))
        assert row["sigma"] == sorted(row["sigma"])

    def test_items_are_matched_by_id_in_whatever_order_they_lie(self, matrix: Callable[..., MatrixView]) -> None:
        correct, order = answers(), np.random.default_rng(1).permutation(N)
        expected = hats(hat(matrix(correct), named()))
        correct[:, 1] = correct[:, 1][..., order]

        assert hats(hat(matrix(correct), named({"hin": order}))) == pytest.approx(expected)
        assert hats(hat(matrix(correct), named())) != pytest.approx(expected, abs=0.02)

    def test_ids_and_seeds_may_be_called_anything(self, matrix: Callable[..., MatrixView]) -> None:
        correct = answers()
        expected = hats(hat(matrix(correct), named()))
        other = {language: [f"{number}-x" for number in range(N)] for language in LANGUAGES}
        renamed = matrix(correct[:, :, ::-1], seeds=(5, 6, 7, 8, 9))
        assert hats(hat(renamed, named(other))) == pytest.approx(expected)

    def test_only_items_that_both_languages_have_count(self, matrix: Callable[..., MatrixView]) -> None:
        correct = answers()
        half = hats(hat(matrix(correct[..., : N // 2]), {k: v.first(N // 2) for k, v in named().items()}))
        elsewhere = [*range(N // 2), *range(N, N + N // 2)]
        rows = by_pair(hat(matrix(correct), named({"yor": elsewhere})))
        assert {pair: row["items"] for pair, row in rows.items() if "yor" in pair} == dict.fromkeys(
            [("deu", "yor"), ("hin", "yor"), ("yor", "deu"), ("yor", "hin")], N // 2
        )
        assert rows["deu", "hin"]["items"] == N
        assert rows["deu", "yor"]["hat_r"] == pytest.approx(half["deu", "yor"])

    def test_a_target_on_other_items_is_left_out(self, matrix: Callable[..., MatrixView]) -> None:
        items = {**named(), "hin": Items(tuple(map(str, range(N))), "another corpus")}
        assert list(hats(hat(matrix(answers()), items))) == [("deu", "yor"), ("yor", "deu")]

    def test_a_run_that_failed_leaves_the_seeds_that_both_cells_have(self, matrix: Callable[..., MatrixView]) -> None:
        correct = answers()
        correct[0, 1, 2] = np.nan
        rows = by_pair(hat(matrix(correct), named()))
        assert {pair: row["seeds"] for pair, row in rows.items()} == {**dict.fromkeys(rows, K), ("deu", "hin"): K - 1}
        kept = matrix(np.delete(answers(), 2, axis=2))
        assert rows["deu", "hin"]["hat_r"] == pytest.approx(hats(hat(kept, named()))["deu", "hin"])

    def test_items_of_one_passage_are_drawn_together(self, matrix: Callable[..., MatrixView]) -> None:
        """Every item ten times over: as passages they say no more than once, and apart they would seem to."""
        correct = np.repeat(answers()[..., :60], 10, axis=-1)
        passages = tuple(str(number // 10) for number in range(N))

        def width(items: dict[str, Items]) -> float:
            row = by_pair(hat(matrix(correct), items))["hin", "deu"]
            return float(row["high"] - row["low"])

        assert width(named(passages=passages)) > 2 * width(named())
        one = {**named(), "deu": named(passages=passages)["deu"]}
        assert width(one) == width(named(passages=passages))


class TestRecipe:
    def test_chance_is_what_the_constant_answer_gets_unless_it_is_given(
        self, matrix: Callable[..., MatrixView]
    ) -> None:
        outcomes = matrix(answers(), baseline=0.1)
        assert hat(outcomes, named())["chance"].to_pylist() == pytest.approx([0.1] * 6)
        assert set(hat(outcomes, named(), recipe=ProfileSettings(chance=0.05))["chance"].to_pylist()) == {0.05}
        other = matrix(answers(), baseline=0.1, kind="interference")
        assert set(hat(other, named())["chance"].to_pylist()) == {0}

    def test_hardness_may_be_what_all_languages_find_hard(self, matrix: Callable[..., MatrixView]) -> None:
        rows = by_pair(hat(matrix(answers()), named(), recipe=ProfileSettings(hardness="all")))
        assert all(row["low"] <= RATE[target] <= row["high"] for (_, target), row in rows.items())
        bins = {tuple(row["bin_items"]) for row in rows.values()}
        assert len(bins) == 1

    def test_sentences_count_by_share_or_as_solved(self, matrix: Callable[..., MatrixView]) -> None:
        """Ten words a sentence, of which a target keeps its rate."""
        random = np.random.default_rng(3)
        p = random.uniform(0.2, 1, N)
        rate = np.array([[1 if s == t else RATE[t] for t in LANGUAGES] for s in LANGUAGES])
        correct = random.binomial(10, rate[:, :, None, None] * p, (3, 3, K, N)).astype(float)
        outcomes = matrix(correct, total=np.full_like(correct, 10))

        assert hats(hat(outcomes, named()))["hin", "deu"] == pytest.approx(0.9, abs=0.03)
        solved = matrix((correct >= 8).astype(float))
        assert hats(hat(outcomes, named(), recipe=ProfileSettings(solved=0.8))) == pytest.approx(
            hats(hat(solved, named()))
        )


class TestRefusal:
    def test_without_items_known_or_parallel(self, matrix: Callable[..., MatrixView]) -> None:
        outcomes = matrix(answers())
        with pytest.raises(MeasureError, match=r"does not know which items .* run its job again"):
            hat(outcomes, {})
        with pytest.raises(MeasureError, match="no two targets on items of one parallel corpus"):
            hat(outcomes, named(parallel=None))
        with pytest.raises(MeasureError, match="600 items were scored, and 599 are named"):
            hat(outcomes, {**named(), "hin": named()["hin"].first(N - 1)})

    def test_without_a_source_measured_on_itself(self, matrix: Callable[..., MatrixView]) -> None:
        with pytest.raises(MeasureError, match="no source was measured on its own language"):
            hat(matrix(answers(), sources=("eng", "fra", "ita")), named())

    def test_of_one_seed(self, matrix: Callable[..., MatrixView]) -> None:
        rows = hat(matrix(answers(seeds=1)), named()).to_pylist()
        assert len(rows) == 6
        for row in rows:
            assert (row["hat_r"], row["low"], row["bin_items"]) == (None, None, None)
            assert row["refused"].startswith("one seed: ")

    def test_where_bins_without_items_carry_too_much(self, matrix: Callable[..., MatrixView]) -> None:
        """A source that solves an item with every seed or with none."""
        correct = answers()
        correct[1, 1] = np.arange(N) % 2
        row = by_pair(hat(matrix(correct), named()))["hin", "deu"]
        assert row["refused"].startswith("bins without items carry 60% of the weight, more than 25%")
        assert (row["hat_r"], row["extrapolated"]) == (None, pytest.approx(0.6))
        assert row["bin_items"] == [N / 2, 0, 0, 0, N / 2]
        assert row["tau"][1:4] == row["sigma"][1:4] == [None] * 3
        allowed = ProfileSettings(most_extrapolated=0.6)
        assert by_pair(hat(matrix(correct), named(), recipe=allowed))["hin", "deu"]["hat_r"] is not None
        ends = ProfileSettings(weights=(1, 0, 0, 0, 1))
        assert by_pair(hat(matrix(correct), named(), recipe=ends))["hin", "deu"]["extrapolated"] == 0

    def test_where_the_source_is_no_better_than_chance(self, matrix: Callable[..., MatrixView]) -> None:
        correct = (np.random.default_rng(0).random((3, 3, K, N)) < 0.25).astype(float)
        rows = hat(matrix(correct), named(), recipe=ProfileSettings(chance=0.25)).to_pylist()
        assert {row["refused"] for row in rows} == {
            "the source is not told apart from chance on its own language, so there is nothing to transfer"
        }
