"""What predictions and backtests are fitted to: scores of sources on targets, and what is known of each pair.

From a matrix by ``scores_of``, from a published file by ``matrices.published.scores.read_scores``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from matrices.arrays import Floats, places
from matrices.cells import bounds
from matrices.likeness.text import Overlaps
from matrices.reading import Reader
from matrices.uncertainty.comparison import TargetRuns
from matrices.uncertainty.components import SeedVariance
from matrices.uncertainty.resampling import Resamples
from matrices.view import COLUMNS, MatrixView, NoScoresError, view

__all__ = ["Floats", "NoScoresError", "ScoreTable", "score_table", "scores_of", "standard_errors"]


@dataclass(frozen=True, eq=False)
class ScoreTable:
    """Scores of S sources on T targets, higher is better, in any one unit; NaN where a pair was not measured.

    A language may be both; its score on itself is kept, for whoever wants it. ``errors`` [S, T] are standard errors of
    the scores, NaN where unknown. ``pair_features`` [S, T] each are what is known of a pair without measuring it
    (distances, overlaps, sizes), NaN where missing. ``overlaps`` are of texts at hand, in
    whatever languages. ``pretrained`` are the languages that the encoder saw in pretraining, None where that is not
    known. ``bounds`` are those of the scores. Languages are ISO 639-3 codes.
    """

    sources: tuple[str, ...]
    targets: tuple[str, ...]
    scores: Floats
    errors: Floats | None = None
    pair_features: Mapping[str, Floats] = field(default_factory=dict)
    overlaps: Overlaps | None = None
    pretrained: frozenset[str] | None = None
    bounds: tuple[float, float] = (-np.inf, np.inf)

    def __post_init__(self) -> None:
        shape = (len(self.sources), len(self.targets))
        arrays = {"scores": self.scores, **({} if self.errors is None else {"errors": self.errors})}
        for name, array in {**arrays, **self.pair_features}.items():
            if array.shape != shape:
                raise ValueError(f"{name} is {array.shape}, not {shape} (sources x targets)")

    @cached_property
    def digest(self) -> str:
        """A digest of all that a model is fitted to: equal where the tables are."""
        seen = ["not known"] if self.pretrained is None else sorted(self.pretrained)
        texts = () if self.overlaps is None else self.overlaps.codes
        parts = [*self.sources, "", *self.targets, "", *seen, "", *self.pair_features, "", *texts]
        digest = hashlib.sha256("\n".join(parts).encode())
        cosines = () if self.overlaps is None else self.overlaps.cosines.values()
        for values in (self.scores, self.errors, *self.pair_features.values(), *cosines):
            digest.update(b"none" if values is None else np.ascontiguousarray(values).tobytes())
        return digest.hexdigest()

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
        columns = places(self.targets)
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
    """The scores of one matrix, means over seeds, with their standard errors; languages in order of code.

    Errors are over items and seeds, or as a published table states them.

    ``composition`` and ``selection`` default as ``matrices.view.choose`` says. Raises ``NoScoresError``,
    ``UnknownMatrixError`` and ``UnknownVersionError``.
    """
    cells = reader.cells(matrix, version=version, columns=COLUMNS)
    found = view(
        cells, composition=composition, selection=selection, items=reader.items(matrix), spreads=reader.spreads(matrix)
    )
    return scores_in(found, reader.pretrained(found.encoder))


def scores_in(
    view: MatrixView, pretrained: frozenset[str] | None = None, seeds: SeedVariance | None = None
) -> ScoreTable:
    """The scores of a view, with standard errors; ``seeds`` are what its runs say of seeds, where that is at hand."""
    return replace(
        score_table(view), errors=standard_errors(view, seeds), pretrained=pretrained, bounds=bounds(view.metric)
    )


def score_table(view: MatrixView) -> ScoreTable:
    """The mean scores of a view, without errors."""
    return ScoreTable(view.sources, view.targets, view.means)


def standard_errors(view: MatrixView, seeds: SeedVariance | None = None) -> Floats | None:
    """Standard errors of mean scores over items and seeds [S, T]; NaN where neither is known, None where nowhere.

    Of the outcomes of items, those of one target at a time are in memory.
    """
    seeds = seeds or SeedVariance(view)
    columns = [_errors(view.without_outcomes_read(), target, seeds) for target in view.targets]
    errors = np.where(np.isfinite(view.means), np.stack(columns, axis=1), np.nan)
    return errors if np.isfinite(errors).any() else None


def _errors(view: MatrixView, target: str, seeds: SeedVariance) -> Floats:
    return TargetRuns(view, target, Resamples(view), seeds).errors()
