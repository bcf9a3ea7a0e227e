"""Adapters as `adapters` writes and reads them, with what it gets wrong in silence guarded.

Heads are ours, so adapters are saved and loaded without one; loaded weights must name exactly the parameters that were
asked for; nothing is ever unpickled.
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

from adapters.utils import ADAPTERFUSION_CONFIG_NAME, SAFE_ADAPTERFUSION_WEIGHTS_NAME, SAFE_WEIGHTS_NAME
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

_DIFFERENCE = "difference.safetensors"
"""What a fine-tuned copy is kept as."""


def save_bottleneck(model: Any, name: str, folder: Path) -> None:
    """Write an adapter, or LoRA: ``adapter_config.json`` and safetensors."""
    folder.mkdir(parents=True, exist_ok=True)
    model.save_adapter(str(folder), name, with_head=False, use_safetensors=True)


def save_fusion(model: Any, name: str, folder: Path) -> None:
    """Write a fusion without its members: ``adapter_fusion_config.json``, which names them, and safetensors."""
    folder.mkdir(parents=True, exist_ok=True)
    model.save_adapter_fusion(str(folder), name, use_safetensors=True)


def save_difference(difference: dict[str, Tensor], folder: Path) -> None:
    """Write a fine-tuned copy: what is to be added to the encoder's weights, by their names."""
    folder.mkdir(parents=True, exist_ok=True)
    save_file(difference, folder / _DIFFERENCE)


def holds_fusion(folder: Path) -> bool:
    """Whether a folder has a fusion."""
    return Path(folder, ADAPTERFUSION_CONFIG_NAME).is_file()


def holds_difference(folder: Path) -> bool:
    """Whether a folder has a fine-tuned copy."""
    return (folder / _DIFFERENCE).is_file()


def load_bottleneck(model: Any, name: str, folder: Path) -> None:
    """Add what ``save_bottleneck`` wrote to ``model``. Raises ``ValueError`` if it does not fit exactly."""
    if not (folder / SAFE_WEIGHTS_NAME).is_file():
        raise ValueError(f"{folder}: no {SAFE_WEIGHTS_NAME}; the library would fall back on unpickling a .bin file")
    loading: dict[str, list[str]] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            model.load_adapter(str(folder), load_as=name, with_head=False, use_safetensors=True, loading_info=loading)
        except (RuntimeError, OSError) as error:
            model.delete_adapter(name)
            first = " ".join(line.strip() for line in str(error).splitlines()[:2])
            raise ValueError(f"{folder}: unreadable, or made for another encoder ({first})") from error
    unfit = [*loading.get("missing_keys", []), *loading.get("unexpected_keys", [])]
    if unfit:
        model.delete_adapter(name)
        raise ValueError(f"{folder}: made for another encoder; {len(unfit)} parameters do not match: {unfit[:3]}")


def read_fusion(folder: Path, base: str) -> tuple[tuple[str, ...], dict[str, Tensor]]:
    """What ``save_fusion`` wrote: the names of the members, and weights by their names in a base model.

    ``base`` is what stands before those in the whole model. The name of the fusion is left out, as in
    ``Encoder.parameters_of``: the library finds no weight of a fusion that it is to load under another name. Raises
    ``ValueError``.
    """
    try:
        stated = json.loads((folder / ADAPTERFUSION_CONFIG_NAME).read_text(encoding="utf-8"))
        own, members = f".{stated['name']}.", tuple(stated["adapter_names"])
        weights = load_file(folder / SAFE_ADAPTERFUSION_WEIGHTS_NAME)
    except (OSError, SafetensorError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{folder}: an unreadable fusion ({type(error).__name__}: {error})") from error
    return members, {key.removeprefix(base).replace(own, ".*."): value for key, value in weights.items()}


def read_difference(folder: Path) -> dict[str, Tensor]:
    """What ``save_difference`` wrote. Raises ``ValueError``."""
    try:
        return load_file(folder / _DIFFERENCE)
    except SafetensorError as error:
        raise ValueError(f"{folder / _DIFFERENCE}: unreadable ({error})") from error
