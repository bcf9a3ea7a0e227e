"""Training the learners of a plan, each into the zoo: language adapters, shifts, task adapters, few-shot runs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from torch import Tensor

from adapters_zoo.heads import Head
from adapters_zoo.methods import add_untrained
from adapters_zoo.zoo import Trained
from workers.corpora.types import Dataset
from workers.hidden_states import CachedText
from workers.language_modelling import shift_encoder, train_language_adapter
from workers.learners import language_text
from workers.loaded import CorpusChangedError, Loaded
from workers.training import Stops, TrainingResult, train_few_shot, train_task_adapter
from workers.work_units import FewShot, LanguageAdapter, Lesson, Shift, TaskAdapter

Fitted = LanguageAdapter | Shift | TaskAdapter | FewShot


def fit(loaded: Loaded, unit: Fitted) -> None:
    """Train a learner and keep it in the zoo. Raises ``TrainingError`` and ``CorpusChangedError``."""
    try:
        match unit:
            case LanguageAdapter():
                _fit_language(loaded, unit)
            case Shift():
                _shift(loaded, unit)
            case TaskAdapter():
                _fit_task(loaded, unit)
            case FewShot():
                _fit_few_shot(loaded, unit)
    finally:
        loaded.forget(unit.key)


def _fit_language(loaded: Loaded, unit: LanguageAdapter) -> None:
    encoder, sentences, stops = loaded.encoder, _sentences(loaded, unit), _stops(loaded, unit, None)
    result = train_language_adapter(encoder, unit.key, sentences, unit.recipe, stops=stops)
    loaded.zoo.save(encoder, unit.key, Trained(unit.key, (), result.seconds, result.loss), unit.made_from)


def _shift(loaded: Loaded, unit: Shift) -> None:
    missing = {snapshot.steps: snapshot for snapshot in unit.snapshots if not loaded.zoo.has(snapshot.key)}

    def keep(steps: int, weights: Mapping[str, Tensor], result: TrainingResult) -> None:
        snapshot = missing[steps]
        trained = Trained(snapshot.key, (), result.seconds, result.loss)
        loaded.zoo.save_weights(loaded.encoder, weights, trained, snapshot.made_from)

    shift_encoder(loaded.encoder, _sentences(loaded, unit), unit.recipe, tuple(missing), keep)


def _sentences(loaded: Loaded, unit: LanguageAdapter | Shift) -> tuple[str, ...]:
    text = language_text(loaded.corpora, unit.language, loaded.context.tasks)
    if text is None or text.digest != unit.made_from["text"]:
        raise CorpusChangedError(f"the raw text of {unit.language} changed since the job was planned")
    return text.sentences[: unit.recipe.sentences]


def _fit_task(loaded: Loaded, unit: TaskAdapter) -> None:
    loaded.need([*([unit.under] if unit.under else []), *unit.fused])
    text, labels = loaded.training_text(unit)
    head, result = train_task_adapter(
        loaded.encoder,
        unit.key,
        text,
        unit.recipe,
        labels=labels,
        seed=unit.seed,
        drawn_by=unit.drawn_by,
        frozen=loaded.zoo.load_head(loaded.encoder, unit.head) if unit.head else None,
        fused=unit.fused,
        stops=partial(_stops, loaded, unit),
    )
    trained = Trained(unit.key, head.labels, result.seconds, result.loss)
    loaded.zoo.save(loaded.encoder, unit.key, trained, unit.made_from, head)


def _fit_few_shot(loaded: Loaded, unit: FewShot) -> None:
    """Train on from the weights of a run, or from none, on items of several languages at once."""
    encoder, dropout = loaded.encoder, unit.recipe.dropout
    loaded.need([*dict.fromkeys(lesson.under for lesson in unit.lessons if lesson.under)])
    datasets = [loaded.data(lesson.data) for lesson in unit.lessons]
    if unit.start is None:
        torch.manual_seed(unit.seed)
        add_untrained(encoder, unit.key, unit.recipe)
        # Those of items that are not read too, as of every other head.
        head = Head(encoder.hidden_size, datasets[0].labels, unit.recipe.pool).to(encoder.device)
    else:
        loaded.zoo.load(encoder, unit.start, unit.key)
        head = loaded.zoo.load_head(encoder, unit.start)
    texts = [
        CachedText(encoder, [drawn], language=lesson.under, dropout=dropout)
        for dataset, lesson in zip(datasets, unit.lessons, strict=True)
        for drawn in [items_of(dataset, lesson, unit.seed, head.labels)]
    ]
    result = train_few_shot(encoder, unit.key, head, texts, unit.how, dropout=dropout, seed=unit.seed)
    trained = Trained(unit.key, head.labels, result.seconds, result.loss)
    loaded.zoo.save(encoder, unit.key, trained, unit.made_from, head)


def _stops(loaded: Loaded, unit: LanguageAdapter | TaskAdapter, head: Head | None) -> Stops:
    """Where the run of a learner halts: at those of its states that are not in the zoo yet."""
    missing = {state.part: state for state in unit.states if not loaded.zoo.has(state.key)}

    def keep(part: int, result: TrainingResult) -> None:
        state = missing[part]
        trained = Trained(state.key, head.labels if head else (), result.seconds, result.loss)
        loaded.zoo.save(loaded.encoder, unit.key, trained, state.made_from, head)

    return Stops(unit.states[0].parts if unit.states else 1, tuple(missing), keep)


def items_of(dataset: Dataset, lesson: Lesson, seed: int, labels: Collection[str]) -> Dataset:
    """The items that a lesson reads. Of one seed, fewer shots are among more; none has a label the head lacks."""
    if lesson.shots is None:
        return dataset.first(lesson.data.limit)
    fit = [item for item in dataset.items if set(dataset.rules.labels([item])) <= set(labels)]
    order = np.random.default_rng(seed).permutation(len(fit))[: lesson.shots]
    return replace(dataset, items=tuple(fit[at] for at in sorted(order)))
