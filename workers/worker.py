"""What a worker does: train an adapter, or measure a column, with one frozen encoder it keeps for life."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import torch

from adapters_zoo.heads import Head
from adapters_zoo.library import Encoder, Precision
from adapters_zoo.sources import EncoderFiles
from adapters_zoo.zoo import Trained, Zoo
from matrices.cells import Cell, Kind, now
from workers.corpora import open_corpora
from workers.corpora.types import Corpora, Dataset
from workers.encoding import encode_items
from workers.evaluation import Contestant, evaluate
from workers.plan import SELECTION, Column, DataReference, LanguageAdapter, PlannedCell, TaskAdapter, language_text
from workers.scoring import Outcome, constant_outcomes, score
from workers.training import train_language_adapter, train_task_adapter

Unit = LanguageAdapter | TaskAdapter | Column
"""One piece of work: an adapter to train or the cells of a column to measure."""

_KEPT = 128
"""Adapters a worker keeps loaded; beyond that it forgets all and loads again what it needs."""


@dataclass(frozen=True, slots=True)
class Bench:
    """What every worker of a job is told once."""

    encoder: EncoderFiles
    precision: Precision
    device: str
    threads: int
    corpora: Path
    zoo: Path
    tasks: tuple[str, ...]
    kind: Kind


class Worker:
    """Holds one encoder in one process and does one unit of work at a time."""

    def __init__(self, bench: Bench) -> None:
        torch.set_num_threads(bench.threads)
        self._bench = bench
        self._encoder = Encoder(bench.encoder, precision=bench.precision, device=bench.device)
        self._zoo = Zoo(bench.zoo)
        self._corpora: Corpora = open_corpora(bench.corpora)
        self._heads: dict[str, Head] = {}

    def work(self, unit: Unit) -> list[Cell]:
        """Do one unit. Training returns no cells: its adapter is in the zoo afterwards."""
        if isinstance(unit, Column):
            return self._measure(unit)
        if not self._zoo.has(unit.key):
            if isinstance(unit, LanguageAdapter):
                self._train_language(unit)
            else:
                self._train_task(unit)
        return []

    def _train_language(self, unit: LanguageAdapter) -> None:
        text = language_text(self._corpora, unit.language, self._bench.tasks)
        if text is None or text.digest != unit.made_from["text"]:
            raise CorpusChangedError(f"the raw text of {unit.language} changed since the job was planned")
        try:
            result = train_language_adapter(self._encoder, unit.key, text.sentences, unit.recipe)
            trained = Trained(unit.key, (), result.seconds, result.loss)
            self._zoo.save(self._encoder, unit.key, trained, unit.made_from)
        finally:
            self._forget(unit.key)

    def _train_task(self, unit: TaskAdapter) -> None:
        self._need([unit.under] if unit.under else [])
        datasets = [self._data(reference) for reference in unit.data]
        labels = sorted({label for dataset in datasets for label in dataset.labels})
        try:
            head, result = train_task_adapter(
                self._encoder, unit.key, datasets, unit.recipe, labels=labels, language=unit.under, seed=unit.seed
            )
            trained = Trained(unit.key, head.labels, result.seconds, result.loss)
            self._zoo.save(self._encoder, unit.key, trained, unit.made_from, head)
        finally:
            self._forget(unit.key)

    def _measure(self, column: Column) -> list[Cell]:
        dataset = self._data(column.data)
        items = dataset.items[: column.data.limit]
        dataset = Dataset(dataset.task, dataset.kind, dataset.language, dataset.split, items, dataset.provenance)
        encoded = encode_items(self._encoder, items)
        cells: list[Cell] = []
        # Cells over one language adapter, from one source, run side by side: its seeds. The grouping does not depend
        # on what else a job measures, so neither does the arithmetic.
        for (_, language), group in groupby(column.cells, key=lambda cell: (cell.source, cell.language_adapter)):
            planned = list(group)
            start = time.monotonic()
            adapters = [cell.task_adapter for cell in planned if cell.task_adapter]
            if adapters:
                self._need([*adapters, *([language] if language else [])])
                contestants = [Contestant(key, self._heads[key]) for key in adapters]
                outcomes = evaluate(self._encoder, dataset, encoded, language, contestants)
            else:
                outcomes = [constant_outcomes(dataset) for _ in planned]
            seconds = (time.monotonic() - start) / len(planned)
            cells.extend(
                self._cell(column, one, dataset, result, seconds) for one, result in zip(planned, outcomes, strict=True)
            )
        return cells

    def _cell(
        self, column: Column, planned: PlannedCell, dataset: Dataset, outcomes: Sequence[Outcome], seconds: float
    ) -> Cell:
        result = score(outcomes)
        error = None if result is not None else "no span was true or predicted, so F1 is not defined"
        return Cell(
            matrix=column.matrix,
            encoder=self._bench.encoder.label,
            kind=self._bench.kind,
            composition=planned.composition,
            task=column.task,
            metric=column.metric,
            source=planned.source,
            target=column.target,
            selection=SELECTION,
            seed=planned.seed,
            score=result,
            n_items=len(outcomes),
            correct=tuple(correct for correct, _ in outcomes),
            total=tuple(total for _, total in outcomes),
            status="ok" if error is None else "failed",
            error=error,
            seconds=seconds,
            device=self._bench.device,
            created_at=now(),
            cell_id=planned.cell_id,
        )

    def _data(self, reference: DataReference) -> Dataset:
        dataset = self._corpora.dataset(reference.task, reference.language, reference.split)  # type: ignore[arg-type]
        if dataset.digest != reference.digest:
            what = f"{reference.task} {reference.split} data of {reference.language}"
            raise CorpusChangedError(f"the {what} changed since the job was planned; run the job again")
        return dataset

    def _need(self, keys: Sequence[str]) -> None:
        """Load adapters that are not loaded yet."""
        missing = [key for key in keys if key not in self._encoder.names]
        if len(self._encoder.names) + len(missing) > _KEPT:
            self._forget(*self._encoder.names)
            missing = list(keys)
        for key in missing:
            trained = self._zoo.load(self._encoder, key, key)
            if trained.labels:
                self._heads[key] = self._zoo.load_head(self._encoder, key)

    def _forget(self, *keys: str) -> None:
        self._encoder.remove(*(key for key in keys if key in self._encoder.names))
        for key in keys:
            self._heads.pop(key, None)


class CorpusChangedError(RuntimeError):
    """Data on disk is no longer what the job was planned with."""
