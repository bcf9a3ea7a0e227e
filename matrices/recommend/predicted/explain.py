"""What a prediction rests on, as data: measured targets by weight, and features by how much they move scores."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from matrices.recommend.answer import Evidence, FeatureWeight
from matrices.recommend.names import named
from matrices.recommend.outlook import Expected, Outlook
from matrices.recommend.popularity import mean_z_scores
from matrices.recommend.predicted.knowledge import knowledge
from matrices.recommend.predicted.model import Model
from matrices.recommend.predicted.sets import best_sets
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
    found = model.predict(target, [code for code in sources if code != target])
    order = np.lexsort((np.array(found.sources), -found.mean))
    average = dict(zip(model.table.sources, mean_z_scores(model.table, target).tolist(), strict=True))
    explained = [found.sources[at] for at in order[:EXPLAINED] if not found.measured[at]]
    rests = rests_on(model, found.sources, target, explained)
    told = model.table.pretrained is not None
    known = knowledge(model.learned.design.pairs, found.sources, target, pretrained=told)
    scores, intervals = np.clip(found.mean, *within).tolist(), np.clip(found.intervals, *within).tolist()
    expected = []
    for at in order.tolist():
        source = found.sources[at]
        low, high = intervals[at]
        expected.append(
            Expected(
                source=source,
                score=scores[at],
                interval=(low, high),
                probability_best=float(found.best[at]),
                average_z=z if np.isfinite(z := average.get(source, np.nan)) else None,
                rests_on=rests.get(source, ()),
                knowledge=known[at],
            )
        )
    return Outlook(
        expected=tuple(expected),
        shortlist=found.shortlist,
        features=feature_weights(model),
        regret=found.regret,
        sets=best_sets(found.sources, found.mean, found.drawn),
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
