"""The part of a vocabulary that predictions are held against."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from workers.language_modelling import Candidates

ORDINARY = torch.arange(5, 1005)
STREAM = np.array([7, 300, 7, 2, 9])


def test_the_pieces_of_the_text_are_always_there_and_others_are_drawn_anew() -> None:
    torch.manual_seed(0)
    candidates = Candidates(STREAM, ORDINARY, 50)
    (first, _), (second, _) = candidates.draw(), candidates.draw()
    for ids in (first, second):
        assert ids[:4].tolist() == [2, 7, 9, 300]
        assert len(set(ids.tolist())) == 54
        assert set(ids[4:].tolist()) <= set(ORDINARY.tolist())
    assert set(first.tolist()) != set(second.tolist())


def test_targets_are_found_among_them() -> None:
    candidates = Candidates(STREAM, ORDINARY, 3)
    targets = torch.tensor([300, 2, 7, 7])
    ids, _ = candidates.draw()
    assert ids[candidates.place_of(targets)].tolist() == targets.tolist()


def test_the_sum_under_the_softmax_is_in_expectation_that_of_the_whole_vocabulary() -> None:
    torch.manual_seed(0)
    logits = torch.randn(1005)
    whole = logits[torch.unique(torch.cat((ORDINARY, torch.from_numpy(STREAM))))].exp().sum()
    candidates = Candidates(STREAM, ORDINARY, 100)
    sums = [(logits[ids] + correction).exp().sum() for ids, correction in (candidates.draw() for _ in range(2000))]
    assert float(torch.stack(sums).mean()) == pytest.approx(float(whole), rel=0.02)


@pytest.mark.parametrize(("others", "drawn", "correction"), [(0, 0, []), (5000, 997, [0.0] * 997)])
def test_none_or_all_of_the_others_need_no_correction(others: int, drawn: int, correction: list[float]) -> None:
    ids, corrections = Candidates(STREAM, ORDINARY, others).draw()
    assert len(ids) == 4 + drawn
    assert corrections.tolist() == [0.0] * 4 + correction
    assert not math.isnan(float(corrections.sum()))
