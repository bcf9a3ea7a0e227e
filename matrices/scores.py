"""A matrix as scores of sources on targets, with what is known of each pair: what predictions and backtests work on.

From a store or the box here (``scores_of``), from a file by ``matrices.published.read_scores``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from matrices.likeness.text import Overlaps
from matrices.reading import Reader, compositions, selections

Floats = NDArray[np.float64]

_NARROW = (
    "encoder",
    "composition",
    "source",
    "target",
    "selection",
    "seed",
    "score",
    "n_items",
    "status",
    "created_at",
)


class NoScoresError(LookupError):
    """A matrix in which no source has a score on a target."""


@dataclass(frozen=True, eq=False)
class ScoreTable:
    """Scores of S sources on T targets, higher is better, in any one unit; NaN where a pair was not measured.

    A language may be both; its score on itself is kept, for whoever wants it. ``errors`` [S, T] are standard errors of
    the scores, NaN where unknown. ``pair_features`` [S, T] each are what is known of a pair without measuring it
    (distances, overlaps, sizes), NaN where missing. ``overlaps`` are of texts at hand, in
    whatever languages. ``pretrained`` are the languages that the encoder saw in pretraining, None where that is not
    known. Languages are ISO 639-3 codes.
    """

    sources: tuple[str, ...]
    targets: tuple[str, ...]
    scores: Floats
    errors: Floats | None = None
    pair_features: Mapping[str, Floats] = field(default_factory=dict)
    overlaps: Overlaps | None = None
    pretrained: frozenset[str] | None = None

    def __post_init__(self) -> None:
        shape = (len(self.sources), len(self.targets))
        arrays = {"scores": self.scores, **({} if self.errors is None else {"errors": self.errors})}
        for name, array in {**arrays, **self.pair_features}.items():
            if array.shape != shape:
                raise ValueError(f"{name} is {array.shape}, not {shape} (sources x targets)")

    def hide(self, language: str) -> ScoreTable:
        """The table as if ``language`` had never been measured, neither as source nor as target.

        Axes and pair features stay: a language's distance to another needs no measurement.
        """
        kept = np.array([code != language for code in self.sources])[:, None]
        kept = kept & np.array([code != language for code in self.targets])
        errors = None if self.errors is None else np.where(kept, self.errors, np.nan)
        return replace(self, scores=np.where(kept, self.scores, np.nan), errors=errors)

    def without_selves(self) -> ScoreTable:
        """The table without any language's score on itself: a language is no source to transfer to itself from."""
        columns = _places(self.targets)
        both = [(row, columns[code]) for row, code in enumerate(self.sources) if code in columns]
        if not both:
            return self
        at = tuple(np.array(both).T)
        scores, errors = self.scores.copy(), None if self.errors is None else self.errors.copy()
        for values in (scores, errors):
            if values is not None:
                values[at] = np.nan
        return replace(self, scores=scores, errors=errors)


def scores_of(
    reader: Reader,
    matrix: str,
    *,
    version: int | None = None,
    composition: str | None = None,
    selection: str | None = None,
) -> ScoreTable:
    """The scores of one matrix, means over seeds, languages in order of code.

    ``composition`` and ``selection`` default as in a recommendation: ``stack`` and ``last`` where the matrix has them,
    else the first by name. A standard error covers items (as ``item_variance``) and seeds: their variance within a
    cell, averaged over a target's cells, as two or three seeds of one cell say little. NaN where neither is known.
    Raises ``NoScoresError``, ``UnknownMatrixError`` and ``UnknownVersionError``.
    """
    cells = reader.cells(matrix, version=version, columns=[*_NARROW, "correct", "total"])
    table = score_table(cells, matrix, composition=composition, selection=selection)
    return replace(table, pretrained=reader.pretrained(cells["encoder"][0].as_py()))


def score_table(
    cells: pa.Table, matrix: str, *, composition: str | None = None, selection: str | None = None
) -> ScoreTable:
    """As ``scores_of``, from the cells of one matrix. Raises ``NoScoresError``."""
    rows = scored(cells, matrix, composition=composition, selection=selection)
    means = mean_scores(rows)
    rows_of, columns_of = (_places(codes) for codes in (means.sources, means.targets))
    items, within, seeds = (np.full(means.scores.shape, np.nan) for _ in range(3))
    for (source, target), runs in _runs(rows).items():
        at = rows_of[source], columns_of[target]
        items[at] = _of_items(runs)
        seeds[at] = len(runs)
        if len(runs) > 1:
            within[at] = np.var([run["score"] for run in runs], ddof=1)
    return replace(means, errors=_errors(items, within, seeds))


