"""The arithmetic of a frozen encoder with adapters, laid out for speed.

What `transformers` and `adapters` compute for ``Stack(language, task)`` (tests hold the two together), without what
they do beside it: frozen weights are cast once instead of at every product, the three attention projections are one,
products are bf16 while the residual stream, its norms and the trained parameters stay fp32, padding takes part in
attention alone (``packing``), and a pass can be cut at its *seam*, the place in the lowest layer that holds the task
adapter: what lies below is the same for every task adapter over one language adapter, so it is computed once, whether a
column of task adapters is measured or one is trained for many epochs. No gradient is formed below the seam.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from adapters_zoo.attention import attend, drop
from adapters_zoo.packing import Layout

Pair = tuple[Tensor, Tensor]
"""Weight and bias: of a linear map [out, in] and [out], or of a layer norm [hidden] and [hidden]."""


@dataclass(frozen=True, slots=True)
class LayerWeights:
    """One post-norm transformer layer; ``attention``: query, key and value, or all in one ([3 hidden, hidden])."""

    attention: tuple[Pair, ...]
    attention_out: Pair
    attention_norm: Pair
    up: Pair
    down: Pair
    norm: Pair


@dataclass(frozen=True, slots=True)
class LanguageHead:
    """What predicts tokens from last hidden states: a transform [hidden, hidden], its norm, and output embeddings."""

    transform: Pair
    norm: Pair
    decoder: Pair


@dataclass(frozen=True, slots=True)
class EncoderWeights:
    """Everything of the encoder that a pass reads, in fp32, and the few numbers of its shape.

    ``head`` is None for an encoder that came without one.
    """

    words: Tensor
    positions: Tensor
    kinds: Tensor
    embedding_norm: Pair
    layers: tuple[LayerWeights, ...]
    head: LanguageHead | None
    heads: int
    epsilon: float
    first_position: int
    """The position of a sequence's first token; RoBERTa's numbering starts behind its padding index."""
    dropout: float
    attention_dropout: float


@dataclass(frozen=True, slots=True)
class Coupling:
    """An invertible NICE block (Dinh et al. 2015): each half of a vector is shifted by a function of the other."""

    first: tuple[Pair, Pair]
    second: tuple[Pair, Pair]


@dataclass(frozen=True, slots=True)
class Bottleneck:
    """An adapter: by layer, its down and up projections (layers that are left out are absent)."""

    layers: Mapping[int, tuple[Pair, Pair]]
    coupling: Coupling | None = None

    @property
    def lowest(self) -> int:
        """The lowest layer it stands in."""
        return min(self.layers)


@dataclass(frozen=True, slots=True)
class FusionLayer:
    """Attention over what several bottlenecks of a layer add; ``value`` [hidden, hidden] has no bias."""

    query: Pair
    key: Pair
    value: Tensor


@dataclass(frozen=True, slots=True)
class Fusion:
    """AdapterFusion (Pfeiffer et al. 2021) of bottlenecks that stand in the same layers."""

    members: tuple[Bottleneck, ...]
    layers: Mapping[int, FusionLayer]

    @property
    def lowest(self) -> int:
        """The lowest layer it stands in."""
        return min(self.layers)


@dataclass(frozen=True, slots=True)
class LowRank:
    """LoRA (Hu et al. 2022) of attention: by layer, what ``scaling`` x B A adds to its three projections.

    A is [rank, hidden size], B [hidden size, rank]; None where a projection of query, key and value is left as it is.
    """

    layers: Mapping[int, tuple[Pair | None, Pair | None, Pair | None]]
    scaling: float

    @property
    def lowest(self) -> int:
        """The lowest layer it stands in."""
        return min(self.layers)


@dataclass(frozen=True, slots=True)
class Seam:
    """A pass up to where task adapters part: ``layer``'s sum before its last norm, and where tokens lie.

    ``sum`` is fp32 [N, hidden size], packed as ``layout`` says. At ``layer`` -1 it is what the lowest layer reads.
    """

    layer: int
    sum: Tensor
    layout: Layout


class Engine:
    """Runs an encoder's weights under adapters. ``training`` turns the encoder's own dropout on."""

    def __init__(self, weights: EncoderWeights, product: torch.dtype, *, frozen: bool = True) -> None:
        """``product`` is the type matrix products are computed in.

        Weights that are not ``frozen`` are read anew by every pass, as they change between passes, and may get
        gradients.
        """
        self._weights = weights
        self._product = product
        self._layers = tuple(_cast_layer(layer, product) for layer in weights.layers) if frozen else None
        self.training = False

    @property
    def has_dropout(self) -> bool:
        """Whether training passes drop activations of the encoder."""
        return self._weights.dropout > 0 or self._weights.attention_dropout > 0

    def layout(self, shape: torch.Size, mask: Tensor | None) -> Layout:
        """How a pass lays out sequences of ``shape`` [batch, length], padded where ``mask`` is 0 (None: nowhere)."""
        return Layout.of(shape, mask, self._weights.words.device)

    def seam(
        self, ids: Tensor, mask: Tensor | None, language: Bottleneck | None, layer: int, types: Tensor | None = None
    ) -> Seam:
        """The pass over ``ids`` [batch, length] up to the task adapter's place in ``layer``, or the embeddings (-1).

        ``types`` are token types (segment ids) of the same shape; None: all are 0.
        """
        layout = self.layout(ids.shape, mask)
        states = self._embed(ids, layout, language, types)
        for index in range(layer):
            states = self._close(index, self._sum(index, states, layout, language))
        return Seam(layer, states if layer < 0 else self._sum(layer, states, layout, language), layout)

    def above(self, seam: Seam, language: Bottleneck | None, task: Bottleneck | Fusion | LowRank | None) -> Tensor:
        """Last hidden states [batch, length, hidden size], fp32, from a seam on; of no meaning where padding is."""
        added = task if isinstance(task, Bottleneck | Fusion) else None
        moved = task if isinstance(task, LowRank) else None
        states = seam.sum if seam.layer < 0 else self._close(seam.layer, self._adapt(seam.layer, seam.sum, added))
        for index in range(seam.layer + 1, len(self._weights.layers)):
            total = self._sum(index, states, seam.layout, language, moved=moved)
            states = self._close(index, self._adapt(index, total, added))
        return seam.layout.spread(states)

    def chosen(self, ids: Tensor, language: Bottleneck | None, chosen: Tensor) -> Tensor:
        """Last hidden states [n, hidden size] of the positions ``chosen`` (bool [batch, length]) of unpadded ``ids``.

        The last layer computes those alone, once it has attended: what language modelling reads of it.
        """
        layout, last = self.layout(ids.shape, None), len(self._weights.layers) - 1
        states = self._embed(ids, layout, language)
        for index in range(last):
            states = self._close(index, self._sum(index, states, layout, language))
        return self._close(last, self._sum(last, states, layout, language, chosen.flatten()))

    def logits(self, states: Tensor, language: Bottleneck | None, among: Tensor | None = None) -> Tensor:
        """Vocabulary logits [n, vocabulary], fp32, of states [n, hidden size]; of the ids ``among`` alone, if given.

        The inverse of the language adapter's coupling stands before the output embeddings (MAD-X, section 3.2).
        Raises ``ValueError`` where the encoder has no language-modelling head.
        """
        head = self._weights.head
        if head is None:
            raise ValueError("the encoder has no masked-language-modelling head")
        # The output embeddings are cast for each product, since a second copy of 250,000 would be held for good.
        decoder = head.decoder if among is None else (head.decoder[0][among], head.decoder[1][among])
        transformed = functional.gelu(self._linear(states, head.transform).float())
        transformed = self._norm(transformed, head.norm)
        if language is not None and language.coupling is not None:
            transformed = self._couple(transformed, language.coupling, inverse=True)
        return self._linear(transformed, decoder).float()

    def _embed(self, ids: Tensor, layout: Layout, language: Bottleneck | None, types: Tensor | None = None) -> Tensor:
        weights = self._weights
        kinds = weights.kinds[0] if types is None else weights.kinds[layout.pack(types)]
        place = torch.arange(ids.shape[1], device=ids.device).expand_as(ids) + weights.first_position
        # Padding stands behind the text and is never attended to, so its position does not matter.
        states = weights.words[layout.pack(ids)] + weights.positions[layout.pack(place)] + kinds
        states = self._drop(self._norm(states, weights.embedding_norm))
        if language is not None and language.coupling is not None:
            states = self._couple(states, language.coupling, inverse=False)
        return states

    def _sum(
        self,
        index: int,
        states: Tensor,
        layout: Layout,
        language: Bottleneck | None,
        chosen: Tensor | None = None,
        moved: LowRank | None = None,
    ) -> Tensor:
        """A layer up to its task adapter: feed-forward output, residual and language adapter, added up in fp32.

        ``states`` are packed [N, hidden size]; of ``chosen`` ones alone (bool [N]) the sum is returned.
        """
        layer = self._layer(index)
        (attention,) = layer.attention
        dropout = self._weights.attention_dropout if self.training else 0.0
        projected = self._linear(states, attention)
        if moved is not None and index in moved.layers:
            projected = projected + moved.scaling * self._moved(states, moved.layers[index])
        attended = attend(projected, layout, self._weights.heads, dropout)
        if chosen is not None:
            attended, states = attended[chosen], states[chosen]
        residual = self._norm(states + self._drop(self._linear(attended, layer.attention_out)), layer.attention_norm)
        inner = functional.gelu(self._linear(residual, layer.up))
        return self._adapt(index, residual + self._drop(self._linear(inner, layer.down)), language)

    def _moved(self, states: Tensor, maps: Sequence[Pair | None]) -> Tensor:
        """What low-rank maps make of states [N, hidden size], side by side: [N, 3 hidden size]."""
        read = states.to(self._product)
        parts = [
            torch.zeros_like(read)
            if pair is None
            else functional.linear(functional.linear(read, pair[0].to(self._product)), pair[1].to(self._product))
            for pair in maps
        ]
        return torch.cat(parts, dim=-1)

    def _adapt(self, index: int, total: Tensor, adapter: Bottleneck | Fusion | None) -> Tensor:
        """The Pfeiffer bottleneck: it reads the layer's normed sum, and adds to it. So do several that are fused."""
        if adapter is None or index not in adapter.layers:
            return total
        read = self._close(index, total)
        if isinstance(adapter, Fusion):
            return total + self._fused(
                read, [member.layers[index] for member in adapter.members], adapter.layers[index]
            )
        return total + self._added(read, adapter.layers[index])

    def _added(self, read: Tensor, maps: tuple[Pair, Pair]) -> Tensor:
        down, up = maps
        return self._linear(functional.relu(self._linear(read, down)), up)

    def _fused(self, read: Tensor, members: Sequence[tuple[Pair, Pair]], fusion: FusionLayer) -> Tensor:
        """What each member adds to states [N, hidden size], weighted by how its key answers to the state's query.

        Values are a linear map, so that of their weighted sum is taken instead of the sum of all of them.
        """
        added = torch.stack([self._added(read, maps) for maps in members], dim=1)
        query, keys = self._linear(read, fusion.query), self._linear(added, fusion.key)
        scores = (keys @ query[:, :, None])[:, :, 0].float()
        if self.training and self._weights.attention_dropout:
            scores = drop(scores, self._weights.attention_dropout)
        mixed = (scores.softmax(dim=1)[:, None] @ added.float())[:, 0]
        return functional.linear(mixed.to(self._product), fusion.value.to(self._product))

    def _close(self, index: int, total: Tensor) -> Tensor:
        return self._norm(total, self._weights.layers[index].norm)

    def _layer(self, index: int) -> LayerWeights:
        """A layer as products read it."""
        if self._layers is not None:
            return self._layers[index]
        return _cast_layer(self._weights.layers[index], self._product)

    def _couple(self, states: Tensor, coupling: Coupling, *, inverse: bool) -> Tensor:
        left, right = states.tensor_split(2, dim=-1)
        if inverse:
            right = right - self._shift(left, coupling.second)
            left = left - self._shift(right, coupling.first)
        else:
            left = left + self._shift(right, coupling.first)
            right = right + self._shift(left, coupling.second)
        return torch.cat((left, right), dim=-1)

    def _shift(self, half: Tensor, maps: tuple[Pair, Pair]) -> Tensor:
        return self._linear(functional.relu(self._linear(half, maps[0])), maps[1])

    def _linear(self, states: Tensor, pair: Pair) -> Tensor:
        weight, bias = pair
        return functional.linear(states.to(self._product), weight.to(self._product), bias.to(self._product))

    def _norm(self, states: Tensor, pair: Pair) -> Tensor:
        return functional.layer_norm(states, states.shape[-1:], *pair, self._weights.epsilon)

    def _drop(self, states: Tensor) -> Tensor:
        return drop(states, self._weights.dropout) if self.training and self._weights.dropout else states


def _cast(pair: Pair, dtype: torch.dtype) -> Pair:
    return pair[0].to(dtype), pair[1].to(dtype)


def _cast_layer(layer: LayerWeights, dtype: torch.dtype) -> LayerWeights:
    """Products in ``dtype``, those of attention in one; norms as they are."""
    weights, biases = zip(*layer.attention, strict=True)
    return LayerWeights(
        attention=(_cast((torch.cat(weights), torch.cat(biases)), dtype),),
        attention_out=_cast(layer.attention_out, dtype),
        attention_norm=layer.attention_norm,
        up=_cast(layer.up, dtype),
        down=_cast(layer.down, dtype),
        norm=layer.norm,
    )
