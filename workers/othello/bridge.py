"""The bridge: does the alignment of an encoder's languages predict how tasks transfer between them?

The demo's six languages, under conditions that differ in how many moves they say with shared words. A condition is an
encoder pretrained on their games, the accuracy of a probe fitted on one language and read in another as the alignment
of every pair, and both kinds of matrix filled with adapters on that encoder. Mantel's test correlates the two.

An encoder has no output language, so there is no unified condition here: anchors alone move alignment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

import numpy as np
import pyarrow as pa
import torch

from adapters_zoo.backbone import Encoder
from adapters_zoo.recipes import LanguageAdapterRecipe, TaskAdapterRecipe
from adapters_zoo.sources import check_encoder
from matrices.arrays import Floats
from matrices.cells import Kind
from matrices.export import write_table
from matrices.measures.mantel import correlations, languages_of
from matrices.store import Store
from matrices.view import view
from workers.driver import fill
from workers.job import Job
from workers.job_settings import EncoderReference
from workers.othello.blueprints import BLUEPRINTS, languages
from workers.othello.board import lengths, random_games
from workers.othello.corpora import BOARD_MOVES, Sizes, othello_corpora
from workers.othello.languages import InventedLanguage, sentence
from workers.othello.probes import Probe, board_states
from workers.pretraining import PretrainJob, pretrain
from workers.sentence_states import sentence_states

KINDS: tuple[Kind, ...] = get_args(Kind)

CONDITIONS: Mapping[str, tuple[int, ...]] = {
    "graded": tuple(blueprint.anchors for blueprint in BLUEPRINTS),
    "unrelated": (0, 0, 0, 0, 0, 0),
    "related": (8, 8, 8, 8, 8, 8),
}
"""Anchors of each language, out of 12 moves."""
TASKS = ("board", "corner")
OPENINGS, TESTED = 1500, 300
"""Openings that are said in every language for the probe, and how many of them test it."""
NUMBERS = "bridge.parquet"
"""The rows of all conditions, in the folder of a bridge."""
_SIZE, _ALIGNMENT = 4, 21


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is trained; the default is that of the demo."""

    sizes: Sizes = field(default_factory=Sizes)
    pretraining: int = 1200
    language_adapter: int = 150
    epochs: int = 8
    seeds: tuple[int, ...] = (0, 1, 2)


def bridge(
    out: Path,
    *,
    conditions: Sequence[str] = tuple(CONDITIONS),
    effort: Effort | None = None,
    workers: int | None = None,
    tell: Callable[[str], None] | None = None,
) -> pa.Table:
    """Fill what is missing under ``out``; a row a condition, kind and task: ``correlation`` and ``p`` of Mantel's test.

    Transfer is less its target's mean, alignment the accuracy from the row's language to the column's; ``pairs`` of
    different languages, ``alignment`` the mean over them. Raises ``KeyError`` on a condition that is not there.
    """
    # A job names its encoder by a path that is taken from its own folder.
    out = out.resolve()
    rows = [
        row
        for name in conditions
        for row in _condition(out / name, name, CONDITIONS[name], effort or Effort(), workers, tell or (lambda _: None))
    ]
    table = pa.Table.from_pylist(rows)
    write_table(table, out / NUMBERS)
    return table


def alignment(
    encoder: Encoder, spoken: Sequence[InventedLanguage], *, openings: int = OPENINGS, tested: int = TESTED
) -> Floats:
    """Accuracy of a linear probe of the board behind an opening, fitted on the row's language, read in the column's.

    It reads mean last states of sentences without any adapter. Shape: [languages, languages].
    """
    rng = np.random.default_rng(_ALIGNMENT)
    games = random_games(_SIZE, openings, rng, limit=BOARD_MOVES)
    games = np.unique(games[lengths(games) == BOARD_MOVES], axis=0)
    games = games[rng.permutation(len(games))]
    boards = board_states(games, _SIZE)["absolute"].reshape(len(games), BOARD_MOVES, -1)[:, -1]
    sentences = ([sentence(language, game.tolist()) for game in games] for language in spoken)
    states = [torch.from_numpy(sentence_states(encoder, lines)).float() for lines in sentences]
    found = np.empty((len(spoken), len(spoken)))
    for row, fitted in enumerate(states):
        probe = Probe.linear(fitted[None, tested:], boards[tested:])
        for column, read in enumerate(states):
            found[row, column] = probe.accuracy(read[None, :tested], boards[:tested])[0]
    return found


def _condition(
    folder: Path,
    name: str,
    anchors: tuple[int, ...],
    effort: Effort,
    workers: int | None,
    tell: Callable[[str], None],
) -> Iterator[dict[str, object]]:
    root = folder / "corpora"
    if not (root / "corpora.yaml").is_file():
        othello_corpora(root, sizes=effort.sizes, anchors=anchors)
    tell(f"{name}: pretraining an encoder")
    made = pretrain(
        PretrainJob(
            out=folder / "encoder",
            corpora=root,
            vocabulary=400,
            layers=2,
            hidden=64,
            max_length=64,
            length=32,
            pair_length=24,
            tokens=2048,
            steps=effort.pretraining,
            precision="fp32",
        )
    )
    spoken = languages(_SIZE, anchors=anchors)
    aligned = alignment(Encoder(check_encoder(made.encoder.folder)), spoken)
    apart = ~np.eye(len(spoken), dtype=bool)
    for kind in KINDS:
        tell(f"{name}: filling the {kind} matrices")
        job = _job(folder, kind, [language.code for language in spoken], effort, workers)
        fill(job, folder=folder)
    store = Store.open(folder / "store")
    for info in store.matrices():
        measured = view(store.cells(info.matrix))
        # Codes of the languages are in order of the alphabet already.
        assert languages_of(measured) == [language.code for language in spoken]
        (row,) = correlations(measured, {"alignment": aligned}).to_pylist()
        yield {
            "condition": name,
            "kind": info.kind,
            "task": info.task,
            "pairs": row["pairs"],
            "alignment": float(aligned[apart].mean()),
            "own": float(aligned[~apart].mean()),
            "correlation": row["correlation"],
            "p": row["p"],
        }


def _job(folder: Path, kind: Kind, codes: Sequence[str], effort: Effort, workers: int | None) -> Job:
    return Job(
        store=str(folder / "store"),
        zoo=str(folder / "zoo"),
        encoder=EncoderReference(name=str(folder / "encoder")),
        corpora=folder / "corpora",
        kind=kind,
        tasks=TASKS,
        sources=tuple(codes),
        targets=tuple(codes),
        pivots=tuple(codes[:1]) if kind == "interference" else None,
        seeds=effort.seeds,
        language_adapter=LanguageAdapterRecipe(
            steps=effort.language_adapter, tokens=1024, length=32, learning_rate=1e-2
        ),
        task_adapter=TaskAdapterRecipe(epochs=effort.epochs, batch=32, learning_rate=3e-3, reduction=2),
        workers=workers,
        precision="fp32",
    )
