"""What a model says next, at every position of games: a legal move or not, and in which language.

The published legal-move rate counts a move only if it is legal and said in the language of the game. What it does not
count has two causes, told apart here: the move is illegal, or it is legal and said in another language.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray

from matrices.arrays import Bools
from workers.othello.board import NONE, Moves, history, spread
from workers.othello.model import Transformer
from workers.othello.training import products_in
from workers.othello.vocabulary import PAD, Ids, MoveVocabulary, Output

Verdict = Literal["legal", "legal_either", "legal_elsewhere", "illegal", "illegal_elsewhere", "no_move"]
"""A move said in the game's language, in another (``elsewhere``), in another where all moves so far were anchors, so
that nothing has told the two apart (``either``), or tokens that are no move of any language."""
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)

_AT_ONCE = 2048


def verdicts(
    model: Transformer, vocabulary: MoveVocabulary, games: Moves, language: int, output: Output, *, bf16: bool = False
) -> Mapping[Verdict, NDArray[np.int64]]:
    """How often each verdict falls in each game [n], by the likeliest move behind every move that is not the last."""
    legal = np.stack([spread(at.legal, vocabulary.size) for at in history(games, vocabulary.size)[1:]], axis=1)
    game, move = np.nonzero(games[:, 1:] != NONE)
    written = vocabulary.write(games, language)
    said = _Said(model, vocabulary, bf16)
    ours: Any
    if output == "unified":
        ours = _one_square(said.next(written.ids, game, written.ends[game, move]), vocabulary)
        theirs = either = np.zeros_like(ours)
    else:
        spoken = _moves_of(said.moves(written.ids, game, written.ends[game, move]), vocabulary)
        ours = spoken[:, language]
        others = spoken & ~ours.any(axis=1)[:, None, None]
        theirs = others.any(axis=1)
        either = (others & _undecided(vocabulary, games, language)[game, move][..., None]).any(axis=1)
    allowed = legal[game, move]
    found: dict[Verdict, Any] = {
        "legal": (ours & allowed).any(axis=1),
        "legal_either": (either & allowed).any(axis=1),
        "legal_elsewhere": (theirs & ~either & allowed).any(axis=1),
        "illegal": (ours & ~allowed).any(axis=1),
        "illegal_elsewhere": (theirs & ~allowed).any(axis=1),
        "no_move": ~(ours | theirs).any(axis=1),
    }
    return {verdict: np.bincount(game, found[verdict], len(games)).astype(np.int64) for verdict in VERDICTS}


class _Said:
    """The likeliest tokens of a model behind prefixes of games."""

    def __init__(self, model: Transformer, vocabulary: MoveVocabulary, bf16: bool) -> None:
        self.model, self.vocabulary, self.bf16 = model.eval(), vocabulary, bf16
        self.device = next(model.parameters()).device

    @torch.no_grad()
    def next(self, ids: Ids, rows: Ids, places: Ids) -> Ids:
        """The likeliest class behind each (row, place)."""
        best = np.empty(ids.shape, dtype=np.int64)
        for at in range(0, len(ids), _AT_ONCE):
            with products_in(self.device, bf16=self.bf16):
                logits = self.model(torch.from_numpy(ids[at : at + _AT_ONCE]).to(self.device))
            best[at : at + _AT_ONCE] = logits.argmax(-1).cpu().numpy()
        return best[rows, places]

    def moves(self, ids: Ids, rows: Ids, places: Ids) -> Ids:
        """The likeliest move behind each (row, place), token by token [n, longest]; ``PAD`` once it is complete."""
        longest = self.vocabulary.longest
        said = np.full((len(rows), longest), PAD, dtype=np.int64)
        said[:, 0] = self.next(ids, rows, places)
        for count in range(1, longest):
            open_ = np.flatnonzero(~_moves_of(said, self.vocabulary).any(axis=(1, 2)))
            if not open_.size:
                break
            end = places[open_] + 1
            room = min(self.vocabulary.room, int(end.max()) + count)
            prefixes = np.full((len(open_), int(end.max()) + count), PAD, dtype=np.int64)
            prefixes[:, : ids.shape[1]] = np.where(np.arange(ids.shape[1]) < end[:, None], ids[rows[open_]], PAD)[
                :, : prefixes.shape[1]
            ]
            prefixes[np.arange(len(open_))[:, None], end[:, None] + np.arange(count)] = said[open_, :count]
            # A model that says more than there is room for has not said a move by then.
            fits = np.flatnonzero(end + count <= room)
            said[open_[fits], count] = self.next(prefixes[fits, :room], np.arange(len(fits)), end[fits] + count - 1)
        return said


def _moves_of(said: Ids, vocabulary: MoveVocabulary) -> Bools:
    """Which move of which language the tokens [n, longest] begin with [n, languages, squares]."""
    needed = np.arange(vocabulary.longest) < vocabulary.counts[..., None]
    equal = (said[:, None, None] == vocabulary.moves) | ~needed
    found: Bools = equal.all(axis=-1) & (vocabulary.counts > 0)
    return found


def _undecided(vocabulary: MoveVocabulary, games: Moves, language: int) -> Bools:
    """Whether each language would have said all moves up to each with the same words [games, moves, languages]."""
    same = (vocabulary.moves == vocabulary.moves[language]).all(axis=2).T
    undecided: Bools = np.logical_and.accumulate(same[np.where(games == NONE, vocabulary.squares[0], games)], axis=1)
    return undecided


def _one_square(places: Ids, vocabulary: MoveVocabulary) -> Bools:
    chosen: Bools = vocabulary.squares[places][:, None] == np.arange(vocabulary.size**2)
    return chosen
