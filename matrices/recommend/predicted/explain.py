"""What a prediction rests on, as data: measured targets by weight, features by how much they move scores, and which of
those are known of a pair.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import compress
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from matrices.recommend.answer import Evidence, FeatureKind, FeatureWeight, Knowledge
from matrices.recommend.names import named
from matrices.recommend.popularity import mean_z_scores
from matrices.recommend.predicted.model import Model
from matrices.recommend.predicted.pair_features import Pairs
from matrices.recommend.prediction import Expected, Outlook
from matrices.recommend.sets import best_sets
from matrices.scores import Floats

EXPLAINED, TARGETS, FEATURES = 10, 3, 6
"""Of so many sources it is said what they rest on, of so many targets each, and so many features of the matrix."""


def outlook(
    model: Model, target: str, asked: Sequence[str] = (), *, within: tuple[float, float] = (-np.inf, np.inf)
) -> Outlook:
    """What to expect on ``target`` of the model's sources and of those ``asked`` besides, the best first.

    A model knows no bounds; where scores do, they are held ``within`` those, and so are the ends of intervals.
    """
    sources = dict.fromkeys([*model.measured_sources, *asked])
    prediction = model.predict(target, [code for code in sources if code != target])
    order = np.lexsort((np.array(prediction.sources), -prediction.mean))
    average = dict(zip(model.table.sources, mean_z_scores(model.table, target).tolist(), strict=True))
    explained = [prediction.sources[at] for at in order[:EXPLAINED] if not prediction.measured[at]]
    rests = rests_on(model, prediction.sources, target, explained)
    told = model.table.pretrained is not None
    known_features = knowledge(model.learned.design.pairs, prediction.sources, target, pretrained=told)
    scores, intervals = np.clip(prediction.mean, *within).tolist(), np.clip(prediction.intervals, *within).tolist()
    expected = []
    for at in order.tolist():
        source = prediction.sources[at]
        low, high = intervals[at]
        expected.append(
            Expected(
                source=source,
                score=scores[at],
                interval=(low, high),
                probability_best=float(prediction.best[at]),
                average_z=z if np.isfinite(z := average.get(source, np.nan)) else None,
                rests_on=rests.get(source, ()),
                knowledge=known_features[at],
            )
        )
    return Outlook(
        expected=tuple(expected),
        shortlist=prediction.shortlist,
        features=feature_weights(model),
        regret=prediction.regret,
        sets=best_sets(prediction.sources, prediction.mean, prediction.drawn),
    )


def rests_on(
    model: Model, sources: Sequence[str], target: str, explained: Sequence[str], most: int = TARGETS
) -> dict[str, tuple[Evidence, ...]]:
    """The measured targets that the predictions of those ``explained`` of the ``sources`` rest on most.

    A prediction is linear in the measured scores, and so a sum over targets of what their scores add to it: how far
    they set this source apart from the others. A target's share is that of its part, whichever way it pulls.
    """
    parts = model.learned.parts(sources, target, explained)
    targets = model.cell_targets
    return {
        source: _evidence(model, source, shares, targets, most)
        for source, shares in zip(explained, np.abs(parts), strict=True)
    }


def _evidence(model: Model, source: str, by_target: Floats, targets: Sequence[str], most: int) -> tuple[Evidence, ...]:
    total = float(by_target.sum())
    if total == 0:
        return ()
    largest = np.argsort(-by_target, kind="stable")[:most]
    return tuple(
        Evidence(
            target=code,
            name=named(code).name,
            weight=float(by_target[at] / total),
            score=model.measured_score(source, code),
        )
        for at in largest
        for code in [targets[at]]
    )


def feature_weights(model: Model, most: int = FEATURES) -> tuple[FeatureWeight, ...]:
    """The groups of columns that move the model's predictions of its own cells most, by standard deviation."""
    moved = model.learned.moved
    total = sum(moved.values()) or 1.0
    ordered = sorted(moved.items(), key=lambda item: (-item[1], item[0]))[:most]
    return tuple(FeatureWeight(feature=name, weight=value / total) for name, value in ordered if value > 0)


FEATURE_KINDS: tuple[FeatureKind, ...] = get_args(FeatureKind)
_KINDS: Mapping[str, FeatureKind] = {
    "genus": "genealogy",
    "family": "genealogy",
    "families": "genealogy",
    "genetic": "genealogy",
    "nearness": "geography",
    "geographic": "geography",
    "featural": "syntax",
    "syntactic": "syntax",
    "phonological": "phonology",
    **{kind: kind for kind in ("syntax", "phonology", "inventory", "script")},
}
"""The kind of each measure of likeness, and of URIEL's distances as published tables name them."""


def knowledge(pairs: Pairs, sources: Sequence[str], target: str, *, pretrained: bool) -> list[Knowledge]:
    """Of every pair the kinds of features that were known, and those that were not, in the order of ``FeatureKind``.

    A kind is known where any feature of it is. What a table states that is no likeness (overlaps, sizes) is of the kind
    ``corpora``. ``pretrained``: whether it is known what the encoder was pretrained on.
    """
    known_of: dict[FeatureKind, NDArray[np.bool_]] = {
        kind: np.zeros(len(sources), dtype=bool) for kind in FEATURE_KINDS
    }
    for name, of_pairs in pairs.known(sources, target).items():
        kind = _KINDS.get(name.casefold(), "corpora")
        known_of[kind] |= of_pairs
    known_of["pretraining"] |= pretrained
    rows = np.stack(list(known_of.values()), axis=-1).tolist()
    return [_knowledge(tuple(row)) for row in rows]


@cache
def _knowledge(is_known: tuple[bool, ...]) -> Knowledge:
    return Knowledge(
        known=tuple(compress(FEATURE_KINDS, is_known)),
        missing=tuple(kind for kind, known in zip(FEATURE_KINDS, is_known, strict=True) if not known),
    )


def together(pairs: Sequence[Knowledge]) -> Knowledge:
    """What is known of any pair, and what of none."""
    known = {kind for pair in pairs for kind in pair.known}
    return Knowledge(
        known=tuple(kind for kind in FEATURE_KINDS if kind in known),
        missing=tuple(kind for kind in FEATURE_KINDS if kind not in known),
    )
