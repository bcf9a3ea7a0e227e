"""Gradient-boosted rankings from features of pairs: what the published recommenders do. Needs LightGBM.

The settings are those of LangRank (Lin et al. 2019): lambdarank, 100 trees of 16 leaves, 5 pairs a leaf at the least.
Lambdarank breaks the ties it begins with by
the order of lines, which moves NDCG@3 by several points either way: lines are shuffled, so that the order of languages'
codes decides nothing, always in the same way, so that two runs agree.
"""

from __future__ import annotations

from collections.abc import Mapping

import lightgbm
import numpy as np

from matrices.backtest.yardstick import RELEVANT
from matrices.recommend.popularity import mean_z_scores
from matrices.scores import Floats, ScoreTable

_PARAMETERS: dict[str, object] = {
    "objective": "lambdarank",
    "boosting": "gbdt",
    "num_leaves": 16,
    "learning_rate": 0.1,
    "min_data_in_leaf": 5,
    "deterministic": True,
    "num_threads": 1,
    "verbosity": -1,
}


def langrank(table: ScoreTable, target: str) -> Floats:
    """LangRank's own ranker, from every pair feature the table has."""
    return _ranking(table, target, table.pair_features)


def uriel(table: ScoreTable, target: str, *, distances: Mapping[str, Floats]) -> Floats:
    """LangRank's ranker from URIEL's distances [S, T] alone, which are known of a target without any text."""
    return _ranking(table, target, distances)


def uriel_and_popularity(table: ScoreTable, target: str, *, distances: Mapping[str, Floats]) -> Floats:
    """URIEL's distances and the source's mean z-score over the targets other than the one it is ranked for."""
    average = np.column_stack([mean_z_scores(table, other) for other in table.targets])
    return _ranking(table, target, {**distances, "popularity": average})


def _ranking(table: ScoreTable, target: str, features: Mapping[str, Floats]) -> Floats:
    inputs = np.stack(list(features.values()), axis=-1)
    scores = table.without_selves().scores
    known = np.isfinite(scores)
    # A target with one source has no order to learn from.
    columns = np.flatnonzero(known.sum(axis=0) > 1)
    random = np.random.default_rng(0)
    lines = [(random.permutation(np.flatnonzero(known[:, column])), column) for column in columns]
    training = lightgbm.Dataset(
        np.concatenate([inputs[line] for line in lines]),
        np.concatenate([_relevance(scores[line]) for line in lines]),
        group=[len(rows) for rows, _ in lines],
        params=_PARAMETERS,
    )
    model = lightgbm.train(_PARAMETERS, training, num_boost_round=100)
    return np.asarray(model.predict(inputs[:, table.targets.index(target)]), dtype=np.float64)


def _relevance(scores: Floats) -> Floats:
    """10 for the best source of a target down to 1 for the tenth, 0 for all others; of sources that tie the higher."""
    better = (scores[None, :] > scores[:, None]).sum(axis=1)
    relevance: Floats = np.maximum(RELEVANT - better, 0).astype(np.float64)
    return relevance
