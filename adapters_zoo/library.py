"""The one module that touches `transformers` and `adapters`: an encoder with room for adapters.

The libraries open encoders, make adapters, and read and write their files; the arithmetic is `engine`'s. What they get
wrong in silence is guarded here: heads are ours, so adapters are saved and loaded without one; loaded weights must name
exactly the parameters that were asked for.
"""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# Only local folders that passed the checks of `sources` are opened; nothing here may reach for a network.
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import adapters
import torch
import transformers
from adapters.utils import SAFE_WEIGHTS_NAME
from safetensors import SafetensorError
from torch import Tensor, nn

from adapters_zoo.architectures import ARCHITECTURES
from adapters_zoo.engine import Bottleneck, EncoderWeights, Engine, Seam
from adapters_zoo.layout import bottleneck, encoder_weights
from adapters_zoo.learning import Learning
from adapters_zoo.packing import Layout
from adapters_zoo.precision import Precision
from adapters_zoo.sources import EncoderError, EncoderFiles
from adapters_zoo.tokens import Vocabulary

transformers.utils.logging.set_verbosity_error()
logging.getLogger("adapters").setLevel(logging.ERROR)

_CLASSES: dict[str, tuple[Any, Any]] = {
    "xlm-roberta": (transformers.XLMRobertaConfig, transformers.XLMRobertaForMaskedLM),
    "roberta": (transformers.RobertaConfig, transformers.RobertaForMaskedLM),
    "bert": (transformers.BertConfig, transformers.BertForMaskedLM),
}

_BELONGS = "adapters.{}."
"""What stands in the name of every parameter of an adapter; the bare name may stand in the encoder's own too."""

VERSIONS = {"adapters": adapters.__version__, "transformers": transformers.__version__, "torch": torch.__version__}


