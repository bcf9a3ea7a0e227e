"""Passes as `transformers` and `adapters` compute them: every architecture that the latter has adapters for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from adapters.composition import Fuse, Stack
from adapters.methods.lora import LoRAMergedLinear
from torch import Tensor, nn
from torch.nn import functional

from adapters_zoo.architectures import Architecture
from adapters_zoo.encoder_weights import refuse_unfit
from adapters_zoo.engine import Seam
from adapters_zoo.fine_tuning import Tuned
from adapters_zoo.packing import Layout

_DROPOUT = (
    *("hidden_dropout_prob", "attention_probs_dropout_prob", "dropout", "attention_dropout"),
    *("embedding_dropout", "mlp_dropout"),
)
"""What configurations call the dropout of the encoder itself."""


class LibraryBackbone:
    """See ``Backbone``. A seam lies where a layer begins; one task adapter is computed at a time.

    Evaluating several at once (`Parallel`) fails on ModernBERT; a seam spares what they have in common all the same.
    """

    def __init__(
        self,
        model: Any,
        architecture: Architecture,
        product: torch.dtype,
        tuned: Mapping[str, Tuned],
        fused: Mapping[str, Sequence[str]],
    ) -> None:
        """``model`` is one of masked language modelling; ``tuned`` are its fine-tuned copies, by name.

        ``fused`` are the members of fusions, by name.
        """
        self._model, self._base = model, model.base_model
        self._architecture, self._product, self._tuned, self._fusions = architecture, product, tuned, fused
        self._own = dict(model.named_parameters())
        self._projections = {
            f"{name}.weight": module for name, module in model.named_modules() if isinstance(module, LoRAMergedLinear)
        }
        self._lowest: dict[str, int] = {}
        self._instead: Mapping[str, Tensor] = {}
        self.training = False

    @property
    def has_dropout(self) -> bool:
        """See ``Backbone``."""
        return any(getattr(self._model.config, name, 0) > 0 for name in _DROPOUT)

    def layout(self, shape: torch.Size, mask: Tensor | None) -> Layout:
        """See ``Backbone``."""
        return Layout.of(shape, mask, self._model.device)

    def lowest_layer(self, task: str | None) -> int:
        """See ``Backbone``: the lowest layer that holds a part of the adapter, or is another than the encoder's."""
        if task is None:
            return 0
        if task in self._tuned:
            return self._tuned[task].leave_out
        if task not in self._lowest:
            self._lowest[task] = min(
                index
                for index, layer in enumerate(self._layers())
                if any(isinstance(module, nn.ModuleDict) and task in module for module in layer.modules())
            )
        return self._lowest[task]

    def seam(
        self, ids: Tensor, mask: Tensor | None, language: str | None, layer: int, types: Tensor | None = None
    ) -> Seam:
        """See ``Backbone``."""
        layout = self.layout(ids.shape, mask)
        read = {"input_ids": ids, **({} if types is None else {"token_type_ids": types})}

        def enter() -> Tensor:
            try:
                with self._at(layer, _leave):
                    self._base(**read, attention_mask=_mask(layout))
            except _Entered as entered:
                return entered.states
            raise AssertionError(f"a pass did not come to layer {layer}")

        return Seam(layer, layout.pack(self._run(enter, language, None)), layout)

    def above(self, seam: Seam, language: str | None, task: str | None) -> Tensor:
        """See ``Backbone``."""
        states = seam.layout.spread(seam.sum)

        def leave() -> Tensor:
            # The embeddings of a pass are computed for nothing, and its lower layers not at all.
            with self._from(seam.layer), self._at(0, lambda _: states):
                last: Tensor = self._base(
                    inputs_embeds=states.detach(), attention_mask=_mask(seam.layout)
                ).last_hidden_state
                return last

        return self._run(leave, language, task)

    def chosen(self, ids: Tensor, chosen: Tensor, language: str | None) -> Tensor:
        """See ``Backbone``."""
        return self.above(self.seam(ids, None, language, 0), language, None)[chosen]

    def logits(self, states: Tensor, language: str | None, among: Tensor | None) -> Tensor:
        """See ``Backbone``."""

        def predict() -> Tensor:
            transform, weight, bias = _head(self._model)
            restored = self._base.invertible_adapters_forward(transform(states)[None], rev=True)[0]
            if among is not None:
                weight, bias = weight[among], bias[among]
            return functional.linear(restored, weight, bias)

        return self._run(predict, language, None)

    @contextmanager
    def learning(self) -> Iterator[None]:
        """See ``Backbone``: passes always read the weights as they are."""
        yield

    @contextmanager
    def instead(self, weights: Mapping[str, Tensor]) -> Iterator[None]:
        """See ``Backbone``."""
        refuse_unfit(self._own, weights)
        self._instead = weights
        try:
            yield
        finally:
            self._instead = {}

    def forget(self, name: str) -> None:
        """See ``Backbone``."""
        self._lowest.pop(name, None)

    def _run(self, compute: Callable[[], Tensor], language: str | None, task: str | None) -> Tensor:
        """What ``compute`` makes of the model under these adapters, in fp32."""
        tuned, changed = self._tuned.get(task or ""), self._with_low_rank(task or "")
        over = None if tuned or changed else task
        if task is not None and task in self._fusions:
            over = Fuse(*self._fusions[task], name=task)
        parts = [part for part in (language, over) if part is not None]
        self._model.set_active_adapters(Stack(*parts) if parts else None)
        self._model.train(self.training)
        instead = {**self._instead, **(tuned.weights if tuned else {}), **changed}
        bf16 = self._product == torch.bfloat16
        with self._reading(instead), torch.autocast(self._model.device.type, torch.bfloat16, enabled=bf16):
            return compute().float()

    @contextmanager
    def _reading(self, instead: Mapping[str, Tensor]) -> Iterator[None]:
        """Inside the block the model has tensors in place of its parameters, wherever each of them is tied to.

        `torch.func.functional_call` would leave the output embeddings untied from the input's behind.
        """
        by_parameter = {id(self._own[name]): tensor for name, tensor in instead.items()}
        places = [
            (module, name, parameter)
            for module in (self._model.modules() if instead else ())
            for name, parameter in module._parameters.items()
            if id(parameter) in by_parameter
        ]
        for module, name, parameter in places:
            module._parameters[name] = by_parameter[id(parameter)]
        try:
            yield
        finally:
            for module, name, parameter in places:
                module._parameters[name] = parameter

    def _with_low_rank(self, task: str) -> dict[str, Tensor]:
        """Weights of projections of queries, keys and values in one with LoRA ``task`` added.

        Over a language adapter the library refuses to compute those.
        """
        return {
            name: self._instead.get(name, module.weight) + _difference(module.loras[task])
            for name, module in self._projections.items()
            if task in module.loras
        }

    def _layers(self) -> nn.ModuleList:
        layers: nn.ModuleList = self._base.get_submodule(self._architecture.layers)
        return layers

    @contextmanager
    def _at(self, layer: int, put: Callable[[Tensor], Tensor]) -> Iterator[None]:
        """Inside the block ``put`` decides what ``layer`` reads, by what it would have read."""
        hook = self._layers()[layer].register_forward_pre_hook(lambda _, given: (put(given[0]), *given[1:]))
        try:
            yield
        finally:
            hook.remove()

    @contextmanager
    def _from(self, layer: int) -> Iterator[None]:
        """Inside the block the model begins at ``layer``."""
        above, _, name = self._architecture.layers.rpartition(".")
        holder, layers = self._base.get_submodule(above), self._layers()
        setattr(holder, name, layers[layer:])
        try:
            yield
        finally:
            setattr(holder, name, layers)


