"""A landscape job worked out: its data, checked; its runs and measurements, each under the key of what decides it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters_zoo.precision import Precision, best_precision
from adapters_zoo.sources import EncoderFiles, locate_encoder
from workers.corpora import open_corpora
from workers.corpora.checks import check, facts_of
from workers.corpora.splits import without_copies
from workers.corpora.types import CorpusError, Dataset, Split
from workers.landscape.job import RANDOM, LandscapeJob, Surface

FORMAT = 1
"""Raised when the same job would give other numbers than before; part of every key."""


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """Training on ``source``, or on ``source`` and ``beside`` by halves, with the head of the source's first run.

    ``beside`` is ``source`` itself for the control. The run without it leaves snapshots' means too.
    """

    key: str
    head: str
    source: str
    beside: str | None
    seed: int


@dataclass(frozen=True, slots=True)
class Line:
    """What is measured between the source's solution ``start`` and ``end``, in ``languages``."""

    key: str
    start: TrainingRun
    end: TrainingRun
    languages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plane:
    """What is measured around ``start`` along the way to ``end`` and along that to ``other`` (None: a random one)."""

    key: str
    surface: Surface
    start: TrainingRun
    end: TrainingRun
    other: TrainingRun | None
    languages: tuple[str, ...]


Measurement = Line | Plane


@dataclass(frozen=True)
class LandscapePlan:
    """A job with its encoder and data. ``train`` and ``tests`` are by language, ``labels`` those of every head."""

    job: LandscapeJob
    encoder: EncoderFiles
    precision: Precision
    train: dict[str, Dataset]
    tests: dict[str, Dataset]
    labels: tuple[str, ...]

    def run(self, source: str, beside: str | None, seed: int) -> TrainingRun:
        """The run of a source with a seed, alone or beside another language."""
        of_the_head = self._of_the_head(source)
        more = {} if beside is None else {"beside": self.train[beside].digest, "itself": beside == source}
        snapshots = self.job.snapshots if beside is None else None
        key = _digest({"what": "run", **of_the_head, **more, "seed": seed, "snapshots": snapshots})
        return TrainingRun(key, _digest({"what": "head", **of_the_head}), source, beside, seed)

    def lines(self) -> Iterator[Line]:
        """All lines, seed by seed, so that a job that is broken off has every pair; a source's control comes first."""
        for seed in self.job.seeds:
            for source, targets in self.job.pairs.items():
                start = self.run(source, None, seed)
                for beside in (source, *targets):
                    languages = (source, *targets) if beside == source else (source, beside)
                    end = self.run(source, beside, seed)
                    yield Line(self._measured("line", languages, start, end, self.job.alphas), start, end, languages)

    def planes(self) -> Iterator[Plane]:
        """All surfaces of the job."""
        for one in self.job.surfaces:
            start, end = self.run(one.source, None, one.seed), self.run(one.source, one.target, one.seed)
            other = None if one.axis == RANDOM else self.run(one.source, one.axis, one.seed)
            languages = (one.source, one.target, *([one.axis] if other else []))
            ends = (start, end, *([other] if other else []))
            key = self._measured("plane", languages, *ends, one.along, one.across)
            yield Plane(key, one, start, end, other, languages)

    def measurements(self) -> list[Measurement]:
        """All lines and surfaces."""
        return [*self.lines(), *self.planes()]

    def _of_the_head(self, source: str) -> dict[str, Any]:
        job = self.job
        return {
            "encoder": self.encoder.digest,
            "precision": self.precision,
            "task": job.task,
            "method": job.method,
            "recipe": job.task_recipe.identity(),
            "labels": self.labels,
            "source": self.train[source].digest,
            "head_seed": job.head_seed,
        }

    def _measured(self, what: str, languages: tuple[str, ...], *more: Any) -> str:
        tests = {code: self.tests[code].digest for code in languages}
        parts = [part.key if isinstance(part, TrainingRun) else part for part in more]
        return _digest({"what": what, "tests": tests, "parts": parts})


def make_landscape_plan(job: LandscapeJob, *, folder: Path = Path()) -> LandscapePlan:
    """Read and check the data of a job; ``folder`` is where a relative path of an encoder starts.

    Raises ``CorpusError`` or ``EncoderError`` before anything is trained.
    """
    corpora = open_corpora(job.corpora)

    def dataset(language: str, split: Split) -> Dataset:
        if not corpora.has(job.task, language, split):
            tasks = sorted({entry.task for entry in corpora.entries() if entry.kind != "text"})
            there = sorted({e.language for e in corpora.entries() if (e.task, e.split) == (job.task, split)})
            hint = f"languages that have: {', '.join(there)}" if there else f"tasks there are: {', '.join(tasks)}"
            raise CorpusError(job.corpora, None, f"no {split} data for {job.task} in {language}; {hint}")
        return corpora.dataset(job.task, language, split)

    recipe, evaluation = job.task_recipe, job.evaluation
    train = {code: without_copies(corpora, dataset(code, "train")) for code in job.languages}
    tests = {code: dataset(code, evaluation.split).first(evaluation.max_items) for code in job.languages}
    check([facts_of(one) for one in (*train.values(), *tests.values())], job.min_items)
    labels = {label for one in (*train.values(), *tests.values()) for label in one.labels}
    return LandscapePlan(
        job,
        locate_encoder(job.encoder.name, job.encoder.revision, relative_to=folder),
        best_precision() if job.precision == "auto" else job.precision,
        {code: one.first(recipe.max_items) for code, one in train.items()},
        tests,
        tuple(sorted(labels)),
    )


def _digest(content: dict[str, Any]) -> str:
    text = json.dumps({"format": FORMAT, **content}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:24]
