"""An encoder: passes under the adapters that were added to it, by a backbone, and what of it is trained."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from adapters_zoo.architectures import ARCHITECTURES
from adapters_zoo.backbone.adapted_model import AdaptedModel
from adapters_zoo.backbone.conversion import vocabulary_of
from adapters_zoo.backbone.fast import FastBackbone, is_computed
from adapters_zoo.backbone.library import LibraryBackbone
from adapters_zoo.backbone.opening import VERSIONS, open_model
from adapters_zoo.engine import Seam
from adapters_zoo.fine_tuning import Learning
from adapters_zoo.packing import Layout
from adapters_zoo.precision import Precision
from adapters_zoo.sources import EncoderError, EncoderFiles, refuse_changed


class Encoder(AdaptedModel):
    """A multilingual encoder in one process, with the adapters that were added to it; frozen but for ``train_whole``.

    Adapters are named by the caller; a fine-tuned copy of its layers is one of them, as a task adapter. A pass names
    the language adapter and the task adapter over it, each or both None; only what ``train`` names gets gradients.
    Everywhere, a name that is not loaded raises ``KeyError``.
    """

    versions = VERSIONS

    def __init__(
        self, files: EncoderFiles, *, precision: Precision = "fp32", device: str = "cpu", fast: bool | None = None
    ) -> None:
        """``fast``: whether our own engine computes the passes, or the library; by default the engine where it can.

        Raises ``EncoderError`` where a weight that passes read is not in the files, or one there has no place, and
        where the files are no longer those that were checked.
        """
        refuse_changed(files)
        vocabulary = vocabulary_of(files)
        model, self.has_language_head = open_model(files)
        config = model.config
        if vocabulary.size > config.vocab_size:
            there = (
                f"the tokenizer gives ids up to {vocabulary.size - 1}, and there are embeddings for {config.vocab_size}"
            )
            raise EncoderError(f"{files.folder}: {there} tokens; tokenizer and weights are not of one encoder")
        super().__init__(model, ARCHITECTURES[files.model_type], torch.device(device))
        product = torch.bfloat16 if precision == "bf16" else torch.float32
        if is_computed(config) if fast is None else fast:
            self.backbone = FastBackbone(
                self._model, product, self._tuned, self._fused, language_head=self.has_language_head
            )
        else:
            self.backbone = LibraryBackbone(self._model, self._architecture, product, self._tuned, self._fused)
        self.files = files
        self.vocabulary, self.tokenizer, self.special = vocabulary, vocabulary.tokenizer, vocabulary.special
        self.hidden_size: int = config.hidden_size
        self.token_types: int = max(1, getattr(config, "type_vocab_size", 1))
        # RoBERTa's positions start behind the padding index, so two of them are not usable.
        self.max_length: int = config.max_position_embeddings - (2 if "roberta" in config.model_type else 0)
        self.precision = precision

    @property
    def has_dropout(self) -> bool:
        """Whether the encoder itself drops activations while an adapter is trained."""
        return self.backbone.has_dropout

    @contextmanager
    def train(self, name: str, *, dropout: bool = True) -> Iterator[list[nn.Parameter]]:
        """Give gradients to the parameters of one adapter, and to nothing else, inside the block.

        With ``dropout`` the encoder drops activations there as its configuration says.
        """
        parameters = list(self._parameters(name).values())
        for parameter in parameters:
            parameter.requires_grad_(True)
        self.backbone.training = dropout
        try:
            yield parameters
        finally:
            for parameter in parameters:
                parameter.requires_grad_(False)
            if name in self._tuned:
                self._tuned[name].settle(self._own)
            self.backbone.training = False

    @contextmanager
    def train_whole(self) -> Iterator[Learning]:
        """Give gradients to every weight of the encoder itself, and to no adapter, inside the block.

        Afterwards the encoder is what it was before, bit by bit: what it became is to be taken out of the block.
        """
        learning = Learning(self._own)
        for parameter in self._own.values():
            parameter.requires_grad_(True)
        self.backbone.training = True
        try:
            with self.backbone.learning():
                yield learning
        finally:
            self.backbone.training = False
            self._model.requires_grad_(False)
            learning.undo()

    @contextmanager
    def shifted(self, weights: Mapping[str, Tensor]) -> Iterator[None]:
        """Inside the block passes read ``weights`` in place of the encoder's own of the same names.

        Raises ``ValueError`` unless each is one of the encoder's, by name and shape.
        """
        with self.backbone.instead({name: weight.to(self.device) for name, weight in weights.items()}):
            yield

    def hidden(
        self, ids: Tensor, mask: Tensor | None = None, *, language: str | None = None, task: str | None = None
    ) -> Tensor:
        """Last hidden states, fp32 [batch, length, hidden], of ids [batch, length] under ``Stack(language, task)``."""
        return self.above(self.seam(ids, mask, language=language, task=task), language=language, task=task)

    def seam(
        self,
        ids: Tensor,
        mask: Tensor | None = None,
        types: Tensor | None = None,
        *,
        language: str | None = None,
        task: str | None = None,
    ) -> Seam:
        """A pass up to where ``task`` begins to matter: good for any task adapter that leaves as much as it is.

        ``types`` are token types (segment ids) [batch, length]; None: all are 0.
        """
        self._refuse_absent(language, task)
        types = None if types is None else types.to(self.device)
        return self.backbone.seam(ids.to(self.device), mask, language, self.backbone.lowest_layer(task), types)

    def layout(self, mask: Tensor) -> Layout:
        """How a pass lays out sequences whose padding is 0 in ``mask`` [batch, length]."""
        return self.backbone.layout(mask.shape, mask)

    def lowest_layer(self, task: str) -> int:
        """The place of a task adapter's seam, which adapters that leave as much of the encoder as it is share."""
        self._refuse_absent(task)
        return self.backbone.lowest_layer(task)

    def above(self, seam: Seam, *, language: str | None = None, task: str | None = None) -> Tensor:
        """The rest of a pass from its seam on: last hidden states, fp32 [batch, length, hidden]."""
        self._refuse_absent(language, task)
        return self.backbone.above(seam, language, task)

    def hidden_at(self, ids: Tensor, chosen: Tensor, *, language: str | None = None) -> Tensor:
        """Last hidden states, fp32 [n, hidden], of the positions ``chosen`` (bool [batch, length]) of unpadded ids."""
        self._refuse_absent(language)
        return self.backbone.chosen(ids.to(self.device), chosen.to(self.device), language)

    def masked_language_logits(
        self, states: Tensor, *, language: str | None = None, among: Tensor | None = None
    ) -> Tensor:
        """Vocabulary logits [n, vocabulary] for hidden states [n, hidden] of masked positions.

        With ``among``, ids int64 [m], of those alone: [n, m]. Raises ``ValueError`` where the encoder has no head.
        """
        self._refuse_absent(language)
        if not self.has_language_head:
            raise ValueError(f"{self.files.folder}: the encoder has no masked-language-modelling head")
        return self.backbone.logits(states, language, among)
