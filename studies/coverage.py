"""Does an answer hold as often as it says? Of targets drawn from worlds whose truth is known.

    python studies/coverage.py [--targets 2000] [--worlds WORLD …] [--json]

In each world a score is the mean over items, drawn one by one or in documents, and over seeds; true scores are means
over all items and seeds there could be, by quadrature. Matrices of 8 sources x 6 targets are drawn until there are so
many targets. Printed of each world:

- scores: share of 95% intervals of mean scores that hold the true one (of one seed: the true one of these seeds)
- tied: share of targets whose true best source is not called worse (said: 95%)
- best: how probable the leading source was said to be the best, on average, and how often it was; the same of those
  said to be 80% and more
- claims: share of other sources that are called worse than the best; of what is never claimed, nothing can be wrong

The figures in docs/ were first stated in commit 136402e (2026-11-30).
"""

from __future__ import annotations

import os

from matrices.arrays import Floats

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import json
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from matrices.items import Items
from matrices.measures.ranks import ranked
from matrices.uncertainty.comparison import TargetRuns
from matrices.uncertainty.components import SeedVariance
from matrices.uncertainty.resampling import Resamples
from matrices.view import ItemOutcomes, MatrixView

SOURCES, TARGETS = 8, 6
ITEMS, IN_DOCUMENT = 160, 8
APART, BY_DOCUMENT, BY_ITEM, TAKEN, TAKEN_BY_DOCUMENT, BY_SEED = 0.12, 0.7, 1.0, 0.4, 0.3, 0.12
"""Standard deviations in logits: of sources; of documents and items in ease; of how an item and a document each take to
a source; of runs."""
SPANS, RARE_SPANS = 0.6, 0.1
"""Gold spans a sentence; rare ones are 16 in a target."""
SPURIOUS = 0.4
"""Spans that are predicted and are none, for each gold one."""

WORLDS: dict[str, dict[str, Any]] = {
    f"{metric}, {seeds} seed{'s' * (seeds > 1)}, {'documents' if documents else 'items'}": {
        "metric": metric,
        "seeds": seeds,
        "documents": documents,
    }
    for metric in ("accuracy", "f1")
    for seeds in (3, 1)
    for documents in (False, True)
}
WORLDS["f1, 3 seeds, items, rare spans"] = {"metric": "f1", "spans": RARE_SPANS}
WORLDS["accuracy, 1 seed where other targets have 3, items"] = {"metric": "accuracy", "seeds": 3, "few": True}


