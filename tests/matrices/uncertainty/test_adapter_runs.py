"""How far changes move with another run of the language adapter: found again where it was put in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from matrices.measures.interference import interference
from matrices.uncertainty.adapter_runs import adapter_variance
from matrices.view import AdapterVariance, MatrixView, MeasureError

MakeView = Callable[..., MatrixView]
SHAPE = (12, 5, 3, 400)


def runs(make_view: MakeView, tau: float) -> list[MatrixView]:
    """Two views of one matrix: chances that move by ``tau`` with the run of a source's adapter, on the same items."""
    random = np.random.default_rng(0)
    ease = random.uniform(0.3, 0.7, (1, SHAPE[1], 1, SHAPE[3]))
    baseline = (random.random(SHAPE[1:]) < ease[0]).astype(float)
    views = []
    for _ in range(2):
        moved = ease + random.normal(0, tau, (SHAPE[0], SHAPE[1], 1, 1))
        views.append(make_view((random.random(SHAPE) < moved).astype(float), baseline, kind="interference"))
    return views


@pytest.mark.parametrize("tau", [0.0, 0.03])
def test_the_variance_over_runs_is_the_one_put_in(make_view: MakeView, tau: float) -> None:
    found = adapter_variance(runs(make_view, tau))
    assert (found.freedom, found.sources, found.pairs) == (12, 12, 60)
    assert found.variance == pytest.approx(tau**2, abs=0.0003)


def test_an_interval_that_knows_of_other_runs_is_wider_and_says_so(make_view: MakeView) -> None:
    one = runs(make_view, 0.03)[0]
    known = replace(one, adapters=AdapterVariance(0.03**2, 12.0, 12, 60))
    narrow, wide = (interference(view, resamples=50).to_pandas() for view in (one, known))
    assert ((wide["high"] - wide["low"]) > 1.5 * (narrow["high"] - narrow["low"])).all()
    assert (wide["p"] >= narrow["p"]).all()
    assert (one.of_one_run, known.of_one_run) == (True, False)


def test_views_that_share_no_pair_tell_nothing(make_view: MakeView) -> None:
    one, other = runs(make_view, 0.0)
    with pytest.raises(MeasureError, match="two training runs of its language adapter"):
        adapter_variance([one, replace(other, sources=tuple(f"x{at}" for at in range(12)))])
