"""Which methods a table can be ranked by, and why the others cannot; what ``recommend`` answers, and simple ones."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from matrices.backtest.protocol import Forecast, Method
from matrices.languages import kinship
from matrices.likeness.similarity import similarities
from matrices.likeness.typology import VECTORS, available
from matrices.recommend.popularity import mean_z_scores
from matrices.recommend.predicted import Model, model_for
from matrices.recommend.predicted.cold_start import codes_of, names_in, shown_for
from matrices.recommend.prediction import NothingToPredictError
from matrices.scores import Floats, ScoreTable

URIEL = ("genetic", "syntactic", "featural", "phonological", "inventory", "geographic")
"""The six distances of URIEL, as published tables and ``lang2vec`` name them."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A method that this table or this installation does not allow, and what would."""

    method: str
    reason: str


def methods_for(table: ScoreTable) -> tuple[dict[str, Method], list[Skipped]]:
    """Every method by name, ours first, and those that are skipped."""
    methods: dict[str, Method] = {
        "sprachbund": sprachbund,
        "random": random,
        "english": english,
        "popularity": popularity,
        "nearest_family": nearest_family,
        "popular_in_family": popular_in_family,
    }
    skipped: list[Skipped] = []
    if "eng" not in table.sources:
        del methods["english"]
        skipped.append(Skipped("english", "English is not among the sources"))
    learned, reason = _learned(table)
    return {**methods, **learned}, [*skipped, *(Skipped(name, why) for name, why in reason.items())]


def _learned(table: ScoreTable) -> tuple[dict[str, Method], dict[str, str]]:
    names = ("uriel_lightgbm", "uriel_popularity_lightgbm", "langrank")
    if importlib.util.find_spec("lightgbm") is None:
        return {}, dict.fromkeys(names, "needs LightGBM: pip install 'sprachbund[backtest]'")
    from matrices.backtest import learned

    methods: dict[str, Method] = {}
    skipped: dict[str, str] = {}
    if distances := _distances(table):
        methods[names[0]] = partial(learned.uriel, distances=distances)
        methods[names[1]] = partial(learned.uriel_and_popularity, distances=distances)
    else:
        why = "the table has no URIEL distances, and lang2vec is missing: pip install 'sprachbund[typology]'"
        skipped.update(dict.fromkeys(names[:2], why))
    if any(name.casefold() not in URIEL for name in table.pair_features):
        methods[names[2]] = learned.langrank
    else:
        skipped[names[2]] = "the table has no features of corpora (overlaps, sizes)"
    return methods, skipped


def _distances(table: ScoreTable) -> dict[str, Floats]:
    """URIEL's distances as the table has them, else how alike its languages are by URIEL's own vectors."""
    own = {name: values for name, values in table.pair_features.items() if name.casefold() in URIEL}
    if own or not available():
        return own
    alike = similarities(table.sources, table.targets)
    return {name: alike[name] for name in ("families", "nearness", *VECTORS)}


def sprachbund(table: ScoreTable, target: str) -> Forecast:
    """A model fitted to the table in which the target is hidden, asked about the target."""
    table = shown_for(table, target)
    try:
        found = forecast(table, model_for(table), *names_in(table, [target]))
        return replace(found, shortlist=frozenset(codes_of(found.shortlist)))
    except NothingToPredictError:
        nothing = np.full(len(table.sources), np.nan)
        return Forecast(nothing, np.stack([nothing, nothing], axis=-1), frozenset(codes_of(table.sources)))


def forecast(table: ScoreTable, model: Model, target: str) -> Forecast:
    """What a model says of a target, in the order of the table's sources."""
    scores, intervals = np.full(len(table.sources), np.nan), np.full((len(table.sources), 2), np.nan)
    found = model.predict(target)
    at = [table.sources.index(source) for source in found.sources]
    scores[at], intervals[at] = found.mean, found.intervals
    return Forecast(scores, intervals, frozenset(found.shortlist))


def random(table: ScoreTable, target: str) -> Floats:
    """Any source is as good as another: the yardstick takes what a method cannot tell apart in random order."""
    return np.zeros(len(table.sources))


def english(table: ScoreTable, target: str) -> Floats:
    """English first, and nothing known of the others; where English is no source it is ``random``."""
    return np.array([float(source == "eng") for source in table.sources])


def popularity(table: ScoreTable, target: str) -> Floats:
    """The mean z-score over the other targets; a source measured on few of them comes last."""
    return mean_z_scores(table, target)


def nearest_family(table: ScoreTable, target: str) -> Floats:
    """The target's genus before its family before all others; within each, nothing is known."""
    return np.array([kinship(source, target) for source in table.sources], dtype=np.float64)


def popular_in_family(table: ScoreTable, target: str) -> Floats:
    """The target's genus before its family before all others; within each, the most popular first."""
    average = mean_z_scores(table, target)
    spread = np.nanmax(np.abs(average), initial=1.0)
    within: Floats = np.nan_to_num(average / spread, nan=-1.5) / 4
    return nearest_family(table, target) + within
