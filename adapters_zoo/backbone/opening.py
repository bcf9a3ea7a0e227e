"""Opening an encoder's files as a model of `transformers`, or none."""

from __future__ import annotations

import logging
import os
import warnings
from typing import Any

# Only local folders that passed the checks of `sources` are opened; nothing here may reach for a network.
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import adapters
import torch
import transformers
from safetensors import SafetensorError

from adapters_zoo.architectures import ARCHITECTURES
from adapters_zoo.sources import EncoderError, EncoderFiles

transformers.utils.logging.set_verbosity_error()
logging.getLogger("adapters").setLevel(logging.ERROR)

VERSIONS = {"adapters": adapters.__version__, "transformers": transformers.__version__, "torch": torch.__version__}


def open_model(files: EncoderFiles) -> tuple[Any, bool]:
    """The masked language model of a folder, and whether the files have its language-modelling head.

    The library draws what a file lacks at random and drops what it has too much, both without a word; here either is
    an ``EncoderError``, but for the head as a whole and for weights that no pass reads.
    """
    architecture, folder = ARCHITECTURES[files.model_type], files.folder
    config_class, model_class = _classes(files.model_type)
    config = config_class.from_pretrained(folder, local_files_only=True)
    if files.model_type == "deberta-v2":
        # Files of the first authors have the head under this name; their configuration does not say so. It reads the
        # embeddings themselves, and the library would tie its first product to them, which has another shape.
        config.legacy = not any(name.startswith("lm_predictions.") for name in files.weights)
        config.tie_word_embeddings = config.legacy
        if getattr(config, "conv_kernel_size", 0) > 0:
            # It reads what went into the lowest layer beside what came of it, so that a pass cannot be cut.
            raise EncoderError(
                f"{folder}/config.json: deberta-v2 with a convolution (conv_kernel_size) is not computed"
            )
    if files.model_type == "modernbert":
        config.reference_compile = False  # Compiling is a matter of seconds, and passes differ in length.
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


_HEADS = {"xlm-roberta": "lm_head", "roberta": "lm_head", "bert": "cls.predictions"}
"""Where a head is that is one module, from states to logits."""


def masked_language_model(files: EncoderFiles) -> tuple[Any, Any]:
    """An encoder of `transformers` to go on training, and its head, a module from states to logits.

    A head that the files lack is drawn from torch's global generator. Raises ``EncoderError``, of an architecture too
    whose head is no module of its own.
    """
    if files.model_type not in _HEADS:
        raise EncoderError(f"{files.folder}: of {files.model_type} encoders none can be pretrained; of {list(_HEADS)}")
    model, _ = open_model(files)
    return model, model.get_submodule(_HEADS[files.model_type])


def _classes(model_type: str) -> tuple[Any, Any]:
    """The classes of an architecture's configurations and masked language models."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # The library's own: of DeBERTa's use of torch.jit.
        begins = ARCHITECTURES[model_type].classes
        return getattr(transformers, f"{begins}Config"), getattr(transformers, f"{begins}ForMaskedLM")


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
