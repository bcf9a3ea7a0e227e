"""Which methods a table can be ranked by, and why the others cannot."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass

from matrices.backtest import simple
from matrices.backtest.protocol import Method
from matrices.scores import ScoreTable

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

    features = {name.casefold() for name in table.pair_features}
    methods: dict[str, Method] = {}
    skipped: dict[str, str] = {}
    if features & set(URIEL):
        methods.update(uriel_lightgbm=learned.uriel, uriel_popularity_lightgbm=learned.uriel_and_popularity)
    else:
        skipped.update(dict.fromkeys(names[:2], "the table has no URIEL distances"))
    if features - set(URIEL):
        methods["langrank"] = learned.langrank
    else:
        skipped["langrank"] = "the table has no features of corpora (overlaps, sizes)"
    return methods, skipped
