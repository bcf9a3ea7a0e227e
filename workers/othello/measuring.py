"""What is measured of a model: what its states tell about the board, and which moves it makes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from itertools import product

import numpy as np
import torch
from torch import Tensor

from matrices.arrays import Floats
from workers.othello.board import NONE, Moves
from workers.othello.job import Run
from workers.othello.model import Transformer
from workers.othello.numbers import OthelloNumber
from workers.othello.probes import (
    COLOURS,
    POOLINGS,
    PROBES,
    Colours,
    Pooling,
    Probe,
    ProbeType,
    board_states,
    majority,
    majority_by_move,
    move_states,
)
from workers.othello.transfer import VERDICTS, verdicts
from workers.othello.vocabulary import MoveVocabulary


class Rotation:
    """Orthogonal Procrustes (Schönemann 1966): a rotation and shift a layer that bring ``moved`` onto ``fixed``."""

    def __init__(self, moved: Tensor, fixed: Tensor) -> None:
        self._from, self._to = moved.mean(dim=1, keepdim=True), fixed.mean(dim=1, keepdim=True)
        left, _, right = torch.linalg.svd((moved - self._from).mT @ (fixed - self._to))
        self._turn = left @ right

    def __call__(self, moved: Tensor) -> Tensor:
        """States where the fixed language would have them."""
        turned: Tensor = (moved - self._from) @ self._turn + self._to
        return turned


def linear_cka(first: Tensor, second: Tensor) -> Floats:
    """Linear centred kernel alignment of each layer (Kornblith et al. 2019): 1 where a rotation is all that differs."""
    one, other = first - first.mean(dim=1, keepdim=True), second - second.mean(dim=1, keepdim=True)
    cross = (one.mT @ other).square().sum(dim=(1, 2))
    own = [(states.mT @ states).square().sum(dim=(1, 2)).sqrt() for states in (one, other)]
    return (cross / (own[0] * own[1])).double().numpy()


def cosine(first: Tensor, second: Tensor) -> tuple[Floats, Floats]:
    """Mean cosine of each layer at the same positions, and at positions that are not the same (shifted by half)."""
    shifted = second.roll(second.shape[1] // 2, dims=1)
    same, others = (
        torch.cosine_similarity(first, states, dim=-1).double().mean(dim=1).numpy() for states in (second, shifted)
    )
    return same, others


TEST_EVERY = 5
"""One of so many games tests the probes that the others fitted."""


def board_numbers(
    run: Run, vocabulary: MoveVocabulary, models: Mapping[str, Transformer], games: Moves
) -> Iterator[OthelloNumber]:
    """Probes of every layer, from every language to every other, and the similarity of languages' states."""
    game, move = np.nonzero(games != NONE)
    boards = board_states(games, run.board)
    test = torch.from_numpy(game % TEST_EVERY == 0)
    moves = torch.from_numpy(move)
    yield from _baselines(run, boards, test, moves)
    for name, model in models.items():
        states = [
            move_states(model, vocabulary, games, language, _poolings(vocabulary))
            for language in range(len(run.condition.types))
        ]
        for pooling in _poolings(vocabulary):
            of_languages = [found[pooling] for found in states]
            number = partial(OthelloNumber, condition=run.name, seed=run.seed, model=name, pooling=pooling)
            yield from _probed(run, of_languages, boards, test, number)
            if name == "pretrained":
                yield from _as_published(run, of_languages, boards, test, number)
            yield from _similar(run, of_languages, test, number)


def move_numbers(
    run: Run, vocabulary: MoveVocabulary, model: Transformer, games: Mapping[str, Moves], step: int
) -> Iterator[OthelloNumber]:
    """Shares of verdicts on the moves of a model in every language, after so many steps of fine-tuning."""
    for name, drawn in games.items():
        positions = int((drawn[:, 1:] != NONE).sum())
        for language, code in enumerate(run.condition.codes):
            found = verdicts(model, vocabulary, drawn, language, run.condition.output, bf16=run.precision == "bf16")
            for verdict in VERDICTS:
                yield OthelloNumber(
                    condition=run.name,
                    seed=run.seed,
                    measure=verdict,
                    value=float(found[verdict].sum() / positions),
                    n=positions,
                    source=run.finetuning.language,
                    target=code,
                    step=step,
                    games=name,
                )


