"""Consistency on parallel items: by hand, against scikit-learn, and by its bounds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from matrices.items import Items
from matrices.measures.consistency import STATISTICS, consistency, consistency_table
from matrices.view import MatrixView, MeasureError

MakeView = Callable[..., MatrixView]
Answers = NDArray[Any]

counts = st.tuples(*[st.integers(0, 50)] * 4).filter(lambda four: sum(four) > 0)
"""Items correct in both, in the source alone, in the target alone, in neither."""


def of(both: int, source: int, target: int, neither: int) -> list[float]:
    given = np.array([both + source, both + target, both, both + source + target + neither], dtype=float)
    return [float(value) for value in consistency(*given)]


class TestByHand:
    def test_twenty_five_items(self) -> None:
        """Agreement 20/25; by chance (15 x 12 + 10 x 13) / 625 = .496; kappa (.8 - .496) / .504."""
        assert of(11, 4, 1, 9) == pytest.approx([11 / 15, 11 / 16, 0.304 / 0.504])

    def test_what_is_undefined_is_nan(self) -> None:
        assert np.isnan(of(0, 0, 0, 5)).tolist() == [True, True, True]
        assert np.isnan(of(0, 0, 2, 5)).tolist() == [True, False, False]
        assert np.isnan(of(5, 0, 0, 0)).tolist() == [False, False, True]

    @settings(deadline=None)  # Importing scikit-learn takes seconds.
    @given(counts)
    def test_kappa_is_scikit_learns(self, four: tuple[int, int, int, int]) -> None:
        metrics = pytest.importorskip("sklearn.metrics")
        source, target = (np.repeat(answers, four) for answers in ([1, 1, 0, 0], [1, 0, 1, 0]))
        if len({*source, *target}) == 2:
            assert of(*four)[2] == pytest.approx(metrics.cohen_kappa_score(source, target))
            assert of(*four)[1] == pytest.approx(metrics.jaccard_score(source, target))

    @given(counts)
    def test_overlap_and_kappa_take_no_sides(self, four: tuple[int, int, int, int]) -> None:
        both, source, target, neither = four
        assert of(both, source, target, neither)[1:] == pytest.approx(
            of(both, target, source, neither)[1:], nan_ok=True
        )


LANGUAGES = ("deu", "hin")


@pytest.fixture
def table(make_view: MakeView) -> Callable[..., list[dict[str, Any]]]:
    """The rows of answers [2, 2, K, N] of two languages on the same items."""

    def make(correct: Answers, *, total: Answers | None = None, **given: Any) -> list[dict[str, Any]]:
        n = correct.shape[-1]
        items = dict.fromkeys(LANGUAGES, Items(tuple(map(str, range(n))), "pud", given.pop("passages", None)))
        about = {"sources": LANGUAGES, "targets": LANGUAGES, "kind": "zero_shot"}
        outcomes = make_view(correct, np.zeros(correct.shape[1:]), total=total, **about)
        rows: list[dict[str, Any]] = consistency_table(replace(outcomes, items=items), **given).to_pylist()
        return rows

    return make


def answers(seeds: int = 3, items: int = 400) -> Answers:
    """Each source knows three items of four, and of those, and no others, four of five in the other language."""
    random = np.random.default_rng(4)
    own = random.random((2, seeds, items)) < 0.75
    other = own & (random.random((2, seeds, items)) < 0.8)
    return np.array([[own[0], other[0]], [other[1], own[1]]], dtype=float)


class TestTable:
    def test_means_over_seeds_of_what_each_seed_gives(self, table: Callable[..., list[dict[str, Any]]]) -> None:
        correct = answers()
        first, second = table(correct)
        assert (first["source"], first["target"]) == ("deu", "hin")
        assert (second["source"], second["target"]) == ("hin", "deu")
        for row, own, other in ((first, correct[0, 0], correct[0, 1]), (second, correct[1, 1], correct[1, 0])):
            of_seeds = consistency(own.sum(-1), other.sum(-1), (own * other).sum(-1), np.float64(400))
            assert [row[name] for name in STATISTICS] == pytest.approx(of_seeds.mean(axis=1))
            assert (row["items"], row["seeds"], row["parallel"]) == (400, 3, "pud")
            assert row["correct_in_source"] == pytest.approx(own.mean())
            assert row["correct_in_target"] == pytest.approx(other.mean())

    def test_intervals_are_as_wide_as_items_make_them(self, table: Callable[..., list[dict[str, Any]]]) -> None:
        """Of one seed, conditional transfer is a share of about 300 items: a binomial's interval."""
        (row, _) = table(answers(seeds=1))
        assert row["conditional_transfer_low"] < 0.8 < row["conditional_transfer_high"]
        width = 2 * 1.96 * np.sqrt(0.8 * 0.2 / 300)
        assert row["conditional_transfer_high"] - row["conditional_transfer_low"] == pytest.approx(width, rel=0.15)
        for name in STATISTICS:
            assert row[f"{name}_low"] <= row[name] <= row[f"{name}_high"]

    def test_passages_are_drawn_together(self, table: Callable[..., list[dict[str, Any]]]) -> None:
        correct = np.repeat(answers(items=40), 10, axis=-1)
        apart, together = (
            table(correct, **given)[0] for given in ({}, {"passages": tuple(str(at // 10) for at in range(400))})
        )
        for name in STATISTICS:
            assert together[name] == apart[name]
            widths = [row[f"{name}_high"] - row[f"{name}_low"] for row in (together, apart)]
            assert widths[0] > 2 * widths[1]

    def test_a_sentence_is_correct_from_a_share_on(self, table: Callable[..., list[dict[str, Any]]]) -> None:
        words = np.random.default_rng(0).integers(11, size=(2, 2, 3, 400)).astype(float)
        tens = np.full_like(words, 10)
        assert table(words, total=tens, solved=0.7) == table((words >= 7).astype(float))
        assert table(words, total=tens) == table((words == 10).astype(float))

    def test_what_is_undefined_is_null(self, table: Callable[..., list[dict[str, Any]]]) -> None:
        correct = answers()
        correct[0] = 0
        silent, spoken = table(correct)
        assert [silent[name] for name in STATISTICS] == [None, None, None]
        assert None not in spoken.values()

    def test_without_a_source_measured_on_itself_there_is_none(self, make_view: MakeView) -> None:
        items = dict.fromkeys(LANGUAGES, Items(tuple(map(str, range(400))), "pud"))
        outcomes = make_view(answers(), np.zeros((2, 3, 400)), sources=("eng", "fra"), targets=LANGUAGES)
        with pytest.raises(MeasureError, match="no source was measured on its own language"):
            consistency_table(replace(outcomes, items=items))
