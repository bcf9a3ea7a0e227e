"""Which methods a table can be ranked by, and why the others cannot."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from functools import partial

from matrices.backtest import simple
from matrices.backtest.ours import sprachbund
from matrices.backtest.protocol import Method
from matrices.likeness.similarity import similarities
from matrices.likeness.typology import VECTORS, available
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
        "random": simple.random,
        "english": simple.english,
        "popularity": simple.popularity,
        "nearest_family": simple.nearest_family,
        "popular_in_family": simple.popular_in_family,
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
