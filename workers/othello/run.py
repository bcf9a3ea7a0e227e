"""One run of the laboratory: a condition with a seed, from its games to its numbers.

A finished run is one Parquet file, named by the key of what decides its numbers. One that was broken off goes on from
its last checkpoint; what comes after pretraining takes less than that and is done again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from safetensors.torch import load_file, save_file

from matrices.export import write_table
from matrices.whole_file import whole_file
from workers.othello.board import Moves, playable, random_games
from workers.othello.games import draw_games, write_games
from workers.othello.job import Run
from workers.othello.measuring import board_numbers, move_numbers
from workers.othello.model import Transformer
from workers.othello.numbers import SCHEMA, OthelloNumber
from workers.othello.training import (
    Tick,
    falling_rate,
    mixed_batches,
    optimisers_of,
    restore_checkpoint,
    save_checkpoint,
    spoken_batches,
    train,
)
from workers.othello.vocabulary import MoveVocabulary, invented
from workers.record_tables import to_table

_ANCHORS, _FINETUNING, _FRESH, _WORLD = 11, 12, 13, 14
"""What a generator is seeded with beside the run's seed, one for each use."""


def perform(run: Run, folder: Path, *, device: str = "cpu", tick: Tick | None = None) -> pa.Table:
    """The numbers of a run, from ``folder`` where they are there already."""
    done = numbers_of(run, folder)
    if not done.is_file():
        write_table(to_table(_Performance(run, folder, device, tick).numbers(), SCHEMA), done)
    return pq.read_table(done, schema=SCHEMA)


def numbers_of(run: Run, folder: Path) -> Path:
    """Where the numbers of a run are kept once it is finished."""
    return folder / "runs" / f"{run.key}.parquet"


def pretrained_of(run: Run, folder: Path) -> Path:
    """Where the weights of a run's pretrained model are kept."""
    return folder / "models" / f"{run.key}.safetensors"


def languages_of(run: Run) -> MoveVocabulary:
    """The vocabulary of a run's languages; its seed draws the anchors that the condition only counts."""
    condition, squares = run.condition, playable(run.board)
    if isinstance(condition.anchors, int):
        drawn = np.random.default_rng((run.seed, _ANCHORS)).permutation(squares)
        anchors = frozenset(drawn[: condition.anchors].tolist())
    else:
        anchors = frozenset(square_of(name, run.board) for name in condition.anchors)
    having = condition.codes if condition.among is None else condition.among
    each = [anchors if code in having else frozenset[int]() for code in condition.codes]
    return MoveVocabulary.of(invented(run.board, condition.types, each), run.board)


def opening_of(run: Run) -> tuple[int, ...]:
    """The squares that all games of pretraining begin with; the same for all runs on a board."""
    rng = np.random.default_rng((run.board, _WORLD))
    return tuple(random_games(run.board, 1, rng, limit=run.opening)[0].tolist())


def new_model(run: Run, vocabulary: MoveVocabulary) -> Transformer:
    """The untrained model of a run."""
    torch.manual_seed(run.seed)
    return Transformer(
        tokens=vocabulary.tokens,
        outputs=vocabulary.outputs(run.condition.output),
        room=vocabulary.room,
        layers=run.model.layers,
        width=run.model.width,
        heads=run.model.heads,
    )


def load_pretrained(run: Run, folder: Path) -> Transformer:
    """The pretrained model of a finished run."""
    model = new_model(run, languages_of(run))
    model.load_state_dict(load_file(pretrained_of(run, folder)))
    return model


