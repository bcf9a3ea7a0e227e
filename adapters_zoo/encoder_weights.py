"""Where the weights that `engine` reads lie: an encoder's in a model of `transformers`, an adapter's in `adapters`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import Tensor

from adapters_zoo.engine import (
    Bottleneck,
    Coupling,
    EncoderWeights,
    Fusion,
    FusionLayer,
    LanguageHead,
    LayerWeights,
    LowRank,
    Pair,
)

_At = Callable[[Tensor], Tensor]
"""What stands in for a parameter of the model, or the parameter itself."""


def encoder_weights(
    model: Any, instead: Mapping[str, Tensor] | None = None, *, language_head: bool = True
) -> EncoderWeights:
    """The weights of a masked language model, and its own parameters: what changes there is seen here.

    Without ``language_head`` the weights above the last layer, which predict tokens, are left out.

    ``instead`` are tensors that stand in for its parameters, by their names in the model; one that is tied to several
    places stands in all of them. Raises ``ValueError`` on tensors that are not the model's by name and shape.
    """
    config, base = model.config, model.base_model
    at = _standing_in(dict(model.named_parameters()), instead or {})
    embeddings, bert = base.embeddings, config.model_type == "bert"
    return EncoderWeights(
        words=at(embeddings.word_embeddings.weight),
        positions=at(embeddings.position_embeddings.weight),
        kinds=at(embeddings.token_type_embeddings.weight),
        embedding_norm=_pair(embeddings.LayerNorm, at),
        layers=tuple(_layer(layer, at) for layer in base.encoder.layer),
        head=_language_head(model, at) if language_head else None,
        heads=config.num_attention_heads,
        epsilon=config.layer_norm_eps,
        first_position=0 if bert else config.pad_token_id + 1,
        dropout=config.hidden_dropout_prob,
        attention_dropout=config.attention_probs_dropout_prob,
    )


def _language_head(model: Any, at: _At) -> LanguageHead:
    if model.config.model_type == "bert":
        head = model.cls.predictions
        dense, norm = head.transform.dense, head.transform.LayerNorm
    else:
        head = model.lm_head
        dense, norm = head.dense, head.layer_norm
    return LanguageHead(_pair(dense, at), _pair(norm, at), _pair(head.decoder, at))


def bottleneck(base: Any, name: str) -> Bottleneck:
    """An adapter of a base model: the library's own parameters, so that what trains there is seen here."""
    places = {index: layer.output.adapters for index, layer in enumerate(base.encoder.layer)}
    layers = {
        index: (_pair(place[name].adapter_down[0]), _pair(place[name].adapter_up))
        for index, place in places.items()
        if name in place
    }
    couplings = base.invertible_adapters
    coupling = None
    if name in couplings:
        first, second = couplings[name].F, couplings[name].G
        coupling = Coupling((_pair(first[0]), _pair(first[2])), (_pair(second[0]), _pair(second[2])))
    return Bottleneck(layers, coupling)


def fusion(base: Any, name: str, members: Sequence[str]) -> Fusion:
    """A fusion of bottlenecks of a base model, likewise."""
    places = {index: layer.output.adapter_fusion_layer for index, layer in enumerate(base.encoder.layer)}
    layers = {
        index: FusionLayer(_pair(place[name].query), _pair(place[name].key), place[name].value.weight)
        for index, place in places.items()
        if name in place
    }
    return Fusion(tuple(bottleneck(base, member) for member in members), layers)


def low_rank(base: Any, name: str) -> LowRank | None:
    """A LoRA adapter of a base model, likewise; None where the adapter is none."""
    layers, scalings = {}, set()
    for index, layer in enumerate(base.encoder.layer):
        attention = layer.attention.self
        adapted = [projection.loras for projection in (attention.query, attention.key, attention.value)]
        if any(name in loras for loras in adapted):
            query, key, value = (
                (loras[name].lora_A, loras[name].lora_B) if name in loras else None for loras in adapted
            )
            layers[index] = query, key, value
            scalings |= {loras[name].scaling for loras in adapted if name in loras}
    return LowRank(layers, *scalings) if layers else None


def refuse_unfit(parameters: Mapping[str, Tensor], instead: Mapping[str, Tensor]) -> None:
    """Raises ``ValueError`` unless tensors that are to stand in for parameters have their names and shapes."""
    unfit = [
        name for name, tensor in instead.items() if name not in parameters or tensor.shape != parameters[name].shape
    ]
    if unfit:
        raise ValueError(f"weights of another encoder: {len(unfit)} tensors do not match: {unfit[:3]}")


def _standing_in(parameters: Mapping[str, Tensor], instead: Mapping[str, Tensor]) -> _At:
    refuse_unfit(parameters, instead)
    by_parameter = {id(parameters[name]): tensor for name, tensor in instead.items()}
    return lambda parameter: by_parameter.get(id(parameter), parameter)


def _layer(layer: Any, at: _At) -> LayerWeights:
    attention = layer.attention.self
    return LayerWeights(
        attention=tuple(_pair(projection, at) for projection in (attention.query, attention.key, attention.value)),
        attention_out=_pair(layer.attention.output.dense, at),
        attention_norm=_pair(layer.attention.output.LayerNorm, at),
        up=_pair(layer.intermediate.dense, at),
        down=_pair(layer.output.dense, at),
        norm=_pair(layer.output.LayerNorm, at),
    )


def _pair(module: Any, at: _At = lambda parameter: parameter) -> Pair:
    return at(module.weight), at(module.bias)