def _poolings(vocabulary: MoveVocabulary) -> tuple[Pooling, ...]:
    """Where every move is one token, its first, its last and the mean of all are the same."""
    return POOLINGS if vocabulary.longest > 1 else ("last",)


def _baselines(run: Run, boards: Mapping[Colours, Tensor], test: Tensor, moves: Tensor) -> Iterator[OthelloNumber]:
    for colours, states in boards.items():
        fitted, tested = states[~test], states[test]
        guesses = {
            "majority": majority(fitted, tested),
            "majority_by_move": majority_by_move(fitted, tested, moves[~test], moves[test]),
        }
        for measure, value in guesses.items():
            yield OthelloNumber(
                condition=run.name,
                seed=run.seed,
                measure=measure,
                value=value,
                n=tested.numel(),
                target="*",
                colours=colours,
                split="game",
            )


def _probed(
    run: Run, states: list[Tensor], boards: Mapping[Colours, Tensor], test: Tensor, number: partial[OthelloNumber]
) -> Iterator[OthelloNumber]:
    """Every kind of probe, split by game; tested on other languages as they are, and rotated onto the probe's own."""
    for probe, colours in product(PROBES, COLOURS):
        of_kind = partial(number, measure="probe", probe=probe, colours=colours, split="game")
        yield from _between_languages(run, states, boards[colours], test, of_kind, rotated=True)


def _as_published(
    run: Run, states: list[Tensor], boards: Mapping[Colours, Tensor], test: Tensor, number: partial[OthelloNumber]
) -> Iterator[OthelloNumber]:
    """The two-layer probe of absolute colours, split over positions: others of the same games fitted it."""
    drawn = torch.randperm(len(test), generator=torch.Generator().manual_seed(run.seed))[: int(test.sum())]
    held = torch.zeros_like(test)
    held[drawn] = True
    of_kind = partial(number, measure="probe", probe="two_layer", colours="absolute", split="position")
    yield from _between_languages(run, states, boards["absolute"], held, of_kind, rotated=False)


def _between_languages(
    run: Run, states: list[Tensor], boards: Tensor, test: Tensor, number: partial[OthelloNumber], *, rotated: bool
) -> Iterator[OthelloNumber]:
    codes = run.condition.codes
    for source, code in enumerate(codes):
        fitted = _fit(run, states[source][:, ~test], boards[~test], number.keywords["probe"])
        for target, other in enumerate(codes):
            read = {False: states[target][:, test]}
            if target != source and rotated:
                read[True] = Rotation(states[target][:, ~test], states[source][:, ~test])(read[False])
            for aligned, seen in read.items():
                for layer, value in enumerate(fitted.accuracy(seen, boards[test])):
                    yield number(
                        value=float(value),
                        n=boards[test].numel(),
                        source=code,
                        target=other,
                        layer=layer,
                        aligned=aligned,
                    )


def _fit(run: Run, states: Tensor, boards: Tensor, probe: ProbeType) -> Probe:
    if probe == "linear":
        return Probe.linear(states, boards)
    settings = run.probing
    return Probe.two_layer(
        states, boards, hidden=settings.hidden, steps=settings.steps, batch=settings.batch, seed=run.seed
    )


def _similar(run: Run, states: list[Tensor], test: Tensor, number: partial[OthelloNumber]) -> Iterator[OthelloNumber]:
    codes = run.condition.codes
    for first in range(len(codes)):
        for second in range(first + 1, len(codes)):
            pair = states[first][:, test], states[second][:, test]
            same, others = cosine(*pair)
            for measure, values in (("cka", linear_cka(*pair)), ("cosine", same), ("cosine_of_others", others)):
                for layer, value in enumerate(values):
                    yield number(
                        measure=measure,
                        value=float(value),
                        n=int(test.sum()),
                        source=codes[first],
                        target=codes[second],
                        layer=layer,
                    )