class _Performance:
    """A run under way."""

    def __init__(self, run: Run, folder: Path, device: str, tick: Tick | None) -> None:
        self.run, self.folder, self.tick = run, folder, tick
        self.device = torch.device(device)
        self.vocabulary = languages_of(run)
        self.opening = opening_of(run)
        self.bf16 = run.precision == "bf16"
        self.steps = run.pretraining.steps + run.finetuning.steps

    def numbers(self) -> list[OthelloNumber]:
        """All numbers, stage by stage."""
        model = self._pretrained()
        untrained = new_model(self.run, self.vocabulary).to(self.device)
        games = draw_games(
            self.run.board,
            self.run.games.probing,
            np.random.default_rng((self.run.seed, _FRESH, 0)),
            split="test",
            opening=self.opening,
            beginning="held_in",
            distinct=True,
        )
        return [
            *board_numbers(self.run, self.vocabulary, {"pretrained": model, "untrained": untrained}, games),
            *self._finetuned(model),
        ]

    def _pretrained(self) -> Transformer:
        """The pretrained model: read, or trained from the last checkpoint on."""
        run, settings = self.run, self.run.pretraining
        model = new_model(run, self.vocabulary).to(self.device)
        kept = pretrained_of(run, self.folder)
        if kept.is_file():
            model.load_state_dict(load_file(kept))
            return model
        checkpoint = self.folder / "checkpoints" / f"{run.key}.safetensors"
        checkpoint.parent.mkdir(parents=True, exist_ok=True)
        optimisers = optimisers_of(model, settings.learning_rate, muon=settings.optimiser == "muon")
        done = restore_checkpoint(checkpoint, model, optimisers)

        def after(step: int) -> None:
            if step % settings.checkpoint_every == 0 or step == settings.steps:
                save_checkpoint(checkpoint, model, optimisers, step)
            self._tell(step)

        batches = mixed_batches(
            self.vocabulary,
            self._pool("pretraining"),
            run.condition.shares,
            run.condition.common,
            run.condition.output,
            batch=settings.batch,
            seed=run.seed,
        )
        rate = falling_rate(settings.learning_rate, settings.warm_up, settings.steps)
        train(model, optimisers, batches, rate, range(done, settings.steps), bf16=self.bf16, after=after)
        with whole_file(kept) as temporary:
            save_file({name: value.contiguous() for name, value in model.state_dict().items()}, temporary)
        checkpoint.unlink()
        return model

    def _finetuned(self, model: Transformer) -> Iterator[OthelloNumber]:
        """Verdicts on moves before, while and after the model learns whole games in one language."""
        run, settings = self.run, self.run.finetuning
        language = run.condition.codes.index(settings.language)
        fresh = {name: self._fresh(name, number) for number, name in enumerate(("held_in", "held_out"), start=1)}
        found: list[OthelloNumber] = []

        def evaluate(step: int) -> None:
            found.extend(move_numbers(run, self.vocabulary, model, fresh, step))

        def after(step: int) -> None:
            if step % settings.every == 0 or step == settings.steps:
                evaluate(step)
                model.train()
            self._tell(run.pretraining.steps + step)

        evaluate(0)
        batches = spoken_batches(
            self.vocabulary,
            self._pool("finetuning"),
            language,
            run.condition.output,
            batch=settings.batch,
            seed=run.seed + _FINETUNING,
        )
        optimisers = optimisers_of(model, settings.learning_rate, muon=False)
        rate: Callable[[int], float] = lambda _: settings.learning_rate  # noqa: E731 - a name for its type
        train(model, optimisers, batches, rate, range(settings.steps), bf16=self.bf16, after=after)
        yield from found

    def _pool(self, use: str) -> Moves:
        """The games of a stage, shared by all runs on the same board that want as many of them."""
        run = self.run
        count, opening = (run.games.pretraining, self.opening) if use == "pretraining" else (run.games.finetuning, ())
        name = "-".join([f"{run.board}x{run.board}", str(count), *(f"{square}" for square in opening)])
        rng = np.random.default_rng((run.board, _WORLD, len(opening)))
        return write_games(
            self.folder / "games" / f"{name}.npy", run.board, count, rng, opening=opening, beginning="held_in"
        )

    def _fresh(self, beginning: str, number: int) -> Moves:
        run = self.run
        rng = np.random.default_rng((run.seed, _FRESH, number))
        # Where all games are alike, nothing is held out.
        held_out = beginning == "held_out" and bool(self.opening)
        return draw_games(
            run.board,
            run.games.evaluation,
            rng,
            split="test",
            opening=self.opening,
            beginning="held_out" if held_out else "held_in",
        )

    def _tell(self, step: int) -> None:
        if self.tick is not None:
            self.tick(step, self.steps)


def square_of(name: str, size: int) -> int:
    """The square that players call ``name``."""
    return size * (int(name[1:]) - 1) + "abcdefgh".index(name[0])
