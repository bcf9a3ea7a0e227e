"""What a worker does: train an adapter, shift the encoder, or measure a column, with one encoder it keeps for life."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import cached_property, partial
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from adapters_zoo.backbone import Encoder
from adapters_zoo.combination import Weighted, add_language_state, add_state, combined, combined_heads
from adapters_zoo.heads import Head
from adapters_zoo.methods import add_untrained
from adapters_zoo.recipes import Method
from adapters_zoo.zoo import Trained, Zoo
from matrices.cells import Cell
from matrices.selections import parse
from workers.corpora import open_corpora
from workers.corpora.copies import without_copies
from workers.corpora.types import Corpora, Dataset, Split
from workers.encoding import EncodedItems, encode_items
from workers.evaluation import Contestant, evaluate
from workers.failures import failure_of, is_passing
from workers.hidden_states import CachedText
from workers.learners import language_text
from workers.protocol import Done, RunContext, failed_cells, measured_cell
from workers.scoring import score
from workers.selecting import refuse_leak, shares
from workers.tasks.base import Outcome
from workers.training import Outcome as Training
from workers.training import Stops, shift_encoder, train_few_shot, train_language_adapter, train_task_adapter
from workers.work_units import (
    Column,
    DataReference,
    DevScores,
    FewShot,
    LanguageAdapter,
    Learner,
    Lesson,
    MergedAdapter,
    PlannedCell,
    Selected,
    Shift,
    TaskAdapter,
    WorkUnit,
    kept_as,
)

T = TypeVar("T")
_KEPT: Mapping[Method, int] = {"bottleneck": 128, "lora": 128, "full": 8}
"""Adapters a worker keeps loaded; beyond that it forgets all and loads again what it needs."""


class Worker:
    """Holds one encoder in one process and does one unit of work at a time."""

    def __init__(self, context: RunContext) -> None:
        torch.set_num_threads(context.threads)
        if context.device == "cuda":
            # Ray counts shares of a GPU and enforces none: without this one worker could take its neighbours' memory.
            torch.cuda.set_per_process_memory_fraction(min(1.0, context.gpu_share))
        self._context = context
        self._zoo = Zoo(context.zoo)
        self._heads: dict[str, Head] = {}
        self._same: dict[str, str] = {}
        self._text: tuple[object, CachedText, tuple[str, ...]] | None = None

    # Opened at the first unit, so that what is wrong with them fails that unit by name; an actor that cannot even
    # start would count as a machine that died.
    @cached_property
    def _encoder(self) -> Encoder:
        return Encoder(self._context.encoder, precision=self._context.precision, device=self._context.device)

    @cached_property
    def _corpora(self) -> Corpora:
        return open_corpora(self._context.corpora)

    def attempt(self, unit: WorkUnit) -> Done:
        """Do one unit; what goes wrong comes back as a value, so that it is judged where it happened."""
        try:
            found = not isinstance(unit, Column) and self._there(unit)
            cells = [] if found else self.work(unit)
        except Exception as error:
            return Done(unit, (), failure_of(error))
        return Done(unit, tuple(cells), None, trained=not found and not isinstance(unit, Column))

    def work(self, unit: WorkUnit) -> list[Cell]:
        """Do one unit. Training returns no cells: what came of it is in the zoo afterwards."""
        if isinstance(unit, Column):
            return self._measure(unit)
        if not self._there(unit):
            match unit:
                case LanguageAdapter():
                    self._train_language(unit)
                case Shift():
                    self._shift(unit)
                case TaskAdapter():
                    self._train_task(unit)
                case FewShot():
                    self._train_few_shot(unit)
                case DevScores():
                    self._score(unit)
                case MergedAdapter():
                    self._merge(unit)
                case Selected():
                    self._select(unit)
        return []

    def _there(self, unit: Learner) -> bool:
        return all(self._zoo.has(key) for key in kept_as(unit))

    def _train_language(self, unit: LanguageAdapter) -> None:
        sentences = self._sentences(unit)
        try:
            stops = self._stops(unit, None)
            result = train_language_adapter(self._encoder, unit.key, sentences, unit.recipe, stops=stops)
            trained = Trained(unit.key, (), result.seconds, result.loss)
            self._zoo.save(self._encoder, unit.key, trained, unit.made_from)
        finally:
            self._forget(unit.key)

    def _shift(self, unit: Shift) -> None:
        missing = {snapshot.steps: snapshot for snapshot in unit.snapshots if not self._zoo.has(snapshot.key)}

        def keep(steps: int, weights: Mapping[str, Tensor], result: Training) -> None:
            snapshot = missing[steps]
            trained = Trained(snapshot.key, (), result.seconds, result.loss)
            self._zoo.save_weights(self._encoder, weights, trained, snapshot.made_from)

        shift_encoder(self._encoder, self._sentences(unit), unit.recipe, tuple(missing), keep)

    def _sentences(self, unit: LanguageAdapter | Shift) -> tuple[str, ...]:
        text = language_text(self._corpora, unit.language, self._context.tasks)
        if text is None or text.digest != unit.made_from["text"]:
            raise CorpusChangedError(f"the raw text of {unit.language} changed since the job was planned")
        return text.sentences[: unit.recipe.sentences]

    def _train_task(self, unit: TaskAdapter) -> None:
        self._need([unit.under] if unit.under else [])
        prefix, labels = self._read(unit)
        try:
            head, result = train_task_adapter(
                self._encoder,
                unit.key,
                prefix,
                unit.recipe,
                labels=labels,
                seed=unit.seed,
                drawn_by=unit.drawn_by,
                frozen=self._zoo.load_head(self._encoder, unit.head) if unit.head else None,
                stops=partial(self._stops, unit),
            )
            trained = Trained(unit.key, head.labels, result.seconds, result.loss)
            self._zoo.save(self._encoder, unit.key, trained, unit.made_from, head)
        finally:
            self._forget(unit.key)

    def _train_few_shot(self, unit: FewShot) -> None:
        """Train on from the weights of a run, or from none, on items of several languages at once."""
        self._need([*dict.fromkeys(lesson.under for lesson in unit.lessons if lesson.under)])
        dropout, datasets = unit.recipe.dropout, [self._data(lesson.data) for lesson in unit.lessons]
        try:
            if unit.start is None:
                torch.manual_seed(unit.seed)
                add_untrained(self._encoder, unit.key, unit.recipe)
                # Those of items that are not read too, as of every other head.
                head = Head(self._encoder.hidden_size, datasets[0].labels, unit.recipe.pool).to(self._encoder.device)
            else:
                self._zoo.load(self._encoder, unit.start, unit.key)
                head = self._zoo.load_head(self._encoder, unit.start)
            texts = [
                CachedText(self._encoder, [drawn], language=lesson.under, dropout=dropout)
                for dataset, lesson in zip(datasets, unit.lessons, strict=True)
                for drawn in [_drawn(dataset, lesson, unit.seed, head.labels)]
            ]
            result = train_few_shot(self._encoder, unit.key, head, texts, unit.how, dropout=dropout, seed=unit.seed)
            trained = Trained(unit.key, head.labels, result.seconds, result.loss)
            self._zoo.save(self._encoder, unit.key, trained, unit.made_from, head)
        finally:
            self._forget(unit.key)

    def _stops(self, unit: LanguageAdapter | TaskAdapter, head: Head | None) -> Stops:
        """Where the run of a learner halts: at those of its states that are not in the zoo yet."""
        missing = {state.part: state for state in unit.states if not self._zoo.has(state.key)}

        def keep(part: int, result: Training) -> None:
            state = missing[part]
            trained = Trained(state.key, head.labels if head else (), result.seconds, result.loss)
            self._zoo.save(self._encoder, unit.key, trained, state.made_from, head)

        return Stops(unit.states[0].parts if unit.states else 1, tuple(missing), keep)

    def _score(self, unit: DevScores) -> None:
        """Score adapters on dev splits, each over the items of all of them."""
        start = time.monotonic()
        outcomes: dict[str, list[Outcome]] = {key: [] for key in unit.adapters}
        for reference in unit.data:
            dataset = self._data(reference).first(reference.limit)
            encoded = encode_items(self._encoder, dataset)
            for part in _parts(unit.adapters, _KEPT[self._context.method] // 2):
                self._need([*part, *([unit.under] if unit.under else [])])
                contestants = [Contestant(key, self._heads[key]) for key in part]
                found = evaluate(self._encoder, dataset, encoded, unit.under, contestants)
                for key, one in zip(part, found, strict=True):
                    outcomes[key] += one
        trained = Trained(unit.key, (), time.monotonic() - start, 0.0)
        self._zoo.save_scores(self._encoder, [score(one) for one in outcomes.values()], trained, unit.made_from)

    def _merge(self, unit: MergedAdapter) -> None:
        """Make a language adapter of others."""
        start = time.monotonic()

        def members() -> Iterator[Weighted]:
            for key, weight in unit.parts:
                self._need([key])
                yield self._encoder.parameters_of(key), weight

        try:
            add_language_state(self._encoder, unit.key, unit.recipe, combined(members()))
            trained = Trained(unit.key, (), time.monotonic() - start, 0.0)
            self._zoo.save(self._encoder, unit.key, trained, unit.made_from)
        finally:
            self._forget(unit.key)

    def _select(self, unit: Selected) -> None:
        """Take what a selection says of its runs' states, as an adapter of its own. Raises ``LeakError``."""
        start, selection = time.monotonic(), parse(unit.selection)
        refuse_leak(selection, self._judges(unit), self._trained_on(unit))
        scores = [self._zoo.load_scores(self._encoder, key) for key in unit.scores]
        taken = shares(selection, unit.runs, scores, unit.guard)
        heads: list[tuple[Head, float]] = []

        def members() -> Iterator[Weighted]:
            for key, share in taken.items():
                self._need([key])
                heads.append((self._heads[key], share))
                yield self._encoder.parameters_of(key), share

        try:
            if len(taken) > 1:
                add_state(self._encoder, unit.key, unit.recipe, combined(members()))
                name, head = unit.key, combined_heads(heads)
            else:
                (name,) = taken  # As it is, to the last bit.
                self._need([name])
                head = self._heads[name]
            trained = Trained(unit.key, head.labels, time.monotonic() - start, 0.0)
            self._zoo.save(self._encoder, name, trained, {**unit.made_from, "taken": taken}, head)
        finally:
            self._forget(unit.key)

    def _judges(self, unit: Selected) -> set[tuple[str, Split]]:
        """The language and split of the labels that scores are of, as the zoo has it, whatever a plan says."""
        stated = [one for key in unit.scores for one in self._zoo.made_from(key)["data"]]
        return {(one["language"], one["split"]) for one in stated}

    def _trained_on(self, unit: Selected) -> set[str]:
        """The languages that runs learned the task from."""
        return {language for run in unit.runs for language in self._zoo.made_from(run[-1])["data"]}

    def _read(self, unit: TaskAdapter) -> tuple[CachedText, tuple[str, ...]]:
        """The text a task adapter learns from, and its labels: what its other seeds learn from too."""
        if self._text is None or self._text[0] != (unit.under, unit.data):
            datasets = [self._data(reference) for reference in unit.data]
            # Those of items that are not read too: a head has one shape, however many are read.
            labels = datasets[0].rules.labels([item for dataset in datasets for item in dataset.items])
            read = [dataset.first(one.limit) for dataset, one in zip(datasets, unit.data, strict=True)]
            prefix = CachedText(self._encoder, read, language=unit.under, dropout=unit.recipe.dropout)
            self._text = (unit.under, unit.data), prefix, labels
        return self._text[1:]

    def _measure(self, column: Column) -> list[Cell]:
        dataset = self._data(column.data).first(column.data.limit)
        encoded = encode_items(self._encoder, dataset)
        provenance = _provenance(dataset, encoded)
        cells: list[Cell] = []
        for below, planned in _grouped(column.cells).items():
            for part in _parts(planned, _KEPT[self._context.method] // 2):
                start = time.monotonic()
                results = self._results(dataset, encoded, below, part)
                seconds = (time.monotonic() - start) / len(part)
                for one, result in zip(part, results, strict=True):
                    if isinstance(result, str):
                        cells += failed_cells(column, [one], result, self._context)
                    else:
                        cells.append(
                            measured_cell(column, one, self._context, result, provenance=provenance, seconds=seconds)
                        )
        return cells

    def _results(
        self, dataset: Dataset, encoded: EncodedItems, below: _Below, planned: Sequence[PlannedCell]
    ) -> list[list[Outcome] | str]:
        """Per cell its outcomes, or what went wrong: one adapter's trouble is not its neighbours'; a full disk is."""
        try:
            return list(self._outcomes(dataset, encoded, below, planned))
        except Exception as error:
            if is_passing(error):
                raise
            if len(planned) == 1:
                return [f"{type(error).__name__}: {error}"]
            return [result for one in planned for result in self._results(dataset, encoded, below, [one])]

    def _outcomes(
        self, dataset: Dataset, encoded: EncodedItems, below: _Below, planned: Sequence[PlannedCell]
    ) -> list[list[Outcome]]:
        language, shift = below
        # Several selections may have taken the same state: it is measured once, as the first of them.
        same = {cell.task_adapter: self._same_as(cell.task_adapter) for cell in planned if cell.task_adapter}
        first = {state: key for key, state in reversed(same.items())}
        self._need([*first.values(), *([language] if language and first else [])])
        contestants = [Contestant(key, self._heads[key]) for key in first.values()]
        with self._shifted(shift):
            results = evaluate(self._encoder, dataset, encoded, language, contestants)
        measured = dict(zip(first, results, strict=True))
        return [measured[same[cell.task_adapter]] if cell.task_adapter else _constant(dataset) for cell in planned]

    def _same_as(self, key: str) -> str:
        if key not in self._same:
            self._same[key] = self._zoo.same_as(key)
        return self._same[key]

    def _shifted(self, snapshot: str | None) -> AbstractContextManager[None]:
        if snapshot is None:
            return nullcontext()
        return self._encoder.shifted(self._zoo.load_weights(self._encoder, snapshot))

    def _data(self, reference: DataReference) -> Dataset:
        dataset = self._corpora.dataset(reference.task, reference.language, reference.split)
        if reference.without_copies:
            dataset = without_copies(self._corpora, dataset)
        if dataset.digest != reference.digest:
            what = f"{reference.task} {reference.split} data of {reference.language}"
            raise CorpusChangedError(f"the {what} changed since the job was planned; run the job again")
        return dataset

    def _need(self, keys: Sequence[str]) -> None:
        """Load adapters that are not loaded yet."""
        missing = [key for key in keys if key not in self._encoder.names]
        if len(self._encoder.names) + len(missing) > _KEPT[self._context.method]:
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


_Below = tuple[str | None, str | None]
"""What lies under the task adapter of a cell: the keys of a language adapter and of a snapshot."""


def _grouped(cells: Sequence[PlannedCell]) -> dict[_Below, list[PlannedCell]]:
    """Cells by what lies under their task adapters, which is computed once for all of them."""
    groups: dict[_Below, list[PlannedCell]] = {}
    for cell in cells:
        groups.setdefault((cell.language_adapter, cell.shift), []).append(cell)
    return groups


def _drawn(dataset: Dataset, lesson: Lesson, seed: int, labels: Collection[str]) -> Dataset:
    """The items that a lesson reads. Of one seed, fewer shots are among more; none has a label the head lacks."""
    if lesson.shots is None:
        return dataset.first(lesson.data.limit)
    fit = [item for item in dataset.items if set(dataset.rules.labels([item])) <= set(labels)]
    order = np.random.default_rng(seed).permutation(len(fit))[: lesson.shots]
    return replace(dataset, items=tuple(fit[at] for at in sorted(order)))


def _provenance(dataset: Dataset, encoded: EncodedItems) -> str:
    """Where the items of cells come from, and how many of them the encoder could not read whole."""
    cut = f"; {encoded.cut} of {encoded.items} items are longer than the encoder takes and lost their ends"
    return f"{dataset.provenance}{cut if encoded.cut else ''}"


def _constant(dataset: Dataset) -> list[Outcome]:
    return dataset.rules.constant(dataset.items, dataset.language)


def _parts(whole: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (whole[start : start + size] for start in range(0, len(whole), size))


class CorpusChangedError(RuntimeError):
    """Data on disk is no longer what the job was planned with."""
