"""Passes as our own engine computes them, of the architectures that it knows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from adapters_zoo.encoder_weights import bottleneck, encoder_weights, fusion, low_rank
from adapters_zoo.engine import Bottleneck, Engine, Fusion, LowRank, Seam
from adapters_zoo.fine_tuning import Tuned
from adapters_zoo.packing import Layout


def is_computed(config: Any) -> bool:
    """Whether the engine knows encoders of a configuration of `transformers`."""
    return (
        config.model_type in ("bert", "roberta", "xlm-roberta")
        and config.hidden_act == "gelu"
        and getattr(config, "position_embedding_type", "absolute") == "absolute"
    )


class FastBackbone:
    """See ``Backbone``. A seam lies within a layer, where its bottleneck stands, or at the embeddings (-1)."""

    def __init__(
        self,
        model: Any,
        product: torch.dtype,
        tuned: Mapping[str, Tuned],
        fused: Mapping[str, Sequence[str]],
        *,
        language_head: bool,
    ) -> None:
        """``model`` is one of masked language modelling; ``tuned`` are its fine-tuned copies, by name.

        ``fused`` are the members of fusions, by name. Without ``language_head`` what predicts tokens is never read.
        """
        self._model, self._product, self._tuned, self._fused = model, product, tuned, fused
        self._language_head = language_head
        self._engine = self._made({})
        self._adapters: dict[str, Bottleneck | Fusion | LowRank] = {}
        self._engines: dict[str, Engine] = {}
        """Those of fine-tuned copies, by name."""
        self._training = False

    @property
    def training(self) -> bool:
        """See ``Backbone``."""
        return self._training

    @training.setter
    def training(self, training: bool) -> None:
        self._training = self._engine.training = training
        self._engines.clear()  # One whose weights learn reads them anew in each pass, others need not.

    @property
    def has_dropout(self) -> bool:
        """See ``Backbone``."""
        return self._engine.has_dropout

    def layout(self, shape: torch.Size, mask: Tensor | None) -> Layout:
        """See ``Backbone``."""
        return self._engine.layout(shape, mask)

    def lowest_layer(self, task: str | None) -> int:
        """See ``Backbone``: of weights that learn within a layer, the seam is the end of the layer below."""
        if task is None:
            return 0
        if task in self._tuned:
            return self._tuned[task].leave_out - 1
        adapter = self._adapter(task)
        return adapter.lowest - 1 if isinstance(adapter, LowRank) else adapter.lowest

    def seam(
        self, ids: Tensor, mask: Tensor | None, language: str | None, layer: int, types: Tensor | None = None
    ) -> Seam:
        """See ``Backbone``."""
        return self._engine.seam(ids, mask, self._bottleneck(language), layer, types)

    def above(self, seam: Seam, language: str | None, task: str | None) -> Tensor:
        """See ``Backbone``."""
        if task is not None and task in self._tuned:
            return self._of(task).above(seam, self._bottleneck(language), None)
        adapter = None if task is None else self._adapter(task)
        return self._engine.above(seam, self._bottleneck(language), adapter)

    def chosen(self, ids: Tensor, chosen: Tensor, language: str | None) -> Tensor:
        """See ``Backbone``. The last layer computes those alone, once it has attended."""
        return self._engine.chosen(ids, self._bottleneck(language), chosen)

    def logits(self, states: Tensor, language: str | None, among: Tensor | None) -> Tensor:
        """See ``Backbone``."""
        return self._engine.logits(states, self._bottleneck(language), among)

    @contextmanager
    def learning(self) -> Iterator[None]:
        """See ``Backbone``."""
        with self._another(self._made({}, frozen=False)):
            yield

    @contextmanager
    def instead(self, weights: Mapping[str, Tensor]) -> Iterator[None]:
        """See ``Backbone``."""
        with self._another(self._made(weights)):
            yield

    def forget(self, name: str) -> None:
        """See ``Backbone``."""
        self._adapters.pop(name, None)
        self._engines.pop(name, None)

    @contextmanager
    def _another(self, engine: Engine) -> Iterator[None]:
        before, self._engine = self._engine, engine
        engine.training = self._training
        try:
            yield
        finally:
            self._engine = before

    def _made(self, instead: Mapping[str, Tensor], *, frozen: bool = True) -> Engine:
        weights = encoder_weights(self._model, instead, language_head=self._language_head)
        return Engine(weights, self._product, frozen=frozen)

    def _of(self, tuned: str) -> Engine:
        """The engine of a fine-tuned copy."""
        if tuned not in self._engines:
            weights = self._tuned[tuned].weights
            learns = any(weight.requires_grad for weight in weights.values())
            self._engines[tuned] = self._made(weights, frozen=not learns)
            self._engines[tuned].training = self._training
        return self._engines[tuned]

    def _bottleneck(self, language: str | None) -> Bottleneck | None:
        if language is None:
            return None
        adapter = self._adapter(language)
        if not isinstance(adapter, Bottleneck):
            raise ValueError(f"{language!r} is no language adapter")
        return adapter

    def _adapter(self, name: str) -> Bottleneck | Fusion | LowRank:
        """An adapter as the engine reads it."""
        if name not in self._adapters:
            base = self._model.base_model
            self._adapters[name] = (
                fusion(base, name, self._fused[name])
                if name in self._fused
                else low_rank(base, name) or bottleneck(base, name)
            )
        return self._adapters[name]