class Encoder:
    """A multilingual encoder in one process, with the adapters that were added to it; frozen but for ``train_whole``.

    Adapters are named by the caller. A pass names the language adapter and the task adapter over it, each or both None;
    only what ``train`` names gets gradients. Everywhere, a name that is not loaded raises ``KeyError``.
    """

    versions = VERSIONS

    def __init__(self, files: EncoderFiles, *, precision: Precision = "fp32", device: str = "cpu") -> None:
        """Raises ``EncoderError`` where a weight that passes read is not in the files, or one there has no place."""
        vocabulary = Vocabulary.of(files.folder)
        self._model, self.has_language_head = _open(files)
        config = self._model.config
        if vocabulary.size > config.vocab_size:
            there = (
                f"the tokenizer gives ids up to {vocabulary.size - 1}, and there are embeddings for {config.vocab_size}"
            )
            raise EncoderError(f"{files.folder}: {there} tokens; tokenizer and weights are not of one encoder")
        adapters.init(self._model)
        self._base: Any = self._model.base_model
        self._model.requires_grad_(False)
        self._model.eval().to(device)
        self._product = torch.bfloat16 if precision == "bf16" else torch.float32
        self._own: dict[str, nn.Parameter] = dict(self._model.named_parameters())
        self._engine = Engine(self._weights(), self._product)
        self._loaded: dict[str, Bottleneck] = {}
        self.files = files
        self.vocabulary, self.tokenizer, self.special = vocabulary, vocabulary.tokenizer, vocabulary.special
        self.hidden_size: int = config.hidden_size
        self.layers: int = config.num_hidden_layers
        self.token_types: int = config.type_vocab_size
        # RoBERTa's positions start behind the padding index, so two of them are not usable.
        self.max_length: int = config.max_position_embeddings - (0 if config.model_type == "bert" else 2)
        self.precision, self.device = precision, torch.device(device)

    @property
    def names(self) -> tuple[str, ...]:
        """The adapters that are loaded."""
        return tuple(self._model.adapters_config.adapters)

    def add_language_adapter(self, name: str, *, reduction: float) -> None:
        """Add an untrained invertible bottleneck adapter (`seq_bn_inv`); initialised from torch's global generator."""
        config = adapters.SeqBnInvConfig(reduction_factor=reduction, inv_adapter_reduction_factor=reduction)
        self._add(name, config)

    def add_task_adapter(self, name: str, *, reduction: float, leave_out: int = 0) -> None:
        """Add an untrained bottleneck adapter (`seq_bn`) to all but the ``leave_out`` lowest layers.

        Initialised from torch's global generator. Raises ``ValueError`` where no layer is left.
        """
        if leave_out >= self.layers:
            raise ValueError(f"leave_out {leave_out} leaves no layer: the encoder has {self.layers}")
        self._add(name, adapters.SeqBnConfig(reduction_factor=reduction, leave_out=list(range(leave_out))))

    def _weights(self, instead: Mapping[str, Tensor] | None = None) -> EncoderWeights:
        return encoder_weights(self._model, instead, language_head=self.has_language_head)

    def _add(self, name: str, config: Any) -> None:
        self._model.add_adapter(name, config=config)
        self._model.adapter_to(name, device=self.device)
        self._freeze()

    def remove(self, *names: str) -> None:
        """Forget adapters and free their memory. Raises ``KeyError`` on one that is not loaded."""
        for name in names:
            self._parameters(name)
        for name in names:
            self._model.delete_adapter(name)
            self._loaded.pop(name, None)

    @contextmanager
    def train(self, name: str, *, dropout: bool = True) -> Iterator[list[nn.Parameter]]:
        """Give gradients to the parameters of one adapter, and to nothing else, inside the block.

        With ``dropout`` the encoder drops activations there as its configuration says.
        """
        parameters = list(self._parameters(name).values())
        for parameter in parameters:
            parameter.requires_grad_(True)
        self._engine.training = dropout
        try:
            yield parameters
        finally:
            self._engine.training = False
            self._freeze()

    @contextmanager
    def train_whole(self) -> Iterator[Learning]:
        """Give gradients to every weight of the encoder itself, and to no adapter, inside the block.

        Afterwards the encoder is what it was before, bit by bit: what it became is to be taken out of the block.
        """
        engine, learning = self._engine, Learning(self._own)
        self._engine = Engine(self._weights(), self._product, frozen=False)
        self._engine.training = True
        for parameter in self._own.values():
            parameter.requires_grad_(True)
        try:
            yield learning
        finally:
            self._engine = engine
            self._freeze()
            learning.undo()

    @contextmanager
    def shifted(self, weights: Mapping[str, Tensor]) -> Iterator[None]:
        """Inside the block passes read ``weights`` in place of the encoder's own of the same names.

        Raises ``ValueError`` unless each is one of the encoder's, by name and shape.
        """
        here = {name: weight.to(self.device) for name, weight in weights.items()}
        engine, self._engine = self._engine, Engine(self._weights(here), self._product)
        try:
            yield
        finally:
            self._engine = engine

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
        """A pass up to the lowest place of ``task``: good for any task adapter that stands in the same layers.

        ``types`` are token types (segment ids) [batch, length]; None: all are 0.
        """
        layer = 0 if task is None else self.lowest_layer(task)
        types = None if types is None else types.to(self.device)
        return self._engine.seam(ids.to(self.device), mask, self._optional(language), layer, types)

    def layout(self, mask: Tensor) -> Layout:
        """How a pass lays out sequences whose padding is 0 in ``mask`` [batch, length]."""
        return self._engine.layout(mask.shape, mask)

    def lowest_layer(self, task: str) -> int:
        """The layer a task adapter's seam lies in."""
        return self._bottleneck(task).lowest

    def above(self, seam: Seam, *, language: str | None = None, task: str | None = None) -> Tensor:
        """The rest of a pass from its seam on: last hidden states, fp32 [batch, length, hidden]."""
        return self._engine.above(seam, self._optional(language), self._optional(task))

    def hidden_at(self, ids: Tensor, chosen: Tensor, *, language: str | None = None) -> Tensor:
        """Last hidden states, fp32 [n, hidden], of the positions ``chosen`` (bool [batch, length]) of unpadded ids."""
        return self._engine.chosen(ids.to(self.device), self._optional(language), chosen.to(self.device))

    def masked_language_logits(self, states: Tensor, *, language: str | None = None) -> Tensor:
        """Vocabulary logits [n, vocabulary] for hidden states [n, hidden] of masked positions."""
        return self._engine.logits(states, self._optional(language))

    @property
    def has_dropout(self) -> bool:
        """Whether the encoder itself drops activations while an adapter is trained."""
        return self._engine.has_dropout

    def save(self, name: str, folder: Path) -> None:
        """Write ``adapter_config.json`` and the weights (safetensors), as `adapters` itself reads them."""
        folder.mkdir(parents=True, exist_ok=True)
        self._model.save_adapter(str(folder), name, with_head=False, use_safetensors=True)

    def load(self, name: str, folder: Path) -> None:
        """Add an adapter saved by ``save`` under a new name. Raises ``ValueError`` if it does not fit exactly."""
        if name in self.names:
            raise ValueError(f"an adapter {name!r} is loaded already; the library would overwrite it without a word")
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
        self._freeze()

    def parameters_of(self, name: str) -> dict[str, Tensor]:
        """The weights of one adapter by parameter name, with the adapter's own name left out."""
        return {key.replace(f".{name}.", ".*."): value.detach() for key, value in self._parameters(name).items()}

    def _parameters(self, name: str) -> dict[str, nn.Parameter]:
        found = {key: value for key, value in self._base.named_parameters() if _BELONGS.format(name) in key}
        if not found:
            raise KeyError(f"no adapter {name!r}; loaded: {', '.join(self.names) or 'none'}")
        return found

    def _optional(self, name: str | None) -> Bottleneck | None:
        return None if name is None else self._bottleneck(name)

    def _bottleneck(self, name: str) -> Bottleneck:
        """The adapter as the engine reads it."""
        if name not in self._loaded:
            self._parameters(name)
            self._loaded[name] = bottleneck(self._base, name)
        return self._loaded[name]

    def _freeze(self) -> None:
        self._model.requires_grad_(False)


