"""A store with outcomes of items, to measure and to draw; and files of small jobs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from matrices.cells import Cell
from matrices.store import Store

MakeCell = Callable[..., Cell]
WriteJob = Callable[..., Path]
INTERFERENCE, ZERO_SHOT = "interference-pos-tiny@0a1b", "zero_shot-pos-tiny@0a1b"
LANGUAGES = {"deu": 0.75, "eng": 0.55, "hin": 0.5, "swa": 0.25}
"""Sources, and the share of items of any target that is right with them; it is half without."""
ITEMS, SEEDS = 80, 3


@pytest.fixture
def write_job(tiny_corpora: Path, tiny_encoder_folder: Path, tmp_path: Path) -> WriteJob:
    """``write_job(sources=[...], ...)``: the file of a job on the tiny corpora and encoder, with these knobs."""

    def write(**knobs: Any) -> Path:
        job = {
            "store": "store",
            "encoder": {"name": str(tiny_encoder_folder)},
            "corpora": str(tiny_corpora),
            "tasks": ["corner"],
            "sources": ["qaa"],
            "targets": ["qac"],
            "seeds": [0],
            "language_adapter": {"steps": 2, "tokens": 64, "length": 32},
            "task_adapter": {"epochs": 1},
            "precision": "fp32",
            **knobs,
        }
        path = tmp_path / "job.yaml"
        path.write_text(json.dumps(job), encoding="utf-8")  # JSON is YAML.
        return path

    return write


@pytest.fixture(scope="session")
def measured_store(tmp_path_factory: pytest.TempPathFactory, make_cell: MakeCell) -> Store:
    """Four languages by four and three seeds, as interference (`stack`, and one pair of `shift-10`) and as transfer."""
    store = Store.open(tmp_path_factory.mktemp("stores") / "measured", create=True)
    random = np.random.default_rng(0)
    shares: dict[str | None, float] = {**LANGUAGES, None: 0.5}

    def cell(
        matrix: str, source: str | None, target: str, seed: int, right: np.ndarray, composition: str = "stack"
    ) -> Cell:
        kind, task, encoder = matrix.split("-")
        return make_cell(
            matrix=matrix,
            encoder=encoder,
            kind=kind,
            composition="baseline" if source is None else composition,
            task=task,
            source=source,
            target=target,
            seed=seed,
            correct=tuple(right.astype(int).tolist()),
            total=(1,) * ITEMS,
        )

    for matrix in (INTERFERENCE, ZERO_SHOT):
        store.append(
            [
                cell(matrix, source, target, seed, random.random(ITEMS) < share)
                for target in LANGUAGES
                for source, share in shares.items()
                # A constant answer has one seed.
                for seed in range(1 if source is None and matrix == ZERO_SHOT else SEEDS)
            ]
        )
    shifted = [cell(INTERFERENCE, "deu", "eng", seed, random.random(ITEMS) < 0.2, "shift-10") for seed in range(SEEDS)]
    store.append(shifted)
    return store
