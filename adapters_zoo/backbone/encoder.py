"""An encoder with room for adapters, each by its name.

The libraries open encoders, make adapters, and read and write their files; the arithmetic is a backbone's. What they
get wrong in silence is guarded here: heads are ours, so adapters are saved and loaded without one; loaded weights must
name exactly the parameters that were asked for.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import adapters
import torch
from adapters.utils import SAFE_WEIGHTS_NAME
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from adapters_zoo.architectures import ARCHITECTURES
from adapters_zoo.backbone.conversion import vocabulary_of
from adapters_zoo.backbone.fast import FastBackbone, is_computed
from adapters_zoo.backbone.library import LibraryBackbone
from adapters_zoo.backbone.opening import VERSIONS, open_model
from adapters_zoo.backbone.protocol import Backbone
from adapters_zoo.encoder_weights import refuse_unfit
from adapters_zoo.engine import Seam
from adapters_zoo.fine_tuning import Learning, Tuned
from adapters_zoo.packing import Layout
from adapters_zoo.precision import Precision
from adapters_zoo.sources import EncoderError, EncoderFiles, refuse_changed

_PLACES = ("adapters.{}.", "loras.{}.")
"""What stands in the name of every parameter of an adapter; the bare name may stand in the encoder's own too."""

_DIFFERENCE = "difference.safetensors"
"""What a fine-tuned copy is kept as."""


