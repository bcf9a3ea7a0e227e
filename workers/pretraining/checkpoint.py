"""A pretraining run on disk between two steps: one safetensors file, replaced whole."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from matrices.whole_file import whole_file

FILE = "checkpoint.safetensors"

Optimisers = Sequence[torch.optim.Optimizer]


def save_checkpoint(folder: Path, model: Any, optimisers: Optimisers, steps: int, recent: Sequence[float]) -> None:
    """Write the weights that learn, the optimisers' tensors, the steps done and the last losses."""
    # Of tied weights only the first name is among them, as safetensors wants it.
    tensors = {f"model.{name}": weight.detach() for name, weight in model.named_parameters() if weight.requires_grad}
    for number, optimiser in enumerate(optimisers):
        for index, state in optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser.{number}.{index}.{name}": value for name, value in state.items()}
    tensors |= {"steps": torch.tensor(steps), "recent": torch.tensor(recent, dtype=torch.float64)}
    with whole_file(folder / FILE) as draft:
        save_file({name: value.contiguous().clone() for name, value in tensors.items()}, draft)


def restore_checkpoint(folder: Path, model: Any, optimisers: Optimisers) -> tuple[int, list[float]]:
    """Take up the checkpoint in ``folder``: steps done and the last losses; (0, []) where there is none."""
    if not (folder / FILE).is_file():
        return 0, []
    tensors = load_file(folder / FILE)
    weights = {name.removeprefix("model."): value for name, value in tensors.items() if name.startswith("model.")}
    model.load_state_dict(weights, strict=False)
    model.tie_weights()
    for number, optimiser in enumerate(optimisers):
        states: dict[int, dict[str, Tensor]] = {}
        for name, value in tensors.items():
            if name.startswith(f"optimiser.{number}."):
                _, _, index, key = name.split(".")
                states.setdefault(int(index), {})[key] = value
        optimiser.load_state_dict({"state": states, "param_groups": optimiser.state_dict()["param_groups"]})
    return int(tensors["steps"]), tensors["recent"].tolist()
