"""The one module that touches `transformers` and `adapters`: an encoder with room for adapters.

What the libraries get wrong in silence is guarded here: heads are ours, so adapters are saved and loaded without one;
what is active is asserted; loaded weights must name exactly the parameters that were asked for; compositions other
than a plain stack whose last place may hold several task adapters in parallel are refused, because nesting stacks
inside ``Parallel`` applies residual and LayerNorm twice.
"""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

# Only local folders that passed the checks of `sources` are opened; nothing here may reach for a network.
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import adapters
import torch
import transformers
from adapters.composition import Parallel, Stack
from adapters.utils import SAFE_WEIGHTS_NAME
from tokenizers import Tokenizer
from torch import Tensor, nn

from adapters_zoo.sources import EncoderFiles

transformers.utils.logging.set_verbosity_error()
logging.getLogger("adapters").setLevel(logging.ERROR)

_CLASSES = {
    "xlm-roberta": (transformers.XLMRobertaConfig, transformers.XLMRobertaForMaskedLM),
    "roberta": (transformers.RobertaConfig, transformers.RobertaForMaskedLM),
    "bert": (transformers.BertConfig, transformers.BertForMaskedLM),
}

_BELONGS = "adapters.{}."
"""What stands in the name of every parameter of an adapter; the bare name may stand in the encoder's own too."""

Precision = Literal["fp32", "bf16"]
VERSIONS = {"adapters": adapters.__version__, "transformers": transformers.__version__, "torch": torch.__version__}