class _Entered(Exception):  # noqa: N818 - no error: it ends a pass that has come far enough.
    def __init__(self, states: Tensor) -> None:
        super().__init__()
        self.states = states


def _leave(states: Tensor) -> Tensor:
    raise _Entered(states)


def _difference(lora: Any) -> Tensor:
    """What LoRA adds to a weight [3 hidden size, hidden size] of three projections, of which some have a part in it."""
    parts = sum(lora.enable_lora)
    added = iter([up @ down for down, up in zip(lora.lora_A.chunk(parts), lora.lora_B.chunk(parts), strict=True)])
    hidden = lora.lora_A.shape[1]
    blank = lora.lora_A.new_zeros(hidden, hidden)
    difference: Tensor = lora.scaling * torch.cat([next(added) if enabled else blank for enabled in lora.enable_lora])
    return difference


def _mask(layout: Layout) -> Tensor:
    """1 at each sequence's tokens, 0 behind them: [batch, length]."""
    is_token = torch.arange(layout.length) < torch.tensor(layout.lengths)[:, None]
    return is_token.long().to(layout.device)


def _head(model: Any) -> tuple[Callable[[Tensor], Tensor], Tensor, Tensor]:
    """What stands below the output embeddings, and those [vocabulary, hidden size] with their biases."""
    words = model.base_model.get_input_embeddings().weight
    match model.config.model_type:
        case "bert":
            predictions = model.cls.predictions
            return predictions.transform, predictions.decoder.weight, predictions.bias
        case "deberta-v2" if model.config.legacy:
            predictions = model.cls.predictions
            return predictions.transform, predictions.decoder.weight, predictions.bias
        case "deberta-v2":
            head = model.lm_predictions.lm_head
            return (lambda states: head.LayerNorm(head.transform_act_fn(head.dense(states)))), words, head.bias
        case "distilbert":
            transform = nn.Sequential(model.vocab_transform, model.activation, model.vocab_layer_norm)
            return transform, model.vocab_projector.weight, model.vocab_projector.bias
        case "modernbert":
            return model.head, model.decoder.weight, model.decoder.bias
        case _:
            head = model.lm_head
            return (
                (lambda states: head.layer_norm(functional.gelu(head.dense(states)))),
                head.decoder.weight,
                head.bias,
            )
