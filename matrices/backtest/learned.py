"""Gradient-boosted rankings from features of pairs: what the published recommenders do. Needs LightGBM.

The settings are those of LangRank (Lin et al. 2019): lambdarank, 100 trees of 16 leaves, 5 pairs a leaf at the least.
Lambdarank breaks the ties it begins with by the order of lines, which means nothing and moves NDCG@3 by up to ten
points: lines are shuffled, the fewer targets there are to judge by the more often, and the figures of all rankings
count alike. Two runs agree.
"""

from __future__ import annotations

from collections.abc import Mapping

import lightgbm
import numpy as np
from numpy.typing import NDArray

from matrices.backtest.ranking_metrics import RELEVANT
from matrices.recommend.popularity import mean_z_scores
from matrices.scores import Floats, ScoreTable

_JUDGED = 100
"""At least so many rankings are judged in all, over targets and orders of lines."""
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
    return _rankings(table, target, table.pair_features)


def uriel(table: ScoreTable, target: str, *, distances: Mapping[str, Floats]) -> Floats:
    """LangRank's ranker from URIEL's distances [S, T] alone, which are known of a target without any text."""
    return _rankings(table, target, distances)


def uriel_and_popularity(table: ScoreTable, target: str, *, distances: Mapping[str, Floats]) -> Floats:
    """URIEL's distances and the source's mean z-score over the targets other than the one it is ranked for."""
    average = np.column_stack([mean_z_scores(table, other) for other in table.targets])
    return _rankings(table, target, {**distances, "popularity": average})


def _rankings(table: ScoreTable, target: str, features: Mapping[str, Floats]) -> Floats:
    """Of every order of lines a ranking [R, S]; none before another [S] where there is nothing to learn from."""
    inputs = np.stack(list(features.values()), axis=-1)
    scores = table.without_selves().scores
    known = np.isfinite(scores)
    # A target with one source has no order to learn from.
    columns = np.flatnonzero(known.sum(axis=0) > 1)
    if not len(columns):
        return np.zeros(len(table.sources))
    orders = -(-_JUDGED // len(table.targets))
    trained = [_trained(inputs, scores, known, columns, np.random.default_rng(order)) for order in range(orders)]
    asked = inputs[:, table.targets.index(target)]
    return np.stack([np.asarray(model.predict(asked), dtype=np.float64) for model in trained])


def _trained(
    inputs: Floats,
    scores: Floats,
    known: NDArray[np.bool_],
    columns: NDArray[np.intp],
    random: np.random.Generator,
) -> lightgbm.Booster:
    lines = [(random.permutation(np.flatnonzero(known[:, column])), column) for column in columns]
    training = lightgbm.Dataset(
        np.concatenate([inputs[line] for line in lines]),
        np.concatenate([_relevance(scores[line]) for line in lines]),
        group=[len(rows) for rows, _ in lines],
        params=_PARAMETERS,
    )
    return lightgbm.train(_PARAMETERS, training, num_boost_round=100)


def _relevance(scores: Floats) -> Floats:
    """10 for the best source of a target down to 1 for the tenth, 0 for all others; of sources that tie the higher."""
    better = (scores[None, :] > scores[:, None]).sum(axis=1)
    relevance: Floats = np.maximum(RELEVANT - better, 0).astype(np.float64)
    return relevance
