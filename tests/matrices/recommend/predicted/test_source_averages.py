from __future__ import annotations

import numpy as np
import pytest

from matrices.recommend.predicted.source_averages import Standing

NAN = float("nan")
STANDING = Standing(
    ("deu", "fra", "jpn"),
    ("nld", "ita", "spa"),
    np.array([[2.0, -1.0, NAN], [-1.0, 1.0, 2.0], [NAN, NAN, NAN]]),
)


def test_a_source_stands_by_its_means_over_all_relatives_and_the_nearest() -> None:
    everywhere, family, genus = STANDING.of(["deu"], ["por"])[0, 0]

    assert everywhere == pytest.approx((2.0 - 1.0) / 2.5)
    assert family == pytest.approx((2.0 - 1.0) / 2.5)
    assert genus == pytest.approx(-1.0 / 1.5)


def test_what_a_source_does_on_a_target_does_not_count_there() -> None:
    found = STANDING.of(["fra"], ["spa", "por"])[0, :, 2]

    assert found == pytest.approx([1.0 / 1.5, (1.0 + 2.0) / 2.5])


def test_a_source_that_was_not_measured_stands_as_those_like_it() -> None:
    likes = STANDING.of(["afr", "ron", "jpn"], ["nld"])[:, 0, 0]
    deu, fra = STANDING.of(["deu", "fra"], ["nld"])[:, 0, 0]

    assert deu < likes[0] < (deu + fra) / 2
    assert (deu + fra) / 2 < likes[1] < fra
    assert deu < likes[2] < fra
