"""The bridge: alignment is read off an encoder, and correlated with the matrices that are filled on it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from adapters_zoo.backbone import Encoder
from adapters_zoo.sources import check_encoder
from workers.othello.blueprints import languages
from workers.othello.bridge import Effort, alignment, bridge
from workers.othello.corpora import Sizes


def test_a_probe_is_read_best_in_the_language_it_was_fitted_on(tiny_encoder_folder: Path) -> None:
    found = alignment(Encoder(check_encoder(tiny_encoder_folder)), languages())
    apart = ~np.eye(6, dtype=bool)
    assert found.shape == (6, 6)
    assert found[~apart].min() > found[apart].mean() + 0.05


def test_languages_that_share_more_words_are_more_aligned(tiny_encoder_folder: Path) -> None:
    found = alignment(Encoder(check_encoder(tiny_encoder_folder)), languages())
    assert found[0, 1] > found[0, 5]
    assert found[1, 0] > found[1, 5]


def test_a_condition_is_correlated_for_both_kinds_and_tasks_and_done_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # People name a folder by where they stand.
    here = Path("bridge")
    effort = Effort(
        sizes=Sizes(text=60, train=24, dev=20, test=24), pretraining=10, language_adapter=3, epochs=1, seeds=(0,)
    )
    told: list[str] = []
    first = bridge(here, conditions=("graded",), effort=effort, workers=1, tell=told.append)
    assert {(row["kind"], row["task"]) for row in first.to_pylist()} == {
        (kind, task) for kind in ("zero_shot", "interference") for task in ("board", "corner")
    }
    assert set(first["pairs"].to_pylist()) == {30}
    assert all(0 < p <= 1 for p in first["p"].to_pylist())
    again = bridge(here, conditions=("graded",), effort=effort, workers=1)
    assert again.equals(first)