def draw(
    random: np.random.Generator,
    *,
    metric: str = "accuracy",
    seeds: int = 3,
    documents: bool = False,
    few: bool = False,
    spans: float = SPANS,
) -> tuple[MatrixView, Floats, Floats]:
    """A matrix, its true scores [S, T], and those of the seeds that were drawn [S, T]. ``few``: half have one seed."""
    shape = (SOURCES, TARGETS)
    level = random.normal(0.4, 0.5, TARGETS) + random.normal(0, APART, (SOURCES, 1))
    level = level + random.normal(0, APART, shape)
    of_seed = random.normal(0, BY_SEED, (*shape, seeds))
    document = np.arange(ITEMS) // IN_DOCUMENT
    count = document.max() + 1
    ease = random.normal(0, BY_ITEM, (TARGETS, ITEMS))
    taken = random.normal(0, TAKEN, (*shape, ITEMS))
    if documents:
        ease = ease + random.normal(0, BY_DOCUMENT, (TARGETS, count))[:, document]
        taken = taken + random.normal(0, TAKEN_BY_DOCUMENT, (*shape, count))[..., document]
    logits = level[..., None, None] + of_seed[..., None] + (ease + taken)[:, :, None, :]
    spread = np.sqrt(BY_ITEM**2 + TAKEN**2 + documents * (BY_DOCUMENT**2 + TAKEN_BY_DOCUMENT**2))
    chance = 1 / (1 + np.exp(-logits))
    if metric == "accuracy":
        correct, total = (
            (random.random(chance.shape) < chance).astype(np.float32),
            np.ones((1, 1, 1, ITEMS), np.float32),
        )
    else:
        gold = random.poisson(spans, (1, TARGETS, 1, ITEMS))
        right = random.binomial(np.broadcast_to(gold, chance.shape), chance)
        predicted = right + random.poisson(SPURIOUS * spans, chance.shape)
        correct, total = (2 * right).astype(np.float32), (predicted + gold).astype(np.float32)
    truth = _score(_mean_chance(level, np.hypot(spread, BY_SEED)), metric)
    of_these = _score(_mean_chance(level[..., None] + of_seed, spread), metric).mean(axis=-1)
    scores = correct.sum(axis=-1) / np.broadcast_to(total, correct.shape).sum(axis=-1)
    if few:
        scores[:, : TARGETS // 2, 1:] = np.nan
    return _view(random, metric, correct, total, scores, document if documents else None), truth, of_these


def _mean_chance(level: Floats, spread: float) -> Floats:
    """The mean of a logistic over normal deviations, by Gauss-Hermite quadrature."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)
    chances: Floats = (1 / (1 + np.exp(-(level[..., None] + spread * nodes)))) @ (weights / weights.sum())
    return chances


def _score(chance: Floats, metric: str) -> Floats:
    if metric == "accuracy":
        return chance
    score: Floats = 2 * chance / (chance + SPURIOUS + 1)
    return score


def _view(
    random: np.random.Generator, metric: str, correct: Any, total: Any, scores: Floats, document: Any
) -> MatrixView:
    targets = tuple(f"t{at}" for at in range(TARGETS))
    seeds = scores.shape[-1]
    nothing = np.zeros((1, seeds, ITEMS), np.float32)
    known = np.isfinite(scores)
    outcomes = {
        target: ItemOutcomes(
            target,
            correct[:, at] * known[:, at, :, None],
            total[:, min(at, total.shape[1] - 1)] * (known[:, at, :, None] if total.shape[2] > 1 else 1),
            nothing,
            nothing,
        )
        for at, target in enumerate(targets)
    }
    ids = tuple(map(str, range(ITEMS)))
    passages = None if document is None else tuple(map(str, document))
    return MatrixView(
        matrix=f"simulated-{random.integers(2**40)}",
        encoder="none",
        kind="zero_shot",
        task="any",
        metric=metric,
        composition="stack",
        selection="last",
        sources=tuple(f"s{at}" for at in range(SOURCES)),
        targets=targets,
        seeds=tuple(range(seeds)),
        scores=scores,
        baseline=np.full((TARGETS, seeds), np.nan),
        n_items=np.full(TARGETS, ITEMS),
        read_outcomes=outcomes.__getitem__,
        items={target: Items(ids, None, passages) for target in targets},
    )


def targets_of(world: dict[str, Any], targets: int) -> Iterator[dict[str, float]]:
    """What is said of so many targets of a world, and what is true."""
    random = np.random.default_rng(1)
    drawn = 0
    while drawn < targets:
        view, truth, of_these = draw(random, **world)
        samples, seeds = Resamples(view), SeedVariance(view)
        judged = range(TARGETS // 2) if world.get("few") else range(TARGETS)
        for at in judged:
            runs = TargetRuns(view, view.targets[at], samples, seeds)
            order = ranked(view, view.targets[at])
            low, high = (ends[:-1] for ends in runs.intervals())
            true = truth[:, at] if runs.seeds_known else of_these[:, at]
            ties, best = runs.ties(order), int(truth[:, at].argmax())
            said = runs.probabilities_best(order)
            yield {
                "held": float(((low <= true) & (true <= high)).mean()),
                "tied": float(ties[order.tolist().index(best)] != "worse"),
                "claims": sum(tie == "worse" for tie in ties) / (len(ties) - 1),
                "said": np.nan if said is None else float(said[0]),
                "right": float(order[0] == best),
            }
            drawn += 1


def judge(world: dict[str, Any], targets: int) -> dict[str, float]:
    """The shares that ``main`` prints of one world; NaN of what is never said."""
    found = list(targets_of(world, targets))
    rows = {name: np.array([one[name] for one in found]) for name in found[0]}
    sure = rows["said"] >= 0.8
    said = np.isfinite(rows["said"]).any()
    return {
        "scores": float(rows["held"].mean()),
        "tied": float(rows["tied"].mean()),
        "claims": float(rows["claims"].mean()),
        "best_said": float(rows["said"].mean()) if said else float("nan"),
        "best_right": float(rows["right"].mean()),
        "sure_said": float(rows["said"][sure].mean()) if sure.any() else float("nan"),
        "sure_right": float(rows["right"][sure].mean()) if sure.any() else float("nan"),
        "sure": float(sure.mean()),
    }


def main() -> None:
    """Prints a line a world."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--targets", type=int, default=2000, help="targets a world")
    parser.add_argument("--worlds", nargs="+", choices=WORLDS, default=list(WORLDS), metavar="WORLD", help="by name")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found = {}
    for name in given.worlds:
        found[name] = one = judge(WORLDS[name], given.targets)
        print(
            f"{name}: scores {one['scores']:.1%}; tied {one['tied']:.1%}, {one['claims']:.0%} claimed worse; "
            f"best said {one['best_said']:.1%}, right {one['best_right']:.1%}; "
            f"of {one['sure']:.0%} said 80% and more: said {one['sure_said']:.1%}, right {one['sure_right']:.1%}",
            file=sys.stderr if given.json else sys.stdout,
            flush=True,
        )
    if given.json:
        print(json.dumps(found))


if __name__ == "__main__":
    main()
