"""hat_r beside older measures of transfer, on simulated models that get better at everything and transfer just as well.

    .venv/bin/python studies/hat_r.py [--repeats 400] [--json]

Items have difficulties b ~ N(0, 2^2) in logits. A model of ability a solves an item of the source with probability
p_s = logistic(a - b), and of the target with p_t = logistic(a - b - 0.975 + e), e ~ N(0, 1.8^2) of its own an item. So
the transfer profile is nearly the same whatever the ability, and its integral over uniform hardness, as a share of the
source's, is 0.749. Only the ability changes from row to row: a measure of transfer should not.

Each row is the mean over repeats of 380 items: hat_r with K samples an item (source, further source, target), and with
five seeds, one left out in turn, each seed the same model in both languages; the share of 95% item-bootstrap intervals
that hold 0.749; the ratio of accuracies; hat_r over nominal bins (the naive estimator); and P(correct in target |
correct in source).

The figures in docs/ were first stated in commit a82a82d (2026-11-21).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import numpy as np
from rich.console import Console
from rich.table import Table
from scipy.optimize import brentq
from scipy.special import expit, logit

from matrices.measures.profile import Profile, ProfileSettings, binned, rotations
from matrices.uncertainty.resampling import ItemSample

ITEMS, SPREAD, PENALTY, NOISE = 380, 2.0, 0.975, 1.8
ACCURACIES = (0.13, 0.3, 0.5, 0.7, 0.87)
DESIGNS = {"K = 10": 10, "K = 5": 5, "K = 1": 1, "5 seeds": None}
RESAMPLES = 1000
RECIPE, NAIVE = ProfileSettings(most_extrapolated=1), ProfileSettings(normaliser="nominal", most_extrapolated=1)


@dataclass(frozen=True, slots=True)
class DesignResult:
    """Means over repeats. ``hat_r_sd`` is the standard deviation over repeats, ``coverage`` of the true value."""

    design: str
    source_accuracy: float
    hat_r: float
    hat_r_sd: float
    coverage: float
    transfer_ratio: float
    naive_binning: float
    conditional_transfer: float


def true_value() -> float:
    """The integral of tau over uniform hardness, as a share of that of the identity."""
    u = (np.arange(2000) + 0.5) / 2000
    noise = NOISE * np.linspace(-5, 5, 401)
    weights = np.exp(-0.5 * (noise / NOISE) ** 2)
    tau = expit(logit(u)[:, None] - PENALTY + noise) @ (weights / weights.sum())
    return float(2 * tau.mean())


def ability(accuracy: float) -> float:
    """The ability of a model that is right on that share of all items."""
    difficulty = SPREAD * np.random.default_rng(0).standard_normal(100_000)
    return float(brentq(lambda a: expit(a - difficulty).mean() - accuracy, -10, 10))


def simulate(design: str, accuracy: float, repeats: int, truth: float) -> DesignResult:
    """One row: ``repeats`` samples of items and of answers to them."""
    able = ability(accuracy)
    found = np.array(
        [_once(DESIGNS[design], able, np.random.default_rng([repeat, 1]), truth) for repeat in range(repeats)]
    )
    hat, held, right, ratio, naive, conditional = found.mean(axis=0).tolist()
    return DesignResult(design, right, hat, float(found[:, 0].std()), held, ratio, naive, conditional)


def _once(samples: int | None, able: float, random: np.random.Generator, truth: float) -> tuple[float, ...]:
    x = able - SPREAD * random.standard_normal(ITEMS)
    p, q = expit(x), expit(x - PENALTY + NOISE * random.standard_normal(ITEMS))
    if samples is None:
        luck = random.random((5, ITEMS))  # A seed that finds an item easy does so in both languages.
        source, target = (luck < p).astype(float), (luck < q).astype(float)
        by_item = binned(rotations(source), source, target[None], 5)
    else:
        bins, further, target = (random.binomial(samples, one) for one in (p, p, q))
        source, target = further / samples, target / samples
        by_item = binned(bins[None], source[None], target[None, None], samples + 1)
    profile = Profile(by_item.sum(axis=-1))
    sample = ItemSample(np.arange(ITEMS), RESAMPLES, int(random.integers(2**32)))
    low, high = np.quantile(Profile(sample.totals(by_item)).hat_r(RECIPE, 0), [0.025, 0.975], method="nearest")
    return (
        float(profile.hat_r(RECIPE, 0)[0]),
        float(low <= truth <= high),
        float(source.mean()),
        float(target.mean() / source.mean()),
        float(profile.hat_r(NAIVE, 0)[0]),
        float((p * q).sum() / p.sum()),
    )


def rows(repeats: int) -> Iterator[DesignResult]:
    """Every design at every ability."""
    truth = true_value()
    for design in DESIGNS:
        for accuracy in ACCURACIES:
            yield simulate(design, accuracy, repeats, truth)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=400)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found = list(rows(given.repeats))
    if given.json:
        print(json.dumps({"true": true_value(), "rows": [asdict(row) for row in found]}))
        return
    table = Table("samples", "source", "hat_r", "SD", "coverage", "ratio", "naive bins", "P(t | s)")
    table.title = f"{ITEMS} items, true value {true_value():.3f}, {given.repeats} repeats"
    for row in found:
        numbers = (row.source_accuracy, row.hat_r, row.hat_r_sd, row.coverage)
        older = (row.transfer_ratio, row.naive_binning, row.conditional_transfer)
        table.add_row(row.design, *(f"{number:.2f}" for number in (*numbers, *older)))
    Console().print(table)


if __name__ == "__main__":
    main()
