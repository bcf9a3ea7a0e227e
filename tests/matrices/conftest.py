"""Matrices with known truth to measure."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from matrices.arrays import Floats
from matrices.cells import Cell
from matrices.store import Store
from matrices.view import ItemOutcomes, MatrixView

MakeView = Callable[..., MatrixView]


@pytest.fixture(scope="session")
def make_view() -> MakeView:
    """``make_view(correct, baseline, ...)``: outcomes [S, T, K, N] and [T, K, N] as a matrix, one point an item.

    NaN in ``correct`` is a run that was not measured. Languages are named ``sources`` and ``targets``.
    """

    def make(
        correct: Floats,
        baseline: Floats,
        *,
        total: Floats | None = None,
        baseline_total: Floats | None = None,
        **given: Any,
    ) -> MatrixView:
        s, t, k, _ = correct.shape
        total = np.ones_like(correct) if total is None else total
        baseline_total = np.ones_like(baseline) if baseline_total is None else baseline_total
        columns = tuple(
            ItemOutcomes(
                f"t{at:02}" if "targets" not in given else given["targets"][at],
                np.nan_to_num(correct[:, at]).astype(np.float32),
                total[:, at].astype(np.float32),
                baseline[None, at].astype(np.float32),
                baseline_total[None, at].astype(np.float32),
            )
            for at in range(t)
        )
        about: dict[str, Any] = {
            "matrix": "pos-interference-tiny",
            "encoder": "tiny@0123456789ab",
            "kind": "interference",
            "task": "pos",
            "metric": "accuracy",
            "composition": "stack",
            "selection": "last",
            "sources": tuple(f"s{at:02}" for at in range(s)),
            "targets": tuple(column.target for column in columns),
            "seeds": tuple(range(k)),
            **given,
        }
        by_target = dict(zip(about["targets"], columns, strict=True))
        return MatrixView(
            scores=correct.sum(axis=-1) / total.sum(axis=-1),
            baseline=baseline.sum(axis=-1) / baseline_total.sum(axis=-1),
            n_items=np.full(t, correct.shape[-1]),
            read_outcomes=by_target.__getitem__,
            **about,
        )

    return make


Simulate = Callable[..., tuple[MatrixView, Floats, Floats]]


@pytest.fixture(scope="session")
def simulate(make_view: MakeView) -> Simulate:
    """``simulate(random, effect=..., ...)``: a matrix drawn from a known world, its true changes and baseline.

    An item's chance of success is logistic in its ease, the run's seed, the source's effect on the target, and how item
    and seed each take to the source (``by_item``, ``by_seed``, standard deviations in logits). The true changes
    [S, T] and baseline [T] are means over all items and seeds there could be.
    """

    def draw(
        random: np.random.Generator,
        *,
        languages: int = 10,
        seeds: int = 5,
        items: int = 150,
        effect: float = 0.2,
        by_item: float = 0.5,
        by_seed: float = 0.1,
        of_seed: float = 0.2,
        **given: Any,
    ) -> tuple[MatrixView, Floats, Floats]:
        s = t = languages
        level = random.normal(0.3, 0.5, t)
        change = random.normal(0, effect, (s, t)) if effect else np.zeros((s, t))
        below = level[:, None, None] + random.normal(0, of_seed, (t, seeds, 1)) + random.normal(0, 1, (t, 1, items))
        taken = random.normal(0, by_seed, (s, t, seeds, 1)) + random.normal(0, by_item, (s, t, 1, items))
        above = below + change[:, :, None, None] + taken
        baseline, correct = (
            (random.random(logits.shape) < _chance(logits)).astype(np.float64) for logits in (below, above)
        )
        drawn = random.normal(0, np.hypot(1, of_seed), 20_000)
        also = random.normal(0, np.hypot(by_item, by_seed), 20_000)
        of_baseline = _chance(level[:, None] + drawn).mean(-1)
        truth = _chance(level[:, None] + change[..., None] + drawn + also).mean(-1) - of_baseline
        name = f"simulated-{random.integers(2**40)}"
        return make_view(correct, baseline, matrix=name, **given), truth, of_baseline

    return draw


def _chance(logits: Floats) -> Floats:
    chance: Floats = 1 / (1 + np.exp(-logits))
    return chance


@pytest.fixture
def two_matrices(tmp_path: Path, make_cell: Callable[..., Cell]) -> Store:
    """A store with four cells of one matrix, and the baseline of another."""
    store = Store.open(tmp_path / "store", create=True)
    store.append([make_cell(source=s, seed=r) for s in ("deu", "nan") for r in (0, 1)])
    store.append([make_cell(matrix="zero_shot-topic-tiny", task="topic", source=None, composition="baseline")])
    return store
