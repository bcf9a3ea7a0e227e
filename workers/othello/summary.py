"""From the numbers of runs to a few measures of each condition, with intervals over seeds."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import pyarrow as pa

from workers.estimates import Estimate

MEASURES = {
    "own": "probe accuracy in the language it was fitted on",
    "cross": "probe accuracy in the other languages: the published alignment",
    "rotated": "the same after the best rotation of the one language's states onto the other's",
    "untrained": "probe accuracy in its own language on a model that was not trained",
    "untrained_cross": "and in the other languages on that model",
    "untrained_rotated": "the same after the best rotation: what parallel games alone let a rotation find",
    "majority": "accuracy of every square's commonest state",
    "majority_by_move": "accuracy of every square's commonest state behind so many moves",
    "leaky_own": "own, by a split over positions: the published measure",
    "leaky_cross": "cross, by a split over positions: the published measure",
    "cka": "linear CKA of the languages' states",
    "source_before": "held-out games, the language of fine-tuning, before it: legal-move rate, as published",
    "source_after": "the same after fine-tuning",
    "target_before": "held-out games, the other languages, before fine-tuning: legal-move rate, as published",
    "target_after": "the same after fine-tuning",
    "target_best": "its highest at any step of fine-tuning",
    "any_before": "held-out games, the other languages, before: moves that are legal, in whatever language",
    "any_after": "the same after fine-tuning",
    "switched_after": "share of moves said in another language after fine-tuning, legal or not",
    "held_in_before": "games like those of pretraining, the other languages, before: legal-move rate, as published",
    "held_in_after": "the same after fine-tuning: what is lost is forgotten, or said in another language",
    "held_in_any_after": "the same after fine-tuning, in whatever language: what is lost is forgotten",
}
"""What is told of a run, all but ``cka`` at one layer of a probe or as a share of moves."""
LEGAL = ("legal", "legal_either", "legal_elsewhere")
ELSEWHERE = ("legal_elsewhere", "illegal_elsewhere")
PUBLISHED_DEPTH = 0.75
"""The published layer is the sixth of eight; the same share of any other depth."""


@dataclass(frozen=True)
class OthelloSummary:
    """``runs``: a row a condition and seed, in the order of the numbers, and a column a measure of ``MEASURES``."""

    runs: pd.DataFrame
    layer: int

    @property
    def conditions(self) -> tuple[str, ...]:
        """In the order of the job."""
        return tuple(self.runs.index.get_level_values("condition").unique())

    def estimate(self, condition: str, measure: str) -> Estimate:
        """One measure of one condition over its seeds."""
        return Estimate.of(list(self._column(condition, measure)))

    def difference(self, first: tuple[str, str], second: tuple[str, str]) -> Estimate:
        """(condition, measure) less another, seed by seed."""
        return Estimate.of(list((self._column(*first) - self._column(*second)).dropna()))

    def _column(self, condition: str, measure: str) -> pd.Series:
        """By seed."""
        rows: pd.Series = self.runs[measure].xs(condition, level="condition")
        return rows


def summarise(numbers: pa.Table, *, layer: int | None = None) -> OthelloSummary:
    """The measures of every run. Probes are two-layer ones of absolute colours, on last tokens, at the given layer."""
    frame = numbers.to_pandas()
    chosen = round(PUBLISHED_DEPTH * int(frame["layer"].max())) if layer is None else layer
    parts = {**_of_boards(frame, chosen), **_of_moves(frame)}
    order = frame[["condition", "seed"]].drop_duplicates()
    runs = pd.DataFrame(parts).reindex(pd.MultiIndex.from_frame(order))
    return OthelloSummary(runs[list(MEASURES)], chosen)


def _of_boards(frame: pd.DataFrame, layer: int) -> dict[str, pd.Series]:
    at_layer = frame[(frame["layer"] == layer) & (frame["pooling"] == "last")]
    probes = at_layer[
        (at_layer["measure"] == "probe") & (at_layer["probe"] == "two_layer") & (at_layer["colours"] == "absolute")
    ]
    own, rotated = probes["source"] == probes["target"], probes["aligned"].astype(bool)
    by_game, trained = probes["split"] == "game", probes["model"] == "pretrained"
    guesses = frame[frame["colours"] == "absolute"]
    similar = at_layer[(at_layer["measure"] == "cka") & (at_layer["model"] == "pretrained")]
    return {
        "own": _mean(probes[own & by_game & trained]),
        "cross": _mean(probes[~own & ~rotated & by_game & trained]),
        "rotated": _mean(probes[rotated & by_game & trained]),
        "untrained": _mean(probes[own & by_game & ~trained]),
        "untrained_cross": _mean(probes[~own & ~rotated & by_game & ~trained]),
        "untrained_rotated": _mean(probes[rotated & by_game & ~trained]),
        "leaky_own": _mean(probes[own & ~by_game]),
        "leaky_cross": _mean(probes[~own & ~by_game]),
        "cka": _mean(similar),
        **{name: _mean(guesses[guesses["measure"] == name]) for name in ("majority", "majority_by_move")},
    }


def _of_moves(frame: pd.DataFrame) -> dict[str, pd.Series]:
    moves = frame[frame["step"].notna()]
    keys = ["condition", "seed", "games", "source", "target", "step"]
    shares = moves.pivot_table(index=keys, columns="measure", values="value").reset_index()
    shares["any"] = shares[list(LEGAL)].sum(axis=1)
    shares["switched"] = shares[list(ELSEWHERE)].sum(axis=1)
    own, held_out = shares["source"] == shares["target"], shares["games"] == "held_out"
    before, after = shares["step"] == 0, shares["step"] == shares["step"].max()
    best = shares[~own & held_out].groupby(["condition", "seed", "target"])["legal"].max()
    return {
        "source_before": _mean(shares[own & held_out & before], "legal"),
        "source_after": _mean(shares[own & held_out & after], "legal"),
        "target_before": _mean(shares[~own & held_out & before], "legal"),
        "target_after": _mean(shares[~own & held_out & after], "legal"),
        "target_best": best.groupby(["condition", "seed"]).mean(),
        "any_before": _mean(shares[~own & held_out & before], "any"),
        "any_after": _mean(shares[~own & held_out & after], "any"),
        "switched_after": _mean(shares[~own & held_out & after], "switched"),
        "held_in_before": _mean(shares[~own & ~held_out & before], "legal"),
        "held_in_after": _mean(shares[~own & ~held_out & after], "legal"),
        "held_in_any_after": _mean(shares[~own & ~held_out & after], "any"),
    }


def _mean(rows: pd.DataFrame, column: str = "value") -> pd.Series:
    means: pd.Series = rows.groupby(["condition", "seed"])[column].mean().astype(float)
    return means
