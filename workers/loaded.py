"""What a worker keeps at hand: its encoder, the adapters that are loaded into it, and the corpora it reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from adapters_zoo.backbone import Encoder
from adapters_zoo.heads import Head
from adapters_zoo.recipes import Method
from adapters_zoo.zoo import Zoo
from workers.corpora import open_corpora
from workers.corpora.splits import without_copies
from workers.corpora.types import Corpora, Dataset
from workers.hidden_states import CachedText
from workers.protocol import RunContext
from workers.work_units import DataReference, TaskAdapter

_KEPT: Mapping[Method, int] = {"bottleneck": 128, "lora": 128, "full": 8}
"""Adapters a worker keeps loaded; beyond that it forgets all and loads again what it needs."""


class CorpusChangedError(RuntimeError):
    """Data on disk is no longer what the job was planned with."""


class Loaded:
    """One process's encoder and corpora, opened when they are first asked for, and adapters of the zoo by key."""

    def __init__(self, context: RunContext) -> None:
        self.context, self.zoo = context, Zoo(context.zoo)
        self.at_a_time = _KEPT[context.method] // 2
        """So many adapters may be asked for at once."""
        self._heads: dict[str, Head] = {}
        self._made_from: dict[str, Mapping[str, Any]] = {}
        self._text: tuple[object, CachedText, tuple[str, ...]] | None = None

    # Opened at the first unit, so that what is wrong with them fails that unit by name; an actor that cannot even
    # start would count as a machine that died.
    @cached_property
    def encoder(self) -> Encoder:
        """The encoder."""
        return Encoder(self.context.encoder, precision=self.context.precision, device=self.context.device)

    @cached_property
    def corpora(self) -> Corpora:
        """The corpora."""
        return open_corpora(self.context.corpora)

    def need(self, keys: Sequence[str]) -> None:
        """Load adapters that are not loaded yet. Raises ``AdapterFileError``."""
        missing = [key for key in keys if key not in self.encoder.names]
        if len(self.encoder.names) + len(missing) > _KEPT[self.context.method]:
            self.forget(*self.encoder.names)
            missing = list(keys)
        for key in missing:
            if key not in self.encoder.names:  # It may have come with another that stands on it.
                self.zoo.load(self.encoder, key, key)

    def head(self, key: str) -> Head:
        """The head of a task adapter. Raises ``AdapterFileError``."""
        if key not in self._heads:
            self._heads[key] = self.zoo.load_head(self.encoder, key)
        return self._heads[key]

    def forget(self, *keys: str) -> None:
        """Free the memory of adapters, as far as they are loaded."""
        self.encoder.remove(*(key for key in keys if key in self.encoder.names))
        for key in keys:
            self._heads.pop(key, None)

    def made_from(self, key: str) -> Mapping[str, Any]:
        """What the zoo says of something in it. Raises ``AdapterFileError``."""
        if key not in self._made_from:
            self._made_from[key] = self.zoo.made_from(key)
        return self._made_from[key]

    def data(self, reference: DataReference) -> Dataset:
        """The whole split that a reference names. Raises ``CorpusChangedError``."""
        dataset = self.corpora.dataset(reference.task, reference.language, reference.split)
        if reference.without_copies:
            dataset = without_copies(self.corpora, dataset)
        if dataset.digest != reference.digest:
            what = f"{reference.task} {reference.split} data of {reference.language}"
            raise CorpusChangedError(f"the {what} changed since the job was planned; run the job again")
        return dataset

    def training_text(self, unit: TaskAdapter) -> tuple[CachedText, tuple[str, ...]]:
        """The text that a task adapter, and its other seeds, learn from; and its labels."""
        if self._text is None or self._text[0] != (unit.under, unit.data):
            datasets = [self.data(reference) for reference in unit.data]
            # Those of items that are not read too: a head has one shape, however many are read.
            labels = datasets[0].rules.labels([item for dataset in datasets for item in dataset.items])
            read = [dataset.first(reference.limit) for dataset, reference in zip(datasets, unit.data, strict=True)]
            text = CachedText(self.encoder, read, language=unit.under, dropout=unit.recipe.dropout)
            self._text = (unit.under, unit.data), text, labels
        return self._text[1:]
