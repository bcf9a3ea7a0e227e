"""Training a laboratory model: one loop for pretraining and fine-tuning, resumed from checkpoints bit by bit.

Step n draws its games and languages from a generator seeded with (seed, n), and the model has no dropout. So weights,
the optimisers' tensors and the number of steps done are all that a run is between two steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from matrices.whole_file import whole_file
from workers.othello.board import Moves
from workers.othello.games import COMMON, owners_of
from workers.othello.model import Transformer
from workers.othello.vocabulary import IGNORED, MoveVocabulary, Output

FLOOR = 0.05
"""What the rate falls to by the end of pretraining, as a share of its peak."""

Batch = tuple[Tensor, Tensor]
Batches = Callable[[int], Batch]
"""Ids and targets [games, tokens] of a step."""
Rate = Callable[[int], float]
Tick = Callable[[int, int], None]
"""Told (steps done, steps in all)."""


def mixed_batches(
    vocabulary: MoveVocabulary,
    games: Moves,
    weights: Sequence[float],
    common: float,
    output: Output,
    *,
    batch: int,
    seed: int,
) -> Batches:
    """Games drawn anew at every step, each in its owner's language.

    One of the ``common`` share that all languages have is said in a language drawn anew, by ``weights``, every time.
    """
    shares = np.array(weights) / np.sum(weights)

    def draw(step: int) -> Batch:
        rng = np.random.default_rng((seed, step))
        drawn = games[rng.integers(len(games), size=batch)]
        owners, anyone = owners_of(drawn, weights, common), rng.choice(len(shares), size=batch, p=shares)
        return _batch(vocabulary, drawn, np.where(owners == COMMON, anyone, owners), output)

    return draw


def spoken_batches(
    vocabulary: MoveVocabulary, games: Moves, language: int, output: Output, *, batch: int, seed: int
) -> Batches:
    """Games drawn anew at every step, all said in one language."""

    def draw(step: int) -> Batch:
        at = np.random.default_rng((seed, step)).integers(len(games), size=batch)
        return _batch(vocabulary, games[at], np.full(batch, language), output)

    return draw


def optimisers_of(model: Transformer, rate: float, *, muon: bool) -> tuple[torch.optim.Optimizer, ...]:
    """AdamW for all weights; or Muon (Jordan et al. 2024) for the matrices inside the blocks and AdamW for the rest."""
    matrices = [weight for weight in model.blocks.parameters() if weight.ndim == 2] if muon else []
    inner = {id(weight) for weight in matrices}
    rest = [weight for weight in model.parameters() if id(weight) not in inner]
    adamw = torch.optim.AdamW(rest, lr=rate, betas=(0.9, 0.98), weight_decay=0.01, fused=True)
    if not matrices:
        return (adamw,)
    return torch.optim.Muon(matrices, lr=rate, weight_decay=0.01, adjust_lr_fn="match_rms_adamw"), adamw


def falling_rate(peak: float, warm_up: int, steps: int) -> Rate:
    """Linear warm-up, then a linear fall to ``FLOOR`` of the peak."""
    return lambda step: peak * min((step + 1) / warm_up, max(FLOOR, 1 - step / steps), 1.0)


def train(
    model: Transformer,
    optimisers: Sequence[torch.optim.Optimizer],
    batches: Batches,
    rate: Rate,
    steps: range,
    *,
    bf16: bool = False,
    after: Callable[[int], None] | None = None,
) -> None:
    """Take the steps; ``after`` is told how many are done, each time."""
    device = next(model.parameters()).device
    model.train()
    for step in steps:
        for optimiser in optimisers:
            for group in optimiser.param_groups:
                group["lr"] = rate(step)
        ids, targets = (part.to(device, non_blocking=True) for part in batches(step))
        with products_in(device, bf16=bf16):
            logits = model(ids)
        loss = nn.functional.cross_entropy(logits.flatten(0, 1).float(), targets.flatten(), ignore_index=IGNORED)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimiser in optimisers:
            optimiser.step()
            optimiser.zero_grad()
        if after is not None:
            after(step + 1)


def products_in(device: torch.device, *, bf16: bool) -> AbstractContextManager[object]:
    """Matrix products in bf16 inside the block, where asked for."""
    return torch.autocast(device.type, torch.bfloat16) if bf16 else nullcontext()


def save_checkpoint(path: Path, model: nn.Module, optimisers: Sequence[torch.optim.Optimizer], steps: int) -> None:
    """Write weights, the optimisers' tensors and the steps done as one safetensors file, replaced whole."""
    tensors = {f"model.{name}": value for name, value in model.state_dict().items()}
    for number, optimiser in enumerate(optimisers):
        for index, state in optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser.{number}.{index}.{name}": value for name, value in state.items()}
    with whole_file(path) as draft:
        save_file({name: value.contiguous() for name, value in tensors.items()} | {"steps": torch.tensor(steps)}, draft)


def restore_checkpoint(path: Path, model: nn.Module, optimisers: Sequence[torch.optim.Optimizer]) -> int:
    """Take up the checkpoint at ``path``: the steps done, 0 where there is none."""
    if not path.is_file():
        return 0
    tensors = load_file(path)
    model.load_state_dict({name.removeprefix("model."): t for name, t in tensors.items() if name.startswith("model.")})
    for number, optimiser in enumerate(optimisers):
        states: dict[int, dict[str, Tensor]] = {}
        for index, name, value in _states(tensors, f"optimiser.{number}."):
            states.setdefault(index, {})[name] = value
        optimiser.load_state_dict({"state": states, "param_groups": optimiser.state_dict()["param_groups"]})
    return int(tensors["steps"])


def _states(tensors: dict[str, Tensor], prefix: str) -> Iterator[tuple[int, str, Tensor]]:
    for name, value in tensors.items():
        if name.startswith(prefix):
            index, _, key = name.removeprefix(prefix).partition(".")
            yield int(index), key, value


def _batch(vocabulary: MoveVocabulary, games: Moves, languages: NDArray[np.int64], output: Output) -> Batch:
    written = vocabulary.write(games, languages)
    targets = vocabulary.targets(written, games, output)
    return torch.from_numpy(written.ids), torch.from_numpy(targets)
