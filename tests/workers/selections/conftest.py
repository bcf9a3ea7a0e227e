"""Jobs on selections of the tiny corpora."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.workers.conftest import MakeJob
from tests.workers.selections.jobs import KNOBS
from workers.job import Job


@pytest.fixture
def job(tiny_corpora: Path, tiny_encoder_folder: Path, job_of: MakeJob) -> MakeJob:
    def make(corpora: Path = tiny_corpora, **knobs: Any) -> Job:
        return job_of(corpora, tiny_encoder_folder, **{**KNOBS, **knobs})

    return make
