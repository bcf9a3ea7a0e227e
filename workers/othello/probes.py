"""Probes: what the states of a model tell about the board, in the language they were fitted on and in others.

A probe says of every square whether it is empty, black or white (``absolute``), or empty, of the side to move, or of
the other (``mine``; Nanda et al. 2023). It is linear, or has one layer of ReLUs between (``two_layer``, as Li et al.
2023). All layers of a model are fitted at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from workers.othello.board import NONE, Moves, history, spread
from workers.othello.model import Transformer
from workers.othello.vocabulary import MoveVocabulary

ProbeType = Literal["linear", "two_layer"]
Colours = Literal["absolute", "mine"]
Pooling = Literal["last", "first", "mean"]
PROBES: tuple[ProbeType, ...] = get_args(ProbeType)
COLOURS: tuple[Colours, ...] = get_args(Colours)
POOLINGS: tuple[Pooling, ...] = get_args(Pooling)

CLASSES = 3
_RIDGE, _RATE = 1e-3, 5e-3
_AT_ONCE = 512


def board_states(games: Moves, size: int) -> dict[Colours, Tensor]:
    """What stands on every square behind every move [positions, n * n]: 0 empty, 1 black or mine, 2 white or theirs."""
    game, move = np.nonzero(games != NONE)
    seen = history(games, size)[1:]
    pairs = {
        "absolute": ([at.black for at in seen], [at.white for at in seen]),
        "mine": ([at.own for at in seen], [at.other for at in seen]),
    }
    return {
        colours: torch.from_numpy(
            spread(np.stack(pairs[colours][0], axis=1)[game, move], size).astype(np.int64)
            + 2 * spread(np.stack(pairs[colours][1], axis=1)[game, move], size)
        )
        for colours in COLOURS
    }


@torch.no_grad()
def move_states(
    model: Transformer, vocabulary: MoveVocabulary, games: Moves, language: int, poolings: Sequence[Pooling]
) -> dict[Pooling, Tensor]:
    """The stream at every move [layers + 1, positions, width]: of its last or first token, or the mean of all."""
    device = next(model.parameters()).device
    model.eval()
    parts: dict[Pooling, list[Tensor]] = {pooling: [] for pooling in poolings}
    for at in range(0, len(games), _AT_ONCE):
        block = games[at : at + _AT_ONCE]
        written = vocabulary.write(block, language)
        states = torch.stack(model.states(torch.from_numpy(written.ids).to(device)))
        row, move = np.nonzero(block != NONE)
        first, last = written.starts[row, move], written.ends[row, move]
        for pooling in poolings:
            parts[pooling].append(_pooled(states, row, first, last, pooling).cpu())
    return {pooling: torch.cat(found, dim=1) for pooling, found in parts.items()}


class Probe:
    """A probe of every layer, fitted on states [layers, positions, width] and boards [positions, n * n]."""

    def __init__(self, states: Tensor, weights: Sequence[Tensor], biases: Sequence[Tensor]) -> None:
        self._mean, self._deviation = _moments(states)
        self._weights, self._biases = weights, biases

    @staticmethod
    def linear(states: Tensor, boards: Tensor) -> Probe:
        """The probe of least squares on one-hot boards, lightly regularised: exact, nothing is drawn."""
        mean, deviation = _moments(states)
        standard = (states - mean) / deviation
        truth = nn.functional.one_hot(boards, CLASSES).mT.flatten(1).to(states.dtype)
        means = truth.mean(dim=0)
        gram = standard.mT @ standard + _RIDGE * states.shape[1] * torch.eye(states.shape[2])
        weights = torch.linalg.solve(gram, standard.mT @ (truth - means))
        return Probe(states, [weights], [means.expand(len(states), 1, -1)])

    @staticmethod
    def two_layer(states: Tensor, boards: Tensor, *, hidden: int, steps: int, batch: int, seed: int) -> Probe:
        """A layer of ``hidden`` ReLUs between; fitted by cross-entropy. Equal seeds fit equal probes."""
        generator = torch.Generator().manual_seed(seed)
        layers, positions, width = states.shape
        widths = [width, hidden, boards.shape[1] * CLASSES]
        weights = [
            nn.Parameter(torch.randn(layers, before, after, generator=generator) * before**-0.5)
            for before, after in pairwise(widths)
        ]
        biases = [nn.Parameter(torch.zeros(layers, 1, after)) for after in widths[1:]]
        optimiser = torch.optim.AdamW([*weights, *biases], lr=_RATE, weight_decay=1e-3, fused=True)
        mean, deviation = _moments(states)
        standard = (states - mean) / deviation
        for step in range(steps):
            optimiser.param_groups[0]["lr"] = _RATE * (1 - step / steps)
            drawn = torch.randint(positions, (batch,), generator=generator)
            logits = _logits(standard[:, drawn], weights, biases)
            # A mean over squares and positions, and a sum over layers, which have nothing to do with one another.
            truth = boards[drawn].expand(layers, -1, -1)
            loss = layers * nn.functional.cross_entropy(logits.flatten(0, 1), truth.flatten(0, 1))
            loss.backward()
            optimiser.step()
            optimiser.zero_grad()
        return Probe(states, [weight.detach() for weight in weights], [bias.detach() for bias in biases])

    def read(self, states: Tensor) -> Tensor:
        """The likeliest state of every square [layers, positions, n * n]."""
        standard = (states - self._mean) / self._deviation
        return _logits(standard, self._weights, self._biases).argmax(dim=2)

    def accuracy(self, states: Tensor, boards: Tensor) -> NDArray[np.float64]:
        """The share of squares read rightly [layers]."""
        right: NDArray[np.float64] = (self.read(states) == boards).double().mean(dim=(1, 2)).numpy()
        return right


def _moments(states: Tensor) -> tuple[Tensor, Tensor]:
    return states.mean(dim=1, keepdim=True), states.std(dim=1, keepdim=True) + 1e-6


def _logits(standard: Tensor, weights: Sequence[Tensor], biases: Sequence[Tensor]) -> Tensor:
    """[layers, positions, classes, n * n]"""
    for number, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        standard = torch.baddbmm(bias, standard.relu() if number else standard, weight)
    logits: Tensor = standard.unflatten(-1, (CLASSES, -1))
    return logits


def majority(fitted: Tensor, tested: Tensor) -> float:
    """Accuracy of the commonest state of every square in ``fitted`` [positions, n * n] on ``tested``."""
    return float((fitted.mode(dim=0).values == tested).double().mean())


def majority_by_move(fitted: Tensor, tested: Tensor, fitted_moves: Tensor, tested_moves: Tensor) -> float:
    """The same, of the commonest state of every square behind so many moves: what the clock alone tells."""
    guesses = {int(move): fitted[fitted_moves == move].mode(dim=0).values for move in fitted_moves.unique()}
    common = fitted.mode(dim=0).values
    guess = torch.stack([guesses.get(int(move), common) for move in tested_moves])
    return float((guess == tested).double().mean())


def _pooled(
    states: Tensor, row: NDArray[np.int64], first: NDArray[np.int64], last: NDArray[np.int64], pooling: Pooling
) -> Tensor:
    if pooling != "mean":
        return states[:, row, last if pooling == "last" else first]
    summed = nn.functional.pad(states.cumsum(dim=2), (0, 0, 1, 0))
    count = torch.from_numpy(last - first + 1).to(states.device)
    return (summed[:, row, last + 1] - summed[:, row, first]) / count[:, None]