def new_masked_language_model(
    *, vocabulary: int, layers: int, hidden: int, heads: int, max_length: int
) -> transformers.XLMRobertaForMaskedLM:
    """An untrained XLM-R of the given shape, without dropout: small models on little text underfit, not overfit."""
    config = transformers.XLMRobertaConfig(
        vocab_size=vocabulary,
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=4 * hidden,
        max_position_embeddings=max_length + 2,
        type_vocab_size=1,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        pad_token_id=1,
        bos_token_id=0,
        eos_token_id=2,
    )
    return transformers.XLMRobertaForMaskedLM(config)


def masked_language_model(files: EncoderFiles) -> tuple[Any, Any]:
    """An encoder of `transformers` to go on training, and its head, a module from states to logits.

    A head that the files lack is drawn from torch's global generator. Raises ``EncoderError``.
    """
    model, _ = _open(files)
    return model, model.get_submodule(ARCHITECTURES[files.model_type].head.rstrip("."))


def _open(files: EncoderFiles) -> tuple[Any, bool]:
    """The masked language model of a folder, and whether the files have its language-modelling head.

    The library draws what a file lacks at random and drops what it has too much, both without a word; here either is
    an error, but for the head as a whole and for weights that no pass reads.
    """
    architecture, folder = ARCHITECTURES[files.model_type], files.folder
    config_class, model_class = _CLASSES[files.model_type]
    config = config_class.from_pretrained(folder, local_files_only=True)
    try:
        model, loading = model_class.from_pretrained(
            folder,
            config=config,
            local_files_only=True,
            use_safetensors=True,
            dtype=torch.float32,
            output_loading_info=True,
        )
    except (SafetensorError, RuntimeError, OSError) as error:
        first = " ".join(line.strip() for line in str(error).splitlines()[:2])
        raise EncoderError(f"{folder}: its weights cannot be read, or are not of its config.json ({first})") from error
    missing = {name for name in loading["missing_keys"] if not architecture.is_head(name)}
    left_over = {name for name in loading["unexpected_keys"] if not architecture.is_unread(name)}
    if missing or left_over:
        raise EncoderError(f"{folder}: {_mismatch(missing, left_over)}")
    headless = any(architecture.is_head(name) for name in loading["missing_keys"])
    return model, not headless


def _mismatch(missing: set[str], left_over: set[str]) -> str:
    parts = []
    for names, what in ((missing, "weights that a pass reads are not in the files"), (left_over, "have no place")):
        if names:
            listed = ", ".join(sorted(names)[:6])
            parts.append(f"{len(names)} {what}: {listed}{' and others' if len(names) > 6 else ''}")
    return (
        f"{'; '.join(parts)}. Names and shapes must be those that transformers gives this architecture; rename the "
        "weights (a prefix such as `module.` comes from the trainer that saved them), or save the encoder anew"
    )