def scored(cells: pa.Table, matrix: str, *, composition: str | None = None, selection: str | None = None) -> pa.Table:
    """The cells of one matrix that have a source and a score, under one composition and selection, on the same items.

    Which default as in ``scores_of``. Raises ``NoScoresError``.
    """
    rows = cells.filter(pc.and_(pc.equal(cells["status"], "ok"), pc.is_valid(cells["source"])))
    composition = composition or next(iter(compositions(rows)), "stack")
    rows = rows.filter(pc.equal(rows["composition"], composition))
    selection = selection or next(iter(selections(rows)), "last")
    rows = rows.filter(pc.equal(rows["selection"], selection))
    if not rows.num_rows:
        raise NoScoresError(f"{matrix} has no score of a source under {composition} and {selection}")
    return on_usual_items(rows)


def on_usual_items(rows: pa.Table) -> pa.Table:
    """The rows that are over as many items as most of their target's are; of equally many the more.

    A score on other items cannot be held against the others.
    """
    sizes = rows.group_by(["target", "n_items"], use_threads=False).aggregate([([], "count_all")])
    usual: dict[str, tuple[int, int]] = {}
    for size in sizes.to_pylist():
        found = (size["count_all"], size["n_items"])
        usual[size["target"]] = max(usual.get(size["target"], found), found)
    if sizes.num_rows == len(usual):
        return rows
    of_rows = zip(rows["target"].to_pylist(), rows["n_items"].to_pylist(), strict=True)
    return rows.filter(pa.array([usual[target][1] == n_items for target, n_items in of_rows]))


def mean_scores(rows: pa.Table) -> ScoreTable:
    """The means over seeds of rows that have a source and a score, all under one composition and selection.

    Of a pair measured twice with one seed (under two recipes, say) the later counts.
    """
    latest = rows.select(["source", "target", "seed", "score", "created_at"]).sort_by("created_at")
    latest = latest.group_by(["source", "target", "seed"], use_threads=False).aggregate([("score", "last")])
    means = latest.group_by(["source", "target"], use_threads=False).aggregate([("score_last", "mean")])
    sources, targets = (tuple(sorted(pc.unique(means[name]).to_pylist())) for name in ("source", "target"))
    scores = np.full((len(sources), len(targets)), np.nan)
    rows_of, columns_of = _places(sources), _places(targets)
    at = (
        [rows_of[code] for code in means["source"].to_pylist()],
        [columns_of[code] for code in means["target"].to_pylist()],
    )
    scores[at] = means["score_last_mean"].to_numpy()
    return ScoreTable(sources, targets, scores)


def _places(codes: tuple[str, ...]) -> dict[str, int]:
    return {code: index for index, code in enumerate(codes)}


def item_variance(correct: Floats, total: Floats) -> float:
    """Variance of ``sum(correct) / sum(total)`` over samples of items, both [items]; NaN of fewer than two items.

    Linearised, as for any ratio of sums (Cochran 1977, Sampling Techniques, section 6.5).
    """
    n = len(correct)
    if n < 2:
        return float("nan")
    residual = correct - total * (correct.sum() / total.sum())
    return float(residual.var(ddof=1) / (n * total.mean() ** 2))


Run = dict[str, Any]


def _runs(rows: pa.Table) -> dict[tuple[str, str], list[Run]]:
    """The runs of every pair, in order of seed; of one seed measured twice the later."""
    found: defaultdict[tuple[str, str], dict[int, Run]] = defaultdict(dict)
    for row in rows.sort_by("created_at").to_pylist():
        found[row["source"], row["target"]][row["seed"]] = row
    return {pair: [seeds[seed] for seed in sorted(seeds)] for pair, seeds in found.items()}


def _of_items(runs: list[Run]) -> float:
    """Variance over items of the mean score of some runs on the same items."""
    if len({run["n_items"] for run in runs}) == 1 and all(run["correct"] is not None for run in runs):
        correct, total = (np.mean([run[name] for run in runs], axis=0) for name in ("correct", "total"))
        return item_variance(correct, total)
    n = float(np.mean([run["n_items"] for run in runs]))
    mean = float(np.mean([run["score"] for run in runs]))
    # Without outcomes: the variance of a share, its centre moved off 0 and 1 as by Agresti and Coull (1998).
    centre = (mean * n + 2) / (n + 4)
    return centre * (1 - centre) / (n + 4) if n > 1 else float("nan")


def _errors(items: Floats, within: Floats, seeds: Floats) -> Floats | None:
    known = np.isfinite(within)
    column = np.full(within.shape[1], np.nan)
    np.divide(np.where(known, within, 0).sum(axis=0), known.sum(axis=0), out=column, where=known.any(axis=0))
    of_seeds = np.divide(column, seeds, out=np.full_like(seeds, np.nan), where=seeds > 0)
    parts = np.stack([items, of_seeds])
    errors: Floats = np.where(np.isfinite(parts).any(axis=0), np.sqrt(np.nansum(parts, axis=0)), np.nan)
    return errors if np.isfinite(errors).any() else None