class Encoder:
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
        self._model, self.has_language_head = open_model(files)
        config = self._model.config
        if vocabulary.size > config.vocab_size:
            there = (
                f"the tokenizer gives ids up to {vocabulary.size - 1}, and there are embeddings for {config.vocab_size}"
            )
            raise EncoderError(f"{files.folder}: {there} tokens; tokenizer and weights are not of one encoder")
        _make_room(self._model)
        self._base: Any = self._model.base_model
        self._model.requires_grad_(False)
        self._model.eval().to(device)
        self._own: dict[str, nn.Parameter] = dict(self._model.named_parameters())
        self._tuned: dict[str, Tuned] = {}
        self._architecture = ARCHITECTURES[files.model_type]
        product = torch.bfloat16 if precision == "bf16" else torch.float32
        self.backbone: Backbone
        if is_computed(config) if fast is None else fast:
            self.backbone = FastBackbone(self._model, product, self._tuned, language_head=self.has_language_head)
        else:
            self.backbone = LibraryBackbone(self._model, self._architecture, product, self._tuned)
        self.files = files
        self.vocabulary, self.tokenizer, self.special = vocabulary, vocabulary.tokenizer, vocabulary.special
        self.hidden_size: int = config.hidden_size
        self.layers: int = config.num_hidden_layers
        self.token_types: int = max(1, getattr(config, "type_vocab_size", 1))
        # RoBERTa's positions start behind the padding index, so two of them are not usable.
        self.max_length: int = config.max_position_embeddings - (2 if "roberta" in config.model_type else 0)
        self.precision, self.device = precision, torch.device(device)

    @property
    def names(self) -> tuple[str, ...]:
        """The adapters that are loaded."""
        return (*self._model.adapters_config.adapters, *self._tuned)

    @property
    def model(self) -> Any:
        """The library's model that it computes with: for whoever holds passes against the library's own."""
        return self._model

    @property
    def own(self) -> Mapping[str, nn.Parameter]:
        """The encoder's own weights by name, without those of adapters."""
        return self._own

    def add_language_adapter(self, name: str, *, reduction: float) -> None:
        """Add an untrained invertible bottleneck adapter (`seq_bn_inv`); initialised from torch's global generator."""
        config = adapters.SeqBnInvConfig(reduction_factor=reduction, inv_adapter_reduction_factor=reduction)
        self._add(name, config)

    def add_task_adapter(self, name: str, *, reduction: float, leave_out: int = 0) -> None:
        """Add an untrained bottleneck adapter (`seq_bn`) to all but the ``leave_out`` lowest layers.

        Initialised from torch's global generator. Raises ``ValueError`` where no layer is left.
        """
        left_out = self._left_out(leave_out)
        self._add(name, adapters.SeqBnConfig(reduction_factor=reduction, leave_out=left_out))

    def add_low_rank(self, name: str, *, rank: int, alpha: float, leave_out: int = 0) -> None:
        """Add untrained LoRA (Hu et al. 2022) of attention's queries and values, scaled by ``alpha`` / ``rank``.

        It stands in all but the ``leave_out`` lowest layers. Initialised from torch's global generator. Raises
        ``ValueError`` where no layer is left.
        """
        self._add(name, adapters.LoRAConfig(r=rank, alpha=alpha, leave_out=self._left_out(leave_out)))

    def add_tuned(self, name: str, *, leave_out: int = 0) -> None:
        """Add a copy of all but the ``leave_out`` lowest layers, which takes their place in passes under this name.

        Embeddings stay the encoder's own. Raises ``ValueError`` where no layer is left.
        """
        self._left_out(leave_out)
        self._refuse_loaded(name)
        self._tuned[name] = Tuned.untrained(leave_out, self._tunable(leave_out))

    @property
    def has_dropout(self) -> bool:
        """Whether the encoder itself drops activations while an adapter is trained."""
        return self.backbone.has_dropout

    def remove(self, *names: str) -> None:
        """Forget adapters and free their memory. Raises ``KeyError`` on one that is not loaded."""
        for name in names:
            self._parameters(name)
        for name in names:
            if self._tuned.pop(name, None) is None:
                self._model.delete_adapter(name)
            self.backbone.forget(name)

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

    def save(self, name: str, folder: Path) -> None:
        """Write ``adapter_config.json`` and the weights (safetensors), as `adapters` itself reads them.

        Of a fine-tuned copy, ``difference.safetensors``: what is to be added to the encoder's weights, by their names.
        """
        self._parameters(name)
        folder.mkdir(parents=True, exist_ok=True)
        if name in self._tuned:
            save_file(self._tuned[name].rounded(self._own), folder / _DIFFERENCE)
            return
        self._model.save_adapter(str(folder), name, with_head=False, use_safetensors=True)

    def load(self, name: str, folder: Path) -> None:
        """Add an adapter saved by ``save`` under a new name. Raises ``ValueError`` if it does not fit exactly."""
        self._refuse_loaded(name)
        if (folder / _DIFFERENCE).is_file():
            self._tuned[name] = self._read_tuned(folder / _DIFFERENCE)
            return
        if not (folder / SAFE_WEIGHTS_NAME).is_file():
            raise ValueError(f"{folder}: no {SAFE_WEIGHTS_NAME}; the library would fall back on unpickling a .bin file")
        loading: dict[str, list[str]] = {}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                self._model.load_adapter(
                    str(folder), load_as=name, with_head=False, use_safetensors=True, loading_info=loading
                )
            except (RuntimeError, OSError) as error:
                self.remove(*{name} & set(self.names))
                first = " ".join(line.strip() for line in str(error).splitlines()[:2])
                raise ValueError(f"{folder}: unreadable, or made for another encoder ({first})") from error
        unfit = [*loading.get("missing_keys", []), *loading.get("unexpected_keys", [])]
        if unfit:
            self.remove(name)
            raise ValueError(f"{folder}: made for another encoder; {len(unfit)} parameters do not match: {unfit[:3]}")
        self._model.adapter_to(name, device=self.device)
        self._model.requires_grad_(False)

    def parameters_of(self, name: str) -> dict[str, Tensor]:
        """The weights of one adapter by parameter name, with the adapter's own name left out."""
        return {key.replace(f".{name}.", ".*."): value.detach() for key, value in self._parameters(name).items()}

    def assign(self, name: str, weights: Mapping[str, Tensor]) -> None:
        """Give one adapter these weights, by the names that ``parameters_of`` has. Raises ``ValueError``."""
        parameters = {key.replace(f".{name}.", ".*."): value for key, value in self._parameters(name).items()}
        if parameters.keys() != weights.keys():
            unlike = sorted(parameters.keys() ^ weights.keys())
            raise ValueError(f"weights of another adapter: {len(unlike)} names do not match: {unlike[:3]}")
        refuse_unfit(parameters, weights)
        for key, parameter in parameters.items():
            parameter.detach().copy_(weights[key])
        if name in self._tuned:
            self._tuned[name].settle(self._own)
        self.backbone.forget(name)

    def _add(self, name: str, config: Any) -> None:
        self._refuse_loaded(name)
        self._model.add_adapter(name, config=config)
        self._model.adapter_to(name, device=self.device)
        self._model.requires_grad_(False)

    def _left_out(self, leave_out: int) -> list[int]:
        if leave_out >= self.layers:
            raise ValueError(f"leave_out {leave_out} leaves no layer: the encoder has {self.layers}")
        return list(range(leave_out))

    def _tunable(self, leave_out: int) -> dict[str, nn.Parameter]:
        """The weights of all but the lowest layers, and of what stands above them, by name."""
        layer_of, closes = self._architecture.layer_of, self._architecture.closes
        return {
            name: weight
            for name, weight in self._own.items()
            if closes(name) or ((layer := layer_of(name)) is not None and layer >= leave_out)
        }

    def _read_tuned(self, path: Path) -> Tuned:
        try:
            difference = {name: weight.to(self.device) for name, weight in load_file(path).items()}
            layers = [layer for name in difference if (layer := self._architecture.layer_of(name)) is not None]
            refuse_unfit(self._own, difference)
            if difference.keys() != self._tunable(min(layers)).keys():
                raise ValueError("weights of another encoder: not those of its layers")
        except (SafetensorError, ValueError) as error:
            raise ValueError(f"{path}: unreadable, or made for another encoder ({error})") from error
        return Tuned(min(layers), self._own, difference)

    def _parameters(self, name: str) -> dict[str, nn.Parameter]:
        self._refuse_absent(name)
        if name in self._tuned:
            return dict(self._tuned[name].weights)
        places = tuple(place.format(name) for place in _PLACES)
        return {key: value for key, value in self._base.named_parameters() if any(place in key for place in places)}

    def _refuse_loaded(self, name: str) -> None:
        if name in self.names:
            raise ValueError(f"an adapter {name!r} is loaded already; the library would overwrite it without a word")

    def _refuse_absent(self, *names: str | None) -> None:
        for name in names:
            if name is not None and name not in self.names:
                raise KeyError(f"no adapter {name!r}; loaded: {', '.join(self.names) or 'none'}")


def _make_room(model: Any) -> None:
    """Let a model take adapters, and nothing else: the library gives products without a bias one, drawn at random."""
    before = {name for name, _ in model.named_parameters()}
    adapters.init(model)
    for name in [name for name, _ in model.named_parameters() if name not in before]:
        module, _, parameter = name.rpartition(".")
        setattr(model.get_submodule(module), parameter, None)