class Encoder:
    """A frozen multilingual encoder in one process, with the adapters that were added to it.

    Adapters are named by the caller. Nothing is active until ``activate``; only what ``train`` names gets gradients.
    """

    def __init__(self, files: EncoderFiles, *, precision: Precision = "fp32", device: str = "cpu") -> None:
        config_class, model_class = _class_of(files.folder)
        config = config_class.from_pretrained(files.folder, local_files_only=True)
        self._model: Any = model_class.from_pretrained(
            files.folder, config=config, local_files_only=True, use_safetensors=True, dtype=torch.float32
        )
        adapters.init(self._model)
        self._base: Any = self._model.base_model
        self._model.requires_grad_(False)
        self._model.eval().to(device)
        self.files = files
        self.tokenizer = Tokenizer.from_file(str(files.folder / "tokenizer.json"))
        self.special = SpecialTokens.of(self.tokenizer)
        self.hidden_size: int = config.hidden_size
        # RoBERTa's positions start behind the padding index, so two of them are not usable.
        self.max_length: int = config.max_position_embeddings - (0 if config.model_type == "bert" else 2)
        self.vocabulary: int = config.vocab_size
        self.precision, self.device = precision, torch.device(device)

    @property
    def names(self) -> tuple[str, ...]:
        """The adapters that are loaded."""
        return tuple(self._model.adapters_config.adapters)

    def add_language_adapter(self, name: str, *, reduction: float) -> None:
        """Add an untrained invertible bottleneck adapter (`seq_bn_inv`); initialised from torch's global generator."""
        config = adapters.SeqBnInvConfig(reduction_factor=reduction, inv_adapter_reduction_factor=reduction)
        self._add(name, config)

    def add_task_adapter(self, name: str, *, reduction: float) -> None:
        """Add an untrained bottleneck adapter (`seq_bn`); initialised from torch's global generator."""
        self._add(name, adapters.SeqBnConfig(reduction_factor=reduction))

    def _add(self, name: str, config: Any) -> None:
        self._model.add_adapter(name, config=config)
        self._model.adapter_to(name, device=self.device)
        self._freeze()

    def remove(self, *names: str) -> None:
        """Forget adapters and free their memory. Raises ``KeyError`` on one that is not loaded."""
        for name in names:
            self._parameters(name)
        self._model.set_active_adapters(None)
        for name in names:
            self._model.delete_adapter(name)

    def activate(self, language: str | None, tasks: Sequence[str] = ()) -> None:
        """Make a composition active: the language adapter (if any) under the task adapters, side by side.

        With k > 1 task adapters ``hidden`` repeats its batch k times, in the order of ``tasks``; exactly what k runs
        with one each would give. With neither, the bare encoder is active. Raises ``ValueError`` on an
        adapter that is not loaded.
        """
        top: list[Any] = [Parallel(*tasks)] if len(tasks) > 1 else list(tasks)
        parts = top if language is None else [language, *top]
        if not parts:
            self._model.set_active_adapters(None)
            return
        self._model.set_active_adapters(Stack(*parts))
        active = self._model.active_adapters.flatten()
        if active != {language, *tasks} - {None}:
            raise RuntimeError(f"asked for {language} under {list(tasks)}, but {sorted(active)} are active")

    @contextmanager
    def train(self, name: str) -> Iterator[list[nn.Parameter]]:
        """Give gradients to the parameters of one adapter, and to nothing else, inside the block."""
        parameters = list(self._parameters(name).values())
        for parameter in parameters:
            parameter.requires_grad_(True)
        self._model.train()
        try:
            yield parameters
        finally:
            self._model.eval()
            self._freeze()

    def hidden(self, ids: Tensor, mask: Tensor | None = None) -> Tensor:
        """Last hidden states under the active composition: [k * batch, length, hidden] for ids [batch, length]."""
        with self.autocast():
            states: Tensor = self._base(
                input_ids=ids.to(self.device), attention_mask=None if mask is None else mask.to(self.device)
            ).last_hidden_state
        return states

    def masked_language_logits(self, states: Tensor) -> Tensor:
        """Vocabulary logits [n, vocabulary] for hidden states [n, hidden] of masked positions.

        The inverse of the active invertible adapter stands before the tied output embeddings (MAD-X, section 3.2).
        """
        with self.autocast():
            if self._model.config.model_type == "bert":
                head = self._model.cls.predictions
                transformed = head.transform(states)
            else:
                head = self._model.lm_head
                transformed = head.layer_norm(nn.functional.gelu(head.dense(states)))
            restored = self._base.invertible_adapters_forward(transformed.unsqueeze(0), rev=True).squeeze(0)
            logits: Tensor = head.decoder(restored)
        return logits.float()

    def autocast(self) -> torch.autocast:
        """The arithmetic of this encoder: bf16 products where asked for, else plain fp32."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bf16")

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

    def _freeze(self) -> None:
        self._model.requires_grad_(False)


class SpecialTokens:
    """Ids of the tokens with a role. Names follow RoBERTa (`<s>`) or BERT (`[CLS]`)."""

    def __init__(self, begin: int, pad: int, end: int, unknown: int, mask: int) -> None:
        self.begin, self.pad, self.end, self.unknown, self.mask = begin, pad, end, unknown, mask

    @classmethod
    def of(cls, tokenizer: Tokenizer) -> SpecialTokens:
        """Look the roles up in a tokenizer. Raises ``ValueError`` where one is missing."""
        for names in (("<s>", "<pad>", "</s>", "<unk>", "<mask>"), ("[CLS]", "[PAD]", "[SEP]", "[UNK]", "[MASK]")):
            ids = [tokenizer.token_to_id(name) for name in names]
            if None not in ids:
                return cls(*ids)
        raise ValueError("tokenizer.json has neither <s> <pad> </s> <unk> <mask> nor [CLS] [PAD] [SEP] [UNK] [MASK]")

    @property
    def all(self) -> tuple[int, int, int, int, int]:
        """The five ids."""
        return (self.begin, self.pad, self.end, self.unknown, self.mask)


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


def best_precision() -> Precision:
    """bf16 where this machine multiplies it natively, else fp32."""
    if torch.cuda.is_available():
        return "bf16" if torch.cuda.is_bf16_supported() else "fp32"
    return "bf16" if torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported() else "fp32"


def _class_of(folder: Path) -> tuple[Any, Any]:
    import json

    return _CLASSES[json.loads((folder / "config.json").read_text(encoding="utf-8"))["model_type"]]
