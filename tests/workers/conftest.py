"""Small matrix jobs over the generated languages, for the tests of plan, worker, pool, driver and faults."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from workers.job import Job

MakeJob = Callable[..., Job]

KNOBS: Mapping[str, Any] = {
    "tasks": ["corner"],
    "sources": ["qaa", "qab"],
    "targets": ["qaa", "qac"],
    "seeds": [0, 1],
    "language_adapter": {"steps": 4, "tokens": 256, "length": 32},
    "task_adapter": {"epochs": 1, "batch": 16, "reduction": 4},
    "workers": 1,
    "precision": "fp32",
}


@pytest.fixture
def job_of(tmp_path: Path) -> MakeJob:
    """Makes a job of a second: of corpora, an encoder folder, and whatever knobs differ from the usual ones."""

    def make(corpora: Path, encoder: Path, **knobs: Any) -> Job:
        values = {"store": "store", "encoder": {"name": str(encoder)}, "corpora": corpora, **KNOBS, **knobs}
        return Job.model_validate(values).relative_to(tmp_path)

    return make
